use std::collections::HashMap;

use deadpool_redis::redis::{FromRedisValue, Value, cmd};

use super::{
    opener::Line,
    url::{Place, RedisUrl, Service, tcp},
};

/// What answers where a Redis was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisNature {
    /// One that takes what is written.
    Master,
    /// One that follows another, whose host and port it names if it may: nothing can be written to it.
    Replica(Option<String>),
    /// One that has no data, but knows who has: the masters of these services.
    Sentinel(Vec<String>),
}

impl RedisNature {
    /// What it says itself, in answer to HELLO, which every user may; `None` if it does not know that (before Redis 6).
    pub(super) async fn of(line: &mut Line) -> Option<Self> {
        let said: HashMap<String, Value> = line.query(&cmd("HELLO")).await.ok()?;
        let word = |name: &str| said.get(name).and_then(|value| String::from_redis_value_ref(value).ok());
        if word("mode").as_deref() == Some("sentinel") {
            let known: Result<Vec<HashMap<String, String>>, _> =
                line.query(cmd("SENTINEL").arg("MASTERS")).await;
            let names = known.unwrap_or_default().into_iter().filter_map(|mut known| known.remove("name"));
            return Some(Self::Sentinel(names.collect()));
        }
        match word("role")?.as_str() {
            "master" => Some(Self::Master),
            "replica" | "slave" => {
                let info: String = line.query(cmd("INFO").arg("replication")).await.unwrap_or_default();
                let value = |name: &str| Some(info.lines().find_map(|line| line.strip_prefix(name))?.trim());
                let master = value("master_host:").zip(value("master_port:"));
                Some(Self::Replica(master.map(|(host, port)| match host.contains(':') {
                    true => format!("[{host}]:{port}"),
                    false => format!("{host}:{port}"),
                })))
            }
            _ => None,
        }
    }

    /// What is to be said of it, where the master was expected at `url`: nothing if it is one.
    #[must_use]
    pub fn remark(&self, url: &RedisUrl) -> Option<String> {
        let what = match self {
            Self::Master => return None,
            Self::Replica(None) => "a replica, to which nothing can be written",
            Self::Replica(Some(_)) => "a replica, to which nothing can be written: its master is at",
            Self::Sentinel(_) => "a sentinel, which has no data: its master is found with",
        };
        Some(match self.instead_of(url) {
            Some(instead) => format!("this is {what} {instead}"),
            None => format!("this is {what}"),
        })
    }

    /// What to type instead of `url`, without the password, to reach the master, if that is known.
    #[must_use]
    pub fn instead_of(&self, url: &RedisUrl) -> Option<RedisUrl> {
        let Place::Single(address) = &url.place else { return None };
        let place = match self {
            Self::Master | Self::Replica(None) => return None,
            Self::Replica(Some(master)) => Place::Single(tcp(master, 6379).ok()?),
            Self::Sentinel(services) => Place::Sentinel(Box::new(Service {
                sentinels: vec![address.clone()],
                name: services.first().map_or("SERVICE", String::as_str).to_owned(),
                credentials: None,
            })),
        };
        Some(RedisUrl { place, ..url.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_type_instead_is_named() {
        let replica = |master: &str| RedisNature::Replica(Some(master.to_owned()));
        let sentinel =
            |names: &[&str]| RedisNature::Sentinel(names.iter().map(|&name| name.to_owned()).collect());
        for (url, nature, expected) in [
            ("redis://h:1/2", RedisNature::Master, None),
            ("redis://h:1/2", RedisNature::Replica(None), None),
            ("redis://me:secret@h:1/2", replica("m:3"), Some("redis://me@m:3/2")),
            ("rediss://h:1", replica("[::1]:3"), Some("rediss://[::1]:3/0")),
            ("redis://h:1", sentinel(&["map", "other"]), Some("redis+sentinel://h:1/map/0")),
            ("redis://h:1", sentinel(&[]), Some("redis+sentinel://h:1/SERVICE/0")),
            ("redis+cluster://h:1", replica("m:3"), None),
        ] {
            let url: RedisUrl = url.parse().unwrap();
            let instead = nature.instead_of(&url).map(|url| url.to_string());
            assert_eq!(instead.as_deref(), expected, "{url} {nature:?}");
            assert_eq!(nature.remark(&url).is_none(), nature == RedisNature::Master);
        }
    }
}
