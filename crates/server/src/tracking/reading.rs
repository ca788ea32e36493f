use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use geocast_protocol::Channel;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::ChannelRule;
use crate::{Broker, Event, Settings, Store, StoreError};

/// Reads of the state of tracked channels, for the workers of a node: one at a time for each channel, for all that asked
/// before it began.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    // Channels that are tracked, which are bounded with the subscriptions.
    under_way: Mutex<FxHashMap<Channel, Asking>>,
}

/// The workers that asked, by index.
#[derive(Debug, Default)]
struct Asking {
    /// For the read that is under way.
    now: Vec<usize>,
    /// While it was under way: theirs has to begin later.
    next: Vec<usize>,
}

/// The state of a channel, as it was read.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) channel: Channel,
    /// The values, or why there are none.
    pub(crate) values: Result<Arc<[Arc<Event>]>, Arc<StoreError>>,
    /// The room that the values take among all that has been read for clients.
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

/// What reading needs.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) room: Arc<Semaphore>,
}

impl Readings {
    /// Has the state of a channel read, from now on, and handed to a worker.
    pub(crate) fn ask(self: &Arc<Self>, reader: &Reader, channel: &Channel, worker: usize) {
        let mut under_way = self.under_way.lock();
        if let Some(asking) = under_way.get_mut(channel) {
            if !asking.next.contains(&worker) {
                asking.next.push(worker);
            }
            return;
        }
        under_way.insert(channel.clone(), Asking { now: vec![worker], next: Vec::new() });
        drop(under_way);
        let (readings, reader, channel) = (Arc::clone(self), reader.clone(), channel.clone());
        tokio::spawn(async move { readings.run(&reader, channel).await });
    }

    async fn run(&self, reader: &Reader, channel: Channel) {
        loop {
            let state = reader.read(&channel).await;
            let mut under_way = self.under_way.lock();
            let Some(asking) = under_way.get_mut(&channel) else { return };
            for worker in std::mem::take(&mut asking.now) {
                reader.broker.hand(worker, state.clone());
            }
            if asking.next.is_empty() {
                under_way.remove(&channel);
                return;
            }
            asking.now = std::mem::take(&mut asking.next);
        }
    }
}

impl Reader {
    async fn read(&self, channel: &Channel) -> State {
        let (values, permit) = match self.values(channel).await {
            Ok((values, permit)) => (Ok(values.into()), permit.map(Arc::new)),
            Err(error) => (Err(Arc::new(error)), None),
        };
        State { channel: channel.clone(), values, _permit: permit }
    }

    async fn values(
        &self,
        channel: &Channel,
    ) -> Result<(Vec<Arc<Event>>, Option<OwnedSemaphorePermit>), StoreError> {
        let values = self.store.values(channel).await?;
        // Whatever was published before the state was read has arrived when this returns, so that nothing older comes
        // behind it.
        self.store.settle().await;
        let bytes: usize = values.iter().map(Bytes::len).sum();
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX).min(LARGEST_SHARE);
        let permit = match timeout(PATIENCE, Arc::clone(&self.room).acquire_many_owned(permits)).await {
            Ok(permit) => permit.ok(),
            Err(_elapsed) => {
                let reason = format!("{bytes} bytes of {channel} wait for other state that is being read");
                return Err(StoreError::Unavailable(reason));
            }
        };
        let broker = Arc::clone(&self.broker);
        let property = ChannelRule::find(&self.settings.track_keys, channel).cloned();
        let channel = channel.clone();
        // Parsing a large state takes long enough to hold up everybody else on this thread.
        let parse = move || {
            let events = values.into_iter().map(|value| {
                let event = broker.read(channel.clone(), value, 0);
                event.tracked(property.as_deref());
                Arc::new(event)
            });
            events.collect()
        };
        let events = tokio::task::spawn_blocking(parse).await.expect("reading state does not panic");
        Ok((events, permit))
    }
}

/// The most that one state takes of the room for all.
const LARGEST_SHARE: u32 = 64 * 1024 * 1024;

/// How long a state waits for room.
const PATIENCE: Duration = Duration::from_secs(5);
