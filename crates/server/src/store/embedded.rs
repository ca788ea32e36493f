use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{BoxFuture, ready};
use geocast_protocol::Channel;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use tokio::sync::Mutex;

use super::{Store, StoreError};
use crate::{
    Broker, Patterns,
    watch::{self, Before, Fields, Layout},
};

/// State in the memory of this process, lost with it.
#[derive(Debug)]
pub struct EmbeddedStore {
    broker: Arc<Broker>,
    state: RwLock<State>,
    /// Held from a change of state until its publication is on its way, so that both have the same order.
    order: Mutex<()>,
    limit: usize,
    /// The hashes whose changes are pushed.
    watch: Option<Patterns>,
}

#[derive(Debug, Default)]
struct State {
    channels: FxHashMap<Channel, BTreeMap<Box<str>, Bytes>>,
    bytes: usize,
}

impl EmbeddedStore {
    /// An empty store that holds at most `limit` bytes of keys and values.
    pub fn new(broker: Arc<Broker>, limit: usize) -> Self {
        Self { broker, state: RwLock::default(), order: Mutex::new(()), limit, watch: None }
    }
}

impl EmbeddedStore {
    /// Pushes the changes of these hashes, as [`Settings::watch`](crate::Settings::watch) says.
    #[must_use]
    pub fn watching(self, watch: Option<Patterns>) -> Self {
        Self { watch, ..self }
    }

    /// What of a hash decides about the pushes for a change of this key, if the hash is watched.
    fn watched(&self, hash: &Channel, key: &str) -> Option<Fields> {
        self.watch.as_ref().filter(|watch| watch.matches(hash.as_str()))?;
        let state = self.state.read();
        let values = state.channels.get(hash).into_iter().flatten();
        // A table may be large, and each of its keys is an object of its own.
        let concerns = |name: &str| match Layout::of(hash.as_str()) {
            Some(Layout::Object { .. }) => true,
            Some(Layout::Table { .. }) => name == key,
            None => false,
        };
        Some(
            values
                .filter(|(name, _)| concerns(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }

    async fn push_changes(&self, hash: &Channel, key: &str, before: Option<Fields>) {
        let Some((before, after)) = before.zip(self.watched(hash, key)) else { return };
        watch::push(&self.broker, hash.as_str(), Before::Known(&before), &after).await;
    }
}

impl State {
    fn set(&mut self, channel: &Channel, key: &str, value: Bytes, limit: usize) -> Result<(), StoreError> {
        let old = self.channels.get(channel).and_then(|values| values.get(key));
        let freed = old.map_or(0, |old| size(key, old));
        let bytes = self.bytes - freed + size(key, &value);
        if bytes > limit {
            return Err(StoreError::Full(format!(
                "{bytes} bytes of state are more than the allowed {limit}"
            )));
        }
        self.bytes = bytes;
        self.channels.entry(channel.clone()).or_default().insert(key.into(), value);
        Ok(())
    }

    fn remove(&mut self, channel: &Channel, key: &str) -> bool {
        let Some(values) = self.channels.get_mut(channel) else { return false };
        let Some(old) = values.remove(key) else { return false };
        self.bytes -= size(key, &old);
        if values.is_empty() {
            self.channels.remove(channel);
        }
        true
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    fn description(&self) -> String {
        "embedded, in memory: state is lost when the server stops".to_owned()
    }

    async fn value(&self, channel: &Channel, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.state.read().channels.get(channel).and_then(|values| values.get(key)).cloned())
    }

    async fn values(&self, channel: &Channel) -> Result<Vec<Bytes>, StoreError> {
        // What is set is published before it can be read.
        let _in_order = self.order.lock().await;
        Ok(self.state.read().channels.get(channel).into_iter().flat_map(BTreeMap::values).cloned().collect())
    }

    async fn publish(&self, channel: &Channel, payload: Bytes) -> Result<(), StoreError> {
        self.broker.deliver(channel, payload).await;
        Ok(())
    }

    async fn publish_all(&self, messages: Vec<(Channel, Bytes)>) -> Result<(), StoreError> {
        for (channel, payload) in messages {
            self.broker.deliver(&channel, payload).await;
        }
        Ok(())
    }

    async fn put(&self, channel: &Channel, key: &str, value: Bytes) -> Result<(), StoreError> {
        let _in_order = self.order.lock().await;
        let before = self.watched(channel, key);
        self.state.write().set(channel, key, value.clone(), self.limit)?;
        self.broker.deliver(channel, value).await;
        self.push_changes(channel, key, before).await;
        Ok(())
    }

    async fn remove(&self, channel: &Channel, key: &str, notice: Bytes) -> Result<bool, StoreError> {
        let _in_order = self.order.lock().await;
        let before = self.watched(channel, key);
        let removed = self.state.write().remove(channel, key);
        if removed {
            self.broker.deliver(channel, notice).await;
            self.push_changes(channel, key, before).await;
        }
        Ok(removed)
    }

    fn subscribe(&self, _: &Channel) -> BoxFuture<'static, Result<(), StoreError>> {
        // Every message passes the broker anyway, which knows who listens.
        Box::pin(ready(Ok(())))
    }

    fn unsubscribe(&self, _: &Channel) {}

    async fn health(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What an entry counts against the bound, with its place in the tree.
fn size(key: &str, value: &Bytes) -> usize {
    key.len() + value.len() + 64
}
