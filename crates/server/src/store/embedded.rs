mod data_error;
mod data_settings;
mod data_state;
mod database;
mod journal;
mod rings;
mod state;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{BoxFuture, ready};
use geocast_protocol::{Channel, Word};
use parking_lot::RwLock;
use tokio::sync::Mutex;

pub use data_error::DataError;
pub use data_settings::DataSettings;
pub use data_state::DataState;

use self::{
    database::Database,
    journal::{Journal, Room},
    rings::Rings,
    state::State,
};
use super::{History, HistoryBound, HistoryPosition, HistoryQuery, Place, Store, StoreError};
use crate::{
    Broker, ChannelRule, Count, Patterns, Vitals, clock,
    watch::{self, Before, Fields, Layout},
};

/// State in the memory of this process, and in a folder if it is to outlive it.
#[derive(Debug)]
pub struct EmbeddedStore {
    broker: Arc<Broker>,
    state: RwLock<State>,
    /// Held from a change of state until its publication is on its way, so that both have the same order.
    order: Mutex<()>,
    limit: usize,
    /// The hashes whose changes are pushed.
    watch: Option<Patterns>,
    disk: Option<Disk>,
    /// The channels that have a history.
    kept: Vec<ChannelRule<HistoryBound>>,
    history: parking_lot::Mutex<Rings>,
}

/// Where state is kept.
#[derive(Debug)]
struct Disk {
    journal: Journal,
    settings: DataSettings,
}

impl EmbeddedStore {
    /// An empty store that holds at most `limit` bytes of keys and values, in memory.
    pub fn new(broker: Arc<Broker>, limit: usize) -> Self {
        let (state, order) = (RwLock::default(), Mutex::new(()));
        let history = parking_lot::Mutex::new(Rings::new(Vec::new(), 0, epoch()));
        Self { broker, state, order, limit, watch: None, disk: None, kept: Vec::new(), history }
    }

    /// A store with the state that a folder has, which keeps it there. State is written behind: what was published in the
    /// last [`DataSettings::flush_interval`] may be lost when the process is killed.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn open(broker: Arc<Broker>, limit: usize, settings: DataSettings) -> Result<Self, DataError> {
        let database = Database::open(&settings.folder)?;
        let state = RwLock::new(database.load(limit)?);
        let journal = Journal::start(database, &settings)
            .map_err(|source| DataError::Io { folder: settings.folder.clone(), source })?;
        Ok(Self { state, disk: Some(Disk { journal, settings }), ..Self::new(broker, limit) })
    }
}

impl EmbeddedStore {
    /// Pushes the changes of these hashes, as [`Settings::watch`](crate::Settings::watch) says.
    #[must_use]
    pub fn watching(self, watch: Option<Patterns>) -> Self {
        Self { watch, ..self }
    }

    /// Keeps the last messages of these channels, in at most `limit` bytes over all of them, in memory: each life of the store is
    /// an epoch of its own.
    #[must_use]
    pub fn keeping(self, rules: Vec<ChannelRule<HistoryBound>>, limit: usize) -> Self {
        let history = parking_lot::Mutex::new(Rings::new(rules.clone(), limit, epoch()));
        Self { history, kept: rules, ..self }
    }

    fn keeps(&self, channel: &Channel) -> bool {
        ChannelRule::find(&self.kept, channel).is_some()
    }

    /// Hands a message to the broker, while the order is held, and to the history of its channel. Where it stands there.
    async fn deliver(&self, channel: &Channel, payload: Bytes) -> Option<HistoryPosition> {
        let kept = if self.keeps(channel) { self.keep(channel, &payload) } else { None };
        self.broker.counters().add_many(Count::HistoryAppended, kept.is_some().into());
        let (place, epoch) = kept.unzip();
        self.broker.deliver_at(channel, payload, place).await;
        let (Place { offset, .. }, epoch) = place.zip(epoch)?;
        Some(HistoryPosition { offset, epoch })
    }

    fn keep(&self, channel: &Channel, payload: &Bytes) -> Option<(Place, Word)> {
        let mut history = self.history.lock();
        let place = history.append(channel, payload, clock::timestamp(), clock::now())?;
        Some((place, history.epoch().clone()))
    }

