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
use crate::{Broker, Event, Settings, Store, StoreError, clock, runtime};

/// Reads of the state of tracked channels, for the workers of a node: one at a time for each channel, for all that asked
/// before it began.
#[derive(Debug, Default)]
pub(crate) struct Readings(Mutex<UnderWay>);

#[derive(Debug, Default)]
struct UnderWay {
    // Channels that are tracked, which are bounded with the subscriptions.
    channels: FxHashMap<Channel, Asking>,
    /// The last ticket that was given to somebody who asked.
    last: Ticket,
}

/// Says when somebody asked: later ones are greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

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
    /// The last ticket that was given before the read began.
    pub(crate) ticket: Ticket,
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
    /// Has the state of a channel read, from now on, and handed to a worker: the first that has this ticket or a later one.
    pub(crate) fn ask(self: &Arc<Self>, reader: &Reader, channel: &Channel, worker: usize) -> Ticket {
        let mut under_way = self.0.lock();
        let UnderWay { channels, last } = &mut *under_way;
        last.0 += 1;
        let ticket = *last;
        if let Some(asking) = channels.get_mut(channel) {
            if !asking.next.contains(&worker) {
                asking.next.push(worker);
            }
            return ticket;
        }
        channels.insert(channel.clone(), Asking { now: vec![worker], next: Vec::new() });
        drop(under_way);
        let (readings, reader, channel) = (Arc::clone(self), reader.clone(), channel.clone());
        tokio::spawn(async move { readings.run(&reader, channel, ticket).await });
        ticket
    }

    async fn run(&self, reader: &Reader, channel: Channel, mut ticket: Ticket) {
        loop {
            let state = reader.read(&channel, ticket).await;
            let mut under_way = self.0.lock();
            let UnderWay { channels, last } = &mut *under_way;
            let Some(asking) = channels.get_mut(&channel) else { return };
            for worker in std::mem::take(&mut asking.now) {
                reader.broker.hand(worker, state.clone());
            }
            if asking.next.is_empty() {
                channels.remove(&channel);
                return;
            }
            asking.now = std::mem::take(&mut asking.next);
            ticket = *last;
        }
    }
}

impl Reader {
    async fn read(&self, channel: &Channel, ticket: Ticket) -> State {
        let (values, permit) = match self.values(channel).await {
            Ok((values, permit)) => (Ok(values.into()), permit.map(Arc::new)),
            Err(error) => (Err(Arc::new(error)), None),
        };
        State { channel: channel.clone(), ticket, values, _permit: permit }
    }

    async fn values(
        &self,
        channel: &Channel,
    ) -> Result<(Vec<Arc<Event>>, Option<OwnedSemaphorePermit>), StoreError> {
        let begun = clock::now();
        let values = self.store.values(channel).await?;
        self.broker.counters().tallies.state_reads.observe(clock::now().saturating_duration_since(begun));
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
        let events = runtime::apart(parse).await.expect("reading state does not panic");
        Ok((events, permit))
    }
}

/// The most that one state takes of the room for all.
const LARGEST_SHARE: u32 = 64 * 1024 * 1024;

/// How long a state waits for room.
const PATIENCE: Duration = Duration::from_secs(5);
