use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use geocast_protocol::Channel;
use geocast_server::{
    LackingRight, Patterns, RedisInspector, RedisKind, RedisNature, RedisNode, RedisSentinel, RedisUse,
    StoreError,
};
use serde::Serialize;

use super::{Scope, groups::grouped, sample::Sample};
use crate::progress::Stand;

/// What was found in a Redis.
#[derive(Debug, Default)]
pub(super) struct Examination {
    pub(super) nodes: Vec<NodeFacts>,
    /// What sentinels say, where they are named.
    pub(super) sentinels: Vec<RedisSentinel>,
    /// Why nothing can be found out of the master that they name.
    pub(super) failure: Option<String>,
    /// Keys in the database, in a cluster of all nodes.
    pub(super) size: Option<u64>,
    /// So many of them were looked at.
    pub(super) seen: usize,
    /// By what stands under them.
    pub(super) kinds: BTreeMap<RedisKind, usize>,
    /// Hashes, by pattern.
    pub(super) hashes: BTreeMap<String, HashFacts>,
    /// Strings, by pattern, as far as they may be state in the wrong place.
    pub(super) texts: BTreeMap<String, Sample>,
    /// Hashes whose names no channel can have.
    pub(super) unspeakable: BTreeSet<String>,
    /// Channels that somebody is subscribed to, with the number of subscribers where that was asked.
    pub(super) channels: BTreeMap<String, Option<u64>>,
    /// What the user may not do.
    pub(super) lacking: Vec<LackingRight>,
    /// Whether there are channels that the user may not use. Known where no name was found to ask for.
    pub(super) is_bounded: bool,
    /// What could not be found out, and why.
    pub(super) unknown: BTreeMap<&'static str, String>,
}

/// What a node says about itself.
#[derive(Debug)]
pub(super) struct NodeFacts {
    pub(super) address: String,
    pub(super) host_and_port: Option<(String, u16)>,
    pub(super) info: BTreeMap<String, String>,
    /// What INFO took.
    pub(super) latency: Duration,
    /// Parameters that it tells.
    pub(super) config: BTreeMap<&'static str, String>,
    pub(super) user: Option<String>,
    /// What it says it is.
    pub(super) nature: Option<RedisNature>,
}

/// Hashes whose names begin alike, or one.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct HashFacts {
    /// How many hashes.
    pub(super) hashes: usize,
    /// How many fields those have together that were looked at.
    pub(super) fields: u64,
    /// Whether any of them goes by itself after some time.
    pub(super) expires: bool,
    pub(super) sample: Sample,
}

impl Examination {
    /// Asks each node. What a node does not tell is noted; an error is that it is not there any more.
    pub(super) async fn of(
        inspector: &mut RedisInspector,
        scope: &Scope,
        stand: &Stand,
    ) -> Result<Self, StoreError> {
        let mut found = Self::default();
        for node in inspector.nodes() {
            stand.is(format!("asking {} what it is", node.address()));
            let facts = found.ask(node).await?;
            found.nodes.push(facts);
            let size = node.size().await;
            if let Some(size) = found.noted("keys", size)? {
                found.size = Some(found.size.unwrap_or_default() + size);
            }
            let names = found.walk(node, scope, stand).await?;
            found.look_at_hashes(node, &names, stand).await?;
            found.look_at_texts(node, &names, stand).await?;
            stand.is("looking at channels");
            let channels = node.channels(MOST_COUNTED).await;
            for (name, subscribers) in found.noted("channels", channels)?.unwrap_or_default() {
                let name = String::from_utf8_lossy(&name).into_owned();
                if !is_own(&name) && scope.includes(&name) {
                    let known = found.channels.entry(name).or_default();
                    *known = known.map_or(subscribers, |known| Some(known + subscribers.unwrap_or_default()));
                }
            }
        }
        stand.is("asking what the user may do");
        let mut wanted = RedisUse::default();
        wanted.watches = scope.watches;
        let names = found.hashes.iter().filter(|(_, facts)| facts.sample.is_state()).map(|(name, _)| name);
        let scoped = scope.names.iter().flat_map(Patterns::iter);
        let names = scoped.chain(names.chain(found.channels.keys()).map(String::as_str));
        let names = names.map(|name| name.replace('*', "x"));
        wanted.channels = names.filter_map(|name| name.parse().ok()).take(MOST_ASKED).collect();
        if let Some(node) = inspector.nodes().first_mut() {
            let lacking = node.lacking(&wanted).await;
            found.lacking = found.noted("rights", lacking)?.unwrap_or_default();
            if wanted.channels.is_empty() {
                wanted.channels.extend(ANY.parse());
                let lacking = node.lacking(&wanted).await;
                let lacking = found.noted("rights", lacking)?.unwrap_or_default();
                found.is_bounded = lacking.iter().any(|right| right.rule.get(1..) == Some(ANY));
            }
        }
        Ok(found)
    }

    async fn ask(&mut self, node: &mut RedisNode) -> Result<NodeFacts, StoreError> {
        let start = Instant::now();
        let info = node.info().await;
        let latency = start.elapsed();
        let mut config = BTreeMap::new();
        for name in PARAMETERS {
            let answer = node.config(name).await;
            match self.noted("configuration", answer)? {
                Some(Some(value)) => drop(config.insert(name, value)),
                Some(None) => {}
                None => break,
            }
        }
        let host_and_port = node.host_and_port().map(|(host, port)| (host.to_owned(), port));
        Ok(NodeFacts {
            address: node.address(),
            host_and_port,
            info: self.noted("info", info)?.unwrap_or_default(),
            latency,
            config,
            user: node.user().await.ok(),
            nature: node.nature().await,
        })
    }

