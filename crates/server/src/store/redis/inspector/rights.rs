use deadpool_redis::redis::{Cmd, cmd};
use geocast_protocol::Channel;

use crate::store::redis::{event_flags, probe::PROBE_PREFIX};

/// What a Redis is to be used for.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RedisUse {
    /// Some of the channels that are to be served.
    pub channels: Vec<Channel>,
    /// Whether hashes are watched ([`Settings::watch`](crate::Settings::watch)).
    pub watches: bool,
}

/// A right that the user of Redis does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LackingRight {
    /// What ACL SETUSER has to be given, such as `+hget`, `~vehicles` (a key) or `&vehicles` (a channel).
    pub rule: String,
    /// What it is needed for.
    pub purpose: &'static str,
}

impl LackingRight {
    /// Whether who only reads does without it.
    #[must_use]
    pub fn is_for_publishing(&self) -> bool {
        self.purpose == PUBLISHING
    }
}

/// A command that has to be allowed.
#[derive(Debug)]
pub(super) struct Need {
    words: Vec<String>,
    purpose: &'static str,
}

impl Need {
    fn new(purpose: &'static str, words: &[&str]) -> Self {
        Self { words: words.iter().map(|&word| word.to_owned()).collect(), purpose }
    }

    pub(super) fn command(&self) -> Cmd {
        let mut words = self.words.iter();
        let mut command = cmd(words.next().map_or("", String::as_str));
        words.for_each(|word| {
            command.arg(word);
        });
        command
    }

    /// What is lacking, by what Redis said: the command, the key or the channel.
    pub(super) fn lacking(&self, said: &str) -> Option<LackingRight> {
        let verb = self.words.first()?.to_lowercase();
        let said = said.to_lowercase();
        let (is_channel, is_key) = (said.contains("channel"), said.contains("key"));
        let rule = match self.words.as_slice() {
            [_, name, ..] if is_channel && name.starts_with(PROBE_PREFIX) => format!("&{PROBE_PREFIX}*"),
            [_, name, ..] if is_channel && name.starts_with(KEY_EVENTS) => format!("&{KEY_EVENTS}*"),
            [_, name, ..] if is_channel => format!("&{name}"),
            [_, _, _, key, ..] if is_key && verb == "eval" => format!("~{key}"),
            [_, key, ..] if is_key => format!("~{key}"),
            [_, second, ..] if CONTAINERS.contains(&verb.as_str()) => {
                format!("+{verb}|{}", second.to_lowercase())
            }
            _ => format!("+{verb}"),
        };
        Some(LackingRight { rule, purpose: self.purpose })
    }
}

/// The commands that are needed for a use, each as it is sent. The table is that of `docs/redis.md`.
pub(super) fn needs(wanted: &RedisUse, database: u32, is_cluster: bool) -> Vec<Need> {
    let probe = format!("{PROBE_PREFIX}rights");
    let mut needs = vec![
        Need::new(HEARING, &["SUBSCRIBE", &probe]),
        Need::new(HEARING, &["PUBLISH", &probe, ""]),
        Need::new(HEARING, &["UNSUBSCRIBE", &probe]),
        Need::new(HEARING, &["PING"]),
        Need::new(HEARING, &["CLIENT", "SETNAME", "geocast"]),
    ];
    for channel in wanted.channels.iter().map(Channel::as_str) {
        needs.extend([
            Need::new(HEARING, &["SUBSCRIBE", channel]),
            Need::new(STATE, &["HSTRLEN", channel, "field"]),
            Need::new(STATE, &["HGET", channel, "field"]),
            Need::new(STATE, &["HSCAN", channel, "0"]),
            Need::new(PUBLISHING, &["PUBLISH", channel, ""]),
            Need::new(PUBLISHING, &["EVAL", "return 0", "1", channel]),
            Need::new(PUBLISHING, &["HSET", channel, "field", "value"]),
            Need::new(PUBLISHING, &["HDEL", channel, "field"]),
        ]);
        if is_cluster {
            needs.push(Need::new(SHARDS, &["SSUBSCRIBE", channel]));
            needs.push(Need::new(SHARDS, &["SPUBLISH", channel, ""]));
        }
    }
    if is_cluster {
        needs.push(Need::new(SHARDS, &["CLUSTER", "SLOTS"]));
        needs.push(Need::new(SHARDS, &["ASKING"]));
        needs.push(Need::new(SHARDS, &["SUNSUBSCRIBE", "any"]));
    }
    if wanted.watches {
        let events = event_flags::channels(database).next().unwrap_or_default();
        needs.push(Need::new(WATCHING, &["SUBSCRIBE", &events]));
        needs.push(Need::new(WATCHING, &["SCAN", "0"]));
        needs.push(Need::new(WATCHING, &["CONFIG", "GET", "notify-keyspace-events"]));
    }
    needs
}

const HEARING: &str = "to hear what is published";
const STATE: &str = "to read state";
const PUBLISHING: &str = "to publish over HTTP or for clients";
const SHARDS: &str = "in a cluster";
const WATCHING: &str = "for --watch";
/// What the channels begin with on which Redis tells of writes.
const KEY_EVENTS: &str = "__keyevent@";
/// Commands whose second word is a command of its own.
const CONTAINERS: [&str; 3] = ["client", "cluster", "config"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], said: &str, rule: &str) {
        assert_eq!(Need::new(STATE, words).lacking(said).unwrap().rule, rule, "{words:?}");
    }

    #[test]
    fn what_redis_says_becomes_a_rule() {
        // As 7.0 and 6.2 say it.
        let command = "NOPERM: this user has no permissions to run the 'client|setname' command";
        check(&["CLIENT", "SETNAME", "geocast"], command, "+client|setname");
        check(&["HGET", "vehicles", "x"], "NOPERM: No permissions to access a key", "~vehicles");
        let key = "NOPERM: this user has no permissions to access one of the keys used as arguments";
        check(&["EVAL", "return 0", "1", "vehicles"], key, "~vehicles");
        check(&["SUBSCRIBE", "vehicles"], "NOPERM: No permissions to access a channel", "&vehicles");
        check(&["PUBLISH", "__geocast_probe:rights", ""], "… one of the channels used", "&__geocast_probe:*");
        check(&["SUBSCRIBE", "__keyevent@0__:hset"], "NOPERM … a channel", "&__keyevent@*");
    }

    #[test]
    fn nothing_is_asked_that_ends_a_transaction() {
        let mut wanted = RedisUse { channels: vec!["a".parse().unwrap()], watches: true };
        wanted.channels.push("b".parse().unwrap());
        let ends = ["EXEC", "DISCARD", "WATCH", "RESET", "QUIT", "MULTI"];
        let needs = needs(&wanted, 3, true);
        assert!(needs.len() > 20 && needs.iter().all(|need| !ends.contains(&need.words[0].as_str())));
    }
}
