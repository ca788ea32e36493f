use std::collections::HashMap;

use deadpool_redis::redis::{FromRedisValue, RedisError, cmd};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::replica::{Followed, SentinelReplica};
use crate::store::{
    StoreError,
    redis::{
        RedisSettings,
        address::Address,
        dialer::Dialer,
        opener::{Identity, Line, Opener, Role},
        url::{Place, Service},
    },
};

/// A sentinel that a URL names, and what it says of the service that the URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisSentinel {
    /// Its host, without brackets, and its port.
    pub host_and_port: (String, u16),
    /// What it says.
    pub answer: SentinelAnswer,
}

/// What a sentinel says of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentinelAnswer {
    /// Nothing: it is not reached, it does not want us, or it is no sentinel. This is why.
    Nothing(String),
    /// That it does not know it, but services of these names.
    Unknown(Vec<String>),
    /// Which is its master, as host and port, and what the sentinel knows besides; or why it does not tell that, as it does not to
    /// who may ask for the master alone.
    Master(String, Result<SentinelView, String>),
}

/// What a sentinel knows of a service besides the address of its master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentinelView {
    /// Its own id among sentinels; `None` if it does not tell it (before Redis 6.2).
    pub id: Option<String>,
    /// How many sentinels have to miss a master before it is replaced.
    pub quorum: usize,
    /// What it says of the master: `master`, and `s_down` or `o_down` while it misses it alone or with others.
    pub flags: Vec<String>,
    /// The replicas that it knows.
    pub replicas: Vec<SentinelReplica>,
    /// The other sentinels that it knows.
    pub others: Vec<SentinelPeer>,
}

/// Another sentinel that a sentinel knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentinelPeer {
    /// Its host and port.
    pub address: String,
    /// Its id.
    pub id: String,
    /// Whether the sentinel has heard of it lately.
    pub is_reached: bool,
}

impl RedisSentinel {
    /// Host and port as they stand in a URL.
    #[must_use]
    pub fn address(&self) -> String {
        address(&self.host_and_port.0, self.host_and_port.1)
    }

    /// What it knows, if it tells it.
    #[must_use]
    pub fn view(&self) -> Option<&SentinelView> {
        match &self.answer {
            SentinelAnswer::Master(_, Ok(view)) => Some(view),
            _ => None,
        }
    }

    /// Asks all that are named at once, each for no longer than a connection may take, and as much again.
    pub(super) async fn all(settings: &RedisSettings) -> Result<Vec<Self>, StoreError> {
        let Place::Sentinel(service) = &settings.url.place else { return Ok(Vec::new()) };
        let tls = settings.tls().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let dialer = Dialer::new(tls, settings.connect_timeout);
        let asking = service.sentinels.iter().filter_map(|sentinel| match sentinel {
            Address::Tcp { host, port } => Some((sentinel, (host.clone(), *port))),
            Address::Unix(_) => None,
        });
        let patience = settings.connect_timeout * 2;
        let asking = asking.map(async |(sentinel, host_and_port)| {
            let answer = match timeout(patience, ask(sentinel, service, &dialer)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => SentinelAnswer::Nothing(reason(&error)),
                Err(_elapsed) => SentinelAnswer::Nothing(format!("no answer within {patience:?}")),
            };
            Self { host_and_port, answer }
        });
        Ok(join_all(asking).await)
    }
}

async fn ask(sentinel: &Address, service: &Service, dialer: &Dialer) -> Result<SentinelAnswer, RedisError> {
    let identity = Identity::new(service.credentials.as_ref(), 0);
    let opener = Opener::new(dialer.clone(), sentinel.clone(), identity, Role::Any, dialer.patience());
    let mut line = opener.open().await?;
    let master: Option<(String, u16)> =
        line.query(cmd("SENTINEL").arg("get-master-addr-by-name").arg(&service.name)).await?;
    let Some((host, port)) = master else {
        // Who may not ask for that is told what there is not.
        let known: Result<Vec<HashMap<String, String>>, _> = line.query(cmd("SENTINEL").arg("masters")).await;
        let names = known.unwrap_or_default().into_iter().filter_map(|mut known| known.remove("name"));
        return Ok(SentinelAnswer::Unknown(names.collect()));
    };
    let view = view(&mut line, &service.name).await.map_err(|error| reason(&error));
    Ok(SentinelAnswer::Master(address(&host, port), view))
}

async fn view(line: &mut Line, service: &str) -> Result<SentinelView, RedisError> {
    let master: HashMap<String, String> = told(line, "master", service).await?;
    let replicas: Vec<HashMap<String, String>> = told(line, "replicas", service).await?;
    let others: Vec<HashMap<String, String>> = told(line, "sentinels", service).await?;
    let id: Result<String, _> = line.query(cmd("SENTINEL").arg("myid")).await;
    Ok(SentinelView {
        id: id.ok(),
        quorum: master.get("quorum").and_then(|quorum| quorum.parse().ok()).unwrap_or_default(),
        flags: flags(&master).map(str::to_owned).collect(),
        replicas: replicas.iter().map(|said| Followed(&master).by(said)).collect(),
        others: others.iter().map(peer).collect(),
    })
}

async fn told<T: FromRedisValue>(line: &mut Line, what: &str, service: &str) -> Result<T, RedisError> {
    line.query(cmd("SENTINEL").arg(what).arg(service)).await
}

fn peer(said: &HashMap<String, String>) -> SentinelPeer {
    let word = |name: &str| said.get(name).map_or("", String::as_str);
    SentinelPeer {
        address: address(word("ip"), word("port").parse().unwrap_or_default()),
        id: word("runid").to_owned(),
        is_reached: is_reached(said),
    }
}

pub(super) fn is_reached(said: &HashMap<String, String>) -> bool {
    !flags(said).any(|flag| matches!(flag, "s_down" | "o_down" | "disconnected"))
}

pub(super) fn flags(said: &HashMap<String, String>) -> impl Iterator<Item = &str> {
    said.get("flags").into_iter().flat_map(|flags| flags.split(','))
}

fn reason(error: &RedisError) -> String {
    let said = error.to_string();
    if said.contains("unknown command") { "it is no sentinel".to_owned() } else { said }
}

pub(super) fn address(host: &str, port: u16) -> String {
    Address::Tcp { host: host.to_owned(), port }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_another_is_there_is_read_from_its_flags() {
        for (flags, expected) in
            [("sentinel", true), ("s_down,sentinel", false), ("sentinel,disconnected", false)]
        {
            let said = [("ip", "::1"), ("port", "7"), ("runid", "ab"), ("flags", flags)];
            let peer = peer(&said.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
            assert_eq!(
                (peer.address.as_str(), peer.id.as_str(), peer.is_reached),
                ("[::1]:7", "ab", expected),
                "{flags}"
            );
        }
    }
}
