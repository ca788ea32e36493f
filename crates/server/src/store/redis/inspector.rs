//! Looking at a Redis for its operator.

mod kind;
mod node;
mod replica;
mod rights;
mod sentinel;
mod value;

use std::io;

use tokio::time::timeout;

use super::{RedisSettings, nodes::Nodes, remedy::store_error};
use crate::store::StoreError;

pub use kind::RedisKind;
pub use node::RedisNode;
pub use replica::{ReplicaObstacle, SentinelReplica};
pub use rights::{LackingRight, RedisUse};
pub use sentinel::{RedisSentinel, SentinelAnswer, SentinelPeer, SentinelView};
pub use value::RedisValue;

/// Looks at a Redis without changing anything in it: all that it can ask are the questions of [`RedisNode`].
///
/// It is for tools that tell operators what they have; a server does without.
#[derive(Debug)]
pub struct RedisInspector {
    nodes: Vec<RedisNode>,
}

impl RedisInspector {
    /// Connects to the Redis that is named, to the master that sentinels name, or to all masters of a cluster.
    ///
    /// # Errors
    /// [`StoreError`]: one of them cannot be reached, or does not want us; or the certificates for TLS cannot be used.
    pub async fn connect(settings: &RedisSettings) -> Result<Self, StoreError> {
        let nodes = Nodes::new(settings).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let topology = nodes.topology().await.map_err(StoreError::Unavailable)?;
        let mut found = Vec::new();
        for address in topology.masters() {
            // For the connection, and as much again for what is said first.
            let opening = timeout(settings.connect_timeout * 2, nodes.open(address)).await;
            let late = |_elapsed| io::Error::from(io::ErrorKind::TimedOut).into();
            let line = opening.map_err(late).and_then(|line| line).map_err(|error| store_error(&error))?;
            found.push(RedisNode::new(address.clone(), line, settings));
        }
        Ok(Self { nodes: found })
    }

    /// What each of the sentinels says that the URL names; nothing where it names none.
    ///
    /// # Errors
    /// The certificates for TLS cannot be used. That a sentinel is not reached is none: that is its answer.
    pub async fn sentinels(settings: &RedisSettings) -> Result<Vec<RedisSentinel>, StoreError> {
        RedisSentinel::all(settings).await
    }

    /// The Redis, or the masters of a cluster, at least one.
    pub fn nodes(&mut self) -> &mut [RedisNode] {
        &mut self.nodes
    }
}

/// What `notify-keyspace-events` is to be set to instead of `current` for watched hashes, if that does not suffice.
///
/// ```
/// # use geocast_server::missing_key_events;
/// assert_eq!(missing_key_events("").as_deref(), Some("Ehgxe"));
/// assert_eq!(missing_key_events("AKE"), None);
/// ```
#[must_use]
pub fn missing_key_events(current: &str) -> Option<String> {
    super::event_flags::missing(current)
}
