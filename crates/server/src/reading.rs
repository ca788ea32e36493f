use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use geocast_protocol::Channel;
use thiserror::Error;
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit};

use crate::{
    Broker, ChannelRule, Event, Settings, Store, StoreError, clock, runtime, state_room::StateRoom,
    turns::Turns,
};

/// Reads of channels' state, for all clients and workers of a node: one at a time for each channel, for all that asked before it
/// began.
#[derive(Debug)]
pub(crate) struct Readings {
    reader: Arc<Reader>,
    /// For clients that ask once.
    shown: Arc<Turns<Channel, Outcome>>,
    /// For workers that mirror it. They wait for what was published before, which nobody else has to.
    tracked: Arc<Turns<Channel, Outcome>>,
    /// The last ticket that was given to a worker.
    last: AtomicU64,
}

/// What reading needs.
#[derive(Debug)]
struct Reader {
    store: Arc<dyn Store>,
    broker: Arc<Broker>,
    settings: Arc<Settings>,
    room: StateRoom,
}

/// Says when a worker asked: later ones are greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// What a worker is handed that has asked.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) channel: Channel,
    pub(crate) ticket: Ticket,
    pub(crate) outcome: Outcome,
}

/// What came of reading the state of a channel.
pub(crate) type Outcome = Result<Arc<Snapshot>, ReadError>;

/// Values of a channel, as they were read together.
#[derive(Debug)]
pub(crate) struct Snapshot {
    channel: Channel,
    values: Vec<Bytes>,
    bytes: usize,
    events: OnceLock<Box<[Arc<Event>]>>,
    /// The room that they take.
    _room: Option<OwnedSemaphorePermit>,
}

/// Why state could not be read: one reason for all who waited.
#[derive(Debug, Clone, Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Store(Arc<StoreError>),
    #[error("too much state is being read at this moment to read {bytes} bytes more; try again")]
    Busy { bytes: usize },
}

impl Readings {
    /// Reads on this runtime, whoever asks.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        broker: Arc<Broker>,
        settings: Arc<Settings>,
        runtime: &Handle,
    ) -> Self {
        Self {
            reader: Arc::new(Reader { store, broker, settings, room: StateRoom::new() }),
            shown: Turns::new(runtime.clone()),
            tracked: Turns::new(runtime.clone()),
            last: AtomicU64::new(0),
        }
    }

    /// The state of a channel, by a read that begins from now on.
    pub(crate) async fn all(&self, channel: &Channel) -> Outcome {
        let (reader, name) = (Arc::clone(&self.reader), channel.clone());
        let read = move || Arc::clone(&reader).read(name.clone());
        self.shown.ask(channel, read).await.unwrap_or_else(|_given_up| Err(ReadError::given_up()))
    }

    /// One value of it, for this client alone.
    pub(crate) async fn one(&self, channel: &Channel, key: &str) -> Outcome {
        let reader = &self.reader;
        let value = reader.timed(reader.store.value(channel, key)).await?;
        Ok(Arc::new(Snapshot::new(channel, value.into_iter().collect())))
    }

    /// The state of a tracked channel, by a read that begins from now on, and the ticket that it will bear.
    pub(crate) fn track(&self, channel: &Channel) -> (Ticket, impl Future<Output = State> + use<>) {
        let ticket = Ticket(self.last.fetch_add(1, Ordering::Relaxed) + 1);
        let (reader, name) = (Arc::clone(&self.reader), channel.clone());
        let read = move || Arc::clone(&reader).read_settled(name.clone());
        let (told, channel) = (self.tracked.ask(channel, read), channel.clone());
        let state = async move {
            let outcome = told.await.unwrap_or_else(|_given_up| Err(ReadError::given_up()));
            State { channel, ticket, outcome }
        };
        (ticket, state)
    }
}

impl Reader {
    async fn read(self: Arc<Self>, channel: Channel) -> Outcome {
        let values = self.timed(self.store.values(&channel)).await?;
        let snapshot = self.snapshot(&channel, values).await?;
        if !snapshot.is_small() {
            self.parse(&snapshot, |_event| ()).await;
        }
        Ok(snapshot)
    }

    async fn read_settled(self: Arc<Self>, channel: Channel) -> Outcome {
        let values = self.timed(self.store.values(&channel)).await?;
        // Whatever was published before the state was read has arrived when this returns, so that nothing older comes
        // behind it.
        self.store.settle().await;
        let snapshot = self.snapshot(&channel, values).await?;
        let property = ChannelRule::find(&self.settings.track_keys, &channel).cloned();
        let identify = move |event: &Event| {
            event.tracked(property.as_deref());
        };
        self.parse(&snapshot, identify).await;
        Ok(snapshot)
    }

    async fn timed<T>(&self, read: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let begun = clock::now();
        let read = read.await?;
        self.broker.counters().tallies.state_reads.observe(clock::now().saturating_duration_since(begun));
        Ok(read)
    }

    async fn snapshot(&self, channel: &Channel, values: Vec<Bytes>) -> Outcome {
        let snapshot = Snapshot::new(channel, values);
        if snapshot.is_small() {
            return Ok(Arc::new(snapshot));
        }
        let busy = ReadError::Busy { bytes: snapshot.bytes };
        let room = self.room.take(snapshot.cost()).await.ok_or(busy)?;
        Ok(Arc::new(Snapshot { _room: Some(room), ..snapshot }))
    }

    /// Makes events of a state that takes long enough to hold up everybody else on this thread.
    async fn parse(&self, snapshot: &Arc<Snapshot>, prepare: impl Fn(&Event) + Send + 'static) {
        let (broker, snapshot) = (Arc::clone(&self.broker), Arc::clone(snapshot));
        let parse = move || snapshot.events(&broker).iter().for_each(|event| prepare(event));
        runtime::apart(parse).await.expect("reading state does not panic");
    }
}

impl Snapshot {
    fn new(channel: &Channel, values: Vec<Bytes>) -> Self {
        let bytes = values.iter().map(Bytes::len).sum();
        Self { channel: channel.clone(), values, bytes, events: OnceLock::new(), _room: None }
    }

    /// Bytes of its values.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it takes no longer to work on all of it than to ask another thread.
    pub(crate) fn is_small(&self) -> bool {
        self.bytes <= SMALL
    }

    /// The values, each with what was found out about it for whoever asked before. The first who wants a small one reads it: reads of many
    /// channels are under way on one thread, and those who ask are on many.
    pub(crate) fn events(&self, broker: &Broker) -> &[Arc<Event>] {
        let event = |value: &Bytes| Arc::new(broker.read(self.channel.clone(), value.clone(), 0));
        self.events.get_or_init(|| self.values.iter().map(event).collect())
    }

    fn cost(&self) -> usize {
        self.bytes + self.values.len() * size_of::<Event>()
    }
}

impl ReadError {
    fn given_up() -> Self {
        StoreError::Unavailable("reading was given up".to_owned()).into()
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Bytes of state that are worked on without asking another thread.
const SMALL: usize = 32 * 1024;