    /// The names of hashes and strings.
    async fn walk(
        &mut self,
        node: &mut RedisNode,
        scope: &Scope,
        stand: &Stand,
    ) -> Result<BTreeMap<RedisKind, BTreeSet<String>>, StoreError> {
        let mut names: BTreeMap<RedisKind, BTreeSet<String>> = BTreeMap::new();
        let (start, mut cursor) = (Instant::now(), 0);
        while self.seen < scope.keys && start.elapsed() < LONGEST_WALK {
            stand.is(format!("looking at keys: {} of {}", self.seen, self.size.unwrap_or_default()));
            let keys = node.keys(cursor, BATCH).await;
            let Some((next, keys)) = self.noted("keys", keys)? else { break };
            for (key, kind) in keys {
                self.seen += 1;
                *self.kinds.entry(kind).or_default() += 1;
                // What is no UTF-8 is no name of a channel either.
                let Ok(name) = String::from_utf8(key) else { continue };
                if is_own(&name) || !scope.includes(&name) {
                    continue;
                }
                if kind == RedisKind::Hash && name.parse::<Channel>().is_err() {
                    self.unspeakable.insert(name);
                } else {
                    names.entry(kind).or_default().insert(name);
                }
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        Ok(names)
    }

    async fn look_at_hashes(
        &mut self,
        node: &mut RedisNode,
        names: &BTreeMap<RedisKind, BTreeSet<String>>,
        stand: &Stand,
    ) -> Result<(), StoreError> {
        let names = names.get(&RedisKind::Hash).into_iter().flatten().map(String::as_str);
        for (number, (pattern, names)) in grouped(names).into_iter().take(MOST_GROUPS).enumerate() {
            stand.is(format!("looking at hashes: {number}"));
            let mut facts = self.hashes.remove(&pattern).unwrap_or_default();
            facts.hashes += names.len();
            for name in names.iter().take(MOST_OF_GROUP) {
                let length = node.hash(name.as_bytes()).await;
                let Some((length, left)) = self.noted("hashes", length)? else { continue };
                facts.fields += length;
                facts.expires |= left.is_some();
                let fields = node.fields(name.as_bytes(), MOST_FIELDS, LONGEST_VALUE).await;
                for (_, value) in self.noted("hashes", fields)?.unwrap_or_default() {
                    facts.sample.add(&value);
                }
            }
            self.hashes.insert(pattern, facts);
        }
        Ok(())
    }

    async fn look_at_texts(
        &mut self,
        node: &mut RedisNode,
        names: &BTreeMap<RedisKind, BTreeSet<String>>,
        stand: &Stand,
    ) -> Result<(), StoreError> {
        let names = names.get(&RedisKind::Text).into_iter().flatten().map(String::as_str);
        for (number, (pattern, names)) in grouped(names).into_iter().take(MOST_TEXTS).enumerate() {
            stand.is(format!("looking at strings: {number}"));
            let mut sample = self.texts.remove(&pattern).unwrap_or_default();
            for name in names.iter().take(MOST_OF_GROUP) {
                let text = node.text(name.as_bytes(), LONGEST_VALUE).await;
                if let Some(text) = self.noted("strings", text)? {
                    sample.add(&text);
                }
            }
            self.texts.insert(pattern, sample);
        }
        Ok(())
    }

    /// The answer; or a note that there is none, where Redis goes on with others.
    fn noted<T>(
        &mut self,
        what: &'static str,
        answer: Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error @ StoreError::Unavailable(_)) => Err(error),
            Err(error) => {
                self.unknown.entry(what).or_insert_with(|| match error {
                    StoreError::Refused(said) => said,
                    other => other.to_string(),
                });
                Ok(None)
            }
        }
    }
}

/// What geocast, Redis or its sentinels use for themselves.
fn is_own(name: &str) -> bool {
    OWN.iter().any(|beginning| name.starts_with(beginning))
}

const OWN: [&str; 6] =
    ["__geocast", "{geocast", "geocast:history", "__keyevent@", "__keyspace@", "__sentinel__:"];
const PARAMETERS: [&str; 6] = [
    "notify-keyspace-events",
    "client-output-buffer-limit",
    "save",
    "appendonly",
    "stop-writes-on-bgsave-error",
    "maxclients",
];
/// Keys that are asked for at once.
const BATCH: usize = 500;
const LONGEST_WALK: Duration = Duration::from_secs(10);
/// Patterns of hashes, and of strings, that are looked at.
const MOST_GROUPS: usize = 60;
const MOST_TEXTS: usize = 20;
/// Keys of one pattern, and fields of one hash.
const MOST_OF_GROUP: usize = 4;
const MOST_FIELDS: usize = 8;
/// Bytes of a value that is looked at.
const LONGEST_VALUE: u64 = 256 * 1024;
/// Channels whose subscribers are counted.
const MOST_COUNTED: usize = 200;
/// A channel like any other.
const ANY: &str = "any_channel";
/// Channels for which rights are asked.
const MOST_ASKED: usize = 8;
