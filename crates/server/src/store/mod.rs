//! Where data comes from: the state of each channel and the messages published to it.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use geocast_protocol::Channel;
use serde_json::json;
use thiserror::Error;

mod embedded;
mod history;
mod redis;
mod vitals;

pub use embedded::{DataError, DataSettings, DataState, EmbeddedStore};
pub use history::{History, HistoryBound, HistoryPosition, HistoryQuery, KeptMessage, Place};
pub(crate) use redis::PresenceLog;
pub use redis::{
    LackingRight, RedisInspector, RedisKind, RedisNature, RedisNode, RedisSentinel, RedisUse, RedisValue,
    ReplicaObstacle, SentinelAnswer, SentinelPeer, SentinelReplica, SentinelView, missing_key_events,
};
pub use redis::{RedisPublishing, RedisSettings, RedisStartError, RedisStore, RedisUrl, RedisUrlError};
pub use vitals::Vitals;

/// State and messages of channels. Two implementations, one test suite.
///
/// A store hands every message of a subscribed channel to the [`Broker`](crate::Broker) it was made with, in the order
/// in which the channel received them.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// What is used, for start-up messages: never contains a password.
    fn description(&self) -> String;

    /// The value of one key of a channel's state.
    async fn value(&self, channel: &Channel, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// All values of a channel's state, in no order.
    async fn values(&self, channel: &Channel) -> Result<Vec<Bytes>, StoreError>;

    /// Sends a message to the subscribers of a channel. Where it stands in the channel's history, if that has one.
    async fn publish(&self, channel: &Channel, payload: Bytes)
    -> Result<Option<HistoryPosition>, StoreError>;

    /// Sends messages to the subscribers of their channels, in this order: all of them, or none if there is an error. Only
    /// when the store's answer is lost ([`StoreError::Unavailable`]) it is not known which of both.
    async fn publish_all(&self, messages: Vec<(Channel, Bytes)>) -> Result<(), StoreError>;

    /// Sets one key of a channel's state and publishes the value, as one step; as [`publish`](Self::publish).
    async fn put(
        &self,
        channel: &Channel,
        key: &str,
        value: Bytes,
    ) -> Result<Option<HistoryPosition>, StoreError>;

    /// Removes one key of a channel's state and publishes `notice`, as one step. False if there was no such key: then
    /// nothing is published.
    async fn remove(&self, channel: &Channel, key: &str, notice: Bytes) -> Result<bool, StoreError>;

    /// Channels that have state, in no order and at most so many, as far as the store knows them without asking anybody.
    fn channels(&self, _most: usize) -> Vec<Channel> {
        Vec::new()
    }

    /// Reads a part of a channel's history; `None` if it has none. What is up to its [`end`](History::end) has been handed to the
    /// broker when this returns.
    async fn history(&self, _: &Channel, _: &HistoryQuery) -> Result<Option<History>, StoreError> {
        Ok(None)
    }

    /// Begins to deliver a channel's messages to the broker. Subscriptions are counted, and the count rises before this
    /// returns; the future ends once the subscription is in force, or with an error if that is not known in time, in
    /// which case the store goes on trying until [`unsubscribe`](Self::unsubscribe).
    fn subscribe(&self, channel: &Channel) -> BoxFuture<'static, Result<(), StoreError>>;

    /// Takes one subscription of a channel back.
    fn unsubscribe(&self, channel: &Channel);

    /// Ends when every message that was published before the call has been handed to the broker, or that has been waited for
    /// long enough.
    async fn settle(&self) {}

    /// Ends when the state that was set before the call is kept as safely as this store keeps it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: it cannot be kept at this moment.
    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether state can be read and messages arrive at this moment.
    async fn health(&self) -> Result<(), StoreError>;

    /// What can be said about the store at this moment without asking anybody, for those who watch it.
    fn vitals(&self) -> Vitals {
        Vitals::default()
    }
}

/// What subscribers are sent when a key of a channel's state is removed: a feature of that id without geometry
/// (RFC 7946 §3.2), which passes every viewport, with a member `"deleted":true`.
#[must_use]
pub fn deletion_notice(key: &str) -> Bytes {
    let notice =
        json!({ "type": "Feature", "id": key, "geometry": null, "properties": null, "deleted": true });
    Bytes::from(notice.to_string())
}

/// Why a store could not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached, or does not answer in time.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The store answered with an error, for example that a key holds another type.
    #[error("the store refused: {0}")]
    Refused(String),
    /// A bound of the store is reached.
    #[error("the store is full: {0}")]
    Full(String),
}

impl StoreError {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "store_unavailable",
            Self::Refused(_) => "store_refused",
            Self::Full(_) => "store_full",
        }
    }
}