    /// What of a hash decides about the pushes for a change of this key, if the hash is watched.
    fn watched(&self, hash: &Channel, key: &str) -> Option<Fields> {
        self.watch.as_ref().filter(|watch| watch.matches(hash.as_str()))?;
        let state = self.state.read();
        // A table may be large, and each of its keys is an object of its own.
        let concerns = |name: &str| match Layout::of(hash.as_str()) {
            Some(Layout::Object { .. }) => true,
            Some(Layout::Table { .. }) => name == key,
            None => false,
        };
        let entries = state.entries(hash).filter(|(name, _)| concerns(name));
        Some(entries.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    async fn push_changes(&self, hash: &Channel, key: &str, before: Option<Fields>) {
        let Some((before, after)) = before.zip(self.watched(hash, key)) else { return };
        watch::push(&self.broker, hash.as_str(), Before::Known(&before), &after).await;
    }

    /// Room on the way to disk for a change that is about to be made, if there is a disk.
    async fn room(&self, key: &str, value: usize) -> Result<Option<Room>, StoreError> {
        match &self.disk {
            Some(disk) => disk.journal.room(key, value).await.map(Some),
            None => Ok(None),
        }
    }

    fn record(
        &self,
        channel: &Channel,
        key: &str,
        value: Option<Bytes>,
        room: Option<Room>,
    ) -> Option<journal::Place> {
        let (disk, room) = self.disk.as_ref().zip(room)?;
        Some(disk.journal.record(channel, key, value, room))
    }

    async fn written(&self, place: Option<journal::Place>) -> Result<(), StoreError> {
        match self.disk.as_ref().zip(place) {
            Some((disk, place)) => disk.journal.written(place).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    fn description(&self) -> String {
        let Some(Disk { settings: DataSettings { folder, flush_interval, .. }, .. }) = &self.disk else {
            let lost = if self.kept.is_empty() { "state is" } else { "state and histories are" };
            return format!("embedded, in memory: {lost} lost when the server stops");
        };
        let folder = folder.display();
        let histories = if self.kept.is_empty() {
            ""
        } else {
            "; histories in memory: they are lost when the server stops"
        };
        match flush_interval.is_zero() {
            true => format!("embedded, kept in {folder} before publishers are answered{histories}"),
            false => format!("embedded, written to {folder} within {flush_interval:?}{histories}"),
        }
    }

    async fn value(&self, channel: &Channel, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.state.read().value(channel, key).cloned())
    }

    async fn values(&self, channel: &Channel) -> Result<Vec<Bytes>, StoreError> {
        // What is set is published before it can be read.
        let _in_order = self.order.lock().await;
        Ok(self.state.read().entries(channel).map(|(_, value)| value.clone()).collect())
    }

    fn channels(&self, most: usize) -> Vec<Channel> {
        self.state.read().channels().take(most).cloned().collect()
    }

    async fn publish(
        &self,
        channel: &Channel,
        payload: Bytes,
    ) -> Result<Option<HistoryPosition>, StoreError> {
        let _in_order = if self.keeps(channel) { Some(self.order.lock().await) } else { None };
        Ok(self.deliver(channel, payload).await)
    }

    async fn publish_all(&self, messages: Vec<(Channel, Bytes)>) -> Result<(), StoreError> {
        let is_kept = messages.iter().any(|(channel, _)| self.keeps(channel));
        let _in_order = if is_kept { Some(self.order.lock().await) } else { None };
        for (channel, payload) in messages {
            self.deliver(&channel, payload).await;
        }
        Ok(())
    }

    async fn history(&self, channel: &Channel, query: &HistoryQuery) -> Result<Option<History>, StoreError> {
        // What is in it is handed to the broker under the same lock.
        let _in_order = self.order.lock().await;
        Ok(self.history.lock().read(channel, query, clock::now()))
    }

    async fn put(
        &self,
        channel: &Channel,
        key: &str,
        value: Bytes,
    ) -> Result<Option<HistoryPosition>, StoreError> {
        // Waited for first: whoever reads state does not wait for a disk.
        let room = self.room(key, value.len()).await?;
        let in_order = self.order.lock().await;
        let before = self.watched(channel, key);
        self.state.write().set(channel, key, value.clone(), self.limit)?;
        let place = self.record(channel, key, Some(value.clone()), room);
        let position = self.deliver(channel, value).await;
        self.push_changes(channel, key, before).await;
        drop(in_order);
        self.written(place).await.map(|()| position)
    }

    async fn remove(&self, channel: &Channel, key: &str, notice: Bytes) -> Result<bool, StoreError> {
        let room = self.room(key, 0).await?;
        let in_order = self.order.lock().await;
        let before = self.watched(channel, key);
        let removed = self.state.write().remove(channel, key);
        if !removed {
            return Ok(false);
        }
        let place = self.record(channel, key, None, room);
        self.deliver(channel, notice).await;
        self.push_changes(channel, key, before).await;
        drop(in_order);
        self.written(place).await.map(|()| true)
    }

    fn subscribe(&self, _: &Channel) -> BoxFuture<'static, Result<(), StoreError>> {
        // Every message passes the broker anyway, which knows who listens.
        Box::pin(ready(Ok(())))
    }

    fn unsubscribe(&self, _: &Channel) {}

    async fn flush(&self) -> Result<(), StoreError> {
        match &self.disk {
            Some(disk) => disk.journal.flush().await,
            None => Ok(()),
        }
    }

    async fn health(&self) -> Result<(), StoreError> {
        match self.disk.as_ref().and_then(|disk| disk.journal.failure()) {
            Some(reason) => Err(StoreError::Unavailable(format!("state cannot be written: {reason}"))),
            None => Ok(()),
        }
    }

    fn vitals(&self) -> Vitals {
        Vitals {
            kind: "embedded",
            state_bytes: Some(self.state.read().bytes() as u64),
            history_bytes: Some(self.history.lock().bytes() as u64),
            ..Vitals::default()
        }
    }
}

/// A name that no other history has.
fn epoch() -> Word {
    format!("{:016x}", fastrand::u64(..)).parse().expect("digits are a word")
}

#[cfg(test)]
mod tests;
