mod routes;

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use bytes::Bytes;
use geocast_protocol::Channel;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc::UnboundedSender, oneshot};

use self::routes::Routes;
use crate::{
    Count, Counters, Event, Happening, Place, clock,
    intake::Intake,
    operator::Question,
    reading::State,
    sync,
    worker::{Inspection, Survey, WorkerMessage},
};

/// Takes messages from a store and hands each, as one shared [`Event`], to the workers that listen to its channel.
#[derive(Debug)]
pub struct Broker {
    workers: OnceLock<Vec<UnboundedSender<WorkerMessage>>>,
    /// Held while messages leave for the workers, so that all of them have those of several publishers in the same order.
    leaving: Mutex<()>,
    routes: Routes,
    /// The queues to the workers have no bound of their own: what is in them is bounded here, in bytes.
    in_flight: Arc<Semaphore>,
    in_flight_limit: u32,
    intake: Intake,
    counters: Arc<Counters>,
}

/// An event on its way to the workers.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) event: Happening,
    _hold: Hold,
}

/// What an event in flight takes of what may be.
#[derive(Debug)]
enum Hold {
    /// Its size.
    Permit { _permit: OwnedSemaphorePermit },
    /// What the event takes that it was made of.
    Cause { _cause: Arc<InFlight> },
}

impl Broker {
    /// The largest number of workers.
    pub const MAX_WORKERS: usize = u64::BITS as usize;

    pub(crate) fn new(intake: Intake, in_flight: usize, counters: Arc<Counters>) -> Self {
        let in_flight_limit = u32::try_from(in_flight.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self {
            workers: OnceLock::new(),
            leaving: Mutex::new(()),
            routes: Routes::new(),
            in_flight: Arc::new(Semaphore::new(in_flight_limit as usize)),
            in_flight_limit,
            intake,
            counters,
        }
    }

    /// Names the workers, once; before that, messages reach nobody.
    pub(crate) fn attach(&self, workers: Vec<UnboundedSender<WorkerMessage>>) {
        // A second call would be a fault of this crate and changes nothing.
        let _already_attached: Result<(), _> = self.workers.set(workers);
    }

    /// From here on, the worker gets the channel's messages.
    pub(crate) fn join(&self, worker: usize, channel: &Channel) {
        self.routes.join(worker, channel);
    }

    /// From here on, the worker does not get the channel's messages.
    pub(crate) fn leave(&self, worker: usize, channel: &Channel) {
        self.routes.leave(worker, channel);
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Hands a message to all workers that listen to the channel. Waits while too many bytes are in flight.
    pub async fn deliver(&self, channel: &Channel, payload: Bytes) {
        self.deliver_at(channel, payload, None).await;
    }

    /// The same for a message that has a place in the history of its channel.
    pub async fn deliver_at(&self, channel: &Channel, payload: Bytes, place: Option<Place>) {
        self.parcel().add_at(channel, payload, place).await;
    }

    /// Messages that are handed to the workers together, which wakes each worker once.
    pub fn parcel(&self) -> Parcel<'_> {
        Parcel { broker: self, packed: Vec::new(), bytes: 0, since: None }
    }

    /// Hands a message that was made of another one to the workers of this node, without waiting: the other one stays in
    /// flight as long as this one.
    pub(crate) fn forward(&self, cause: &Arc<InFlight>, channel: &Channel, payload: Bytes) {
        self.count(channel, None);
        if self.routes.of(channel) == 0 {
            self.counters.add(Count::EventsUnheard);
            return;
        }
        let number = self.routes.number();
        let event = Arc::new(self.read(channel.clone(), payload, number)).into();
        self.parcel().pack(InFlight { event, _hold: Hold::Cause { _cause: Arc::clone(cause) } });
    }

    /// Tells when a worker has dealt with all events that it has been handed.
    pub(crate) fn passed(&self, worker: usize) -> oneshot::Receiver<()> {
        let (passed, told) = oneshot::channel();
        if let Some(worker) = self.workers.get().and_then(|workers| workers.get(worker)) {
            let _ended: Result<(), _> = worker.send(WorkerMessage::Passed(passed));
        }
        told
    }

    /// Hands the state of a channel to a worker, behind all events that it has been handed.
    pub(crate) fn hand(&self, worker: usize, state: State) {
        if let Some(worker) = self.workers.get().and_then(|workers| workers.get(worker)) {
            // A worker that has ended has no subscribers left.
            let _ended: Result<(), _> = worker.send(WorkerMessage::State(state));
        }
    }

    /// Says that messages were missed, on any channel, and that none are from now on.
    pub(crate) fn missed(&self) {
        for worker in self.workers.get().into_iter().flatten() {
            let _ended: Result<(), _> = worker.send(WorkerMessage::Missed);
        }
    }

    /// Says that messages were missed on these channels, and that none are from now on.
    pub(crate) fn missed_on(&self, channels: &[Channel]) {
        for (number, worker) in self.workers.get().into_iter().flatten().enumerate() {
            let listens = |channel: &&Channel| self.routes.of(channel) & 1 << number != 0;
            let channels: Vec<Channel> = channels.iter().filter(listens).cloned().collect();
            if !channels.is_empty() {
                let _ended: Result<(), _> = worker.send(WorkerMessage::MissedOn(channels));
            }
        }
    }

    /// Hands a notification of who comes to a channel and goes to all workers.
    pub(crate) fn tell_watchers(&self, channel: &Channel, notification: &Bytes) {
        for worker in self.workers.get().into_iter().flatten() {
            let told = WorkerMessage::Presence(channel.clone(), notification.clone());
            let _ended: Result<(), _> = worker.send(told);
        }
    }

    /// Makes an event of something that was published, or is state.
    pub(crate) fn read(&self, channel: Channel, published: Bytes, number: u64) -> Event {
        self.intake.event(channel, published, number)
    }

    /// Asks so many workers how they are. Those that have ended do not answer.
    pub(crate) fn survey(&self, workers: usize) -> Vec<oneshot::Receiver<Survey>> {
        let ask = |worker: &UnboundedSender<WorkerMessage>| {
            let (asked, answer) = oneshot::channel();
            let _ended: Result<(), _> = worker.send(WorkerMessage::Survey(asked));
            answer
        };
        self.workers.get().into_iter().flatten().take(workers).map(ask).collect()
    }

    /// Asks each of the first `workers` what it holds.
    pub(crate) fn inspect(&self, workers: usize, question: Question) -> Vec<oneshot::Receiver<Inspection>> {
        let ask = |worker: &UnboundedSender<WorkerMessage>| {
            let (asked, answer) = oneshot::channel();
            let _ended: Result<(), _> = worker.send(WorkerMessage::Inspect(question, asked));
            answer
        };
        self.workers.get().into_iter().flatten().take(workers).map(ask).collect()
    }

    /// Bytes of messages on their way to the workers, and how many there may be.
    pub(crate) fn in_flight(&self) -> (usize, usize) {
        let limit = self.in_flight_limit as usize;
        (limit.saturating_sub(self.in_flight.available_permits()), limit)
    }

    /// Channels that somebody listens to.
    pub(crate) fn channels(&self) -> usize {
        self.routes.len()
    }

    /// Counts a message by what it is.
    fn count(&self, channel: &Channel, place: Option<&Place>) {
        self.counters.add(Count::Events);
        if place.is_some() {
            self.counters.add(Count::EventsKept);
        } else if channel.is_internal() {
            self.counters.add(Count::EventsInternal);
        }
    }
}

/// Messages on their way from a store, which leave together: when there are many, when there is no room for one more, and
/// when this is dropped.
#[derive(Debug)]
pub struct Parcel<'a> {
    broker: &'a Broker,
    /// For each worker, by its index.
    packed: Vec<Vec<Arc<InFlight>>>,
    bytes: usize,
    /// When the first of them came.
    since: Option<Instant>,
}

impl Parcel<'_> {
    /// Adds a message for all workers that listen to the channel. Waits while too many bytes are in flight.
    pub async fn add(&mut self, channel: &Channel, payload: Bytes) {
        self.add_at(channel, payload, None).await;
    }

    /// The same for a message that has a place in the history of its channel.
    pub async fn add_at(&mut self, channel: &Channel, payload: Bytes, place: Option<Place>) {
        let Broker { counters, in_flight, in_flight_limit, routes, .. } = self.broker;
        self.broker.count(channel, place.as_ref());
        if routes.of(channel) == 0 {
            counters.add(Count::EventsUnheard);
            return;
        }
        // Before what is waited for.
        let since = *self.since.get_or_insert_with(clock::now);
        let size = payload.len() + OVERHEAD;
        let cost = u32::try_from(size).unwrap_or(u32::MAX).min(*in_flight_limit);
        let permit = if let Ok(permit) = Arc::clone(in_flight).try_acquire_many_owned(cost) {
            permit
        } else {
            // What is packed takes room that only its leaving frees.
            self.send();
            self.since = Some(since);
            let Ok(permit) = Arc::clone(in_flight).acquire_many_owned(cost).await else { return };
            permit
        };
        let number = routes.number();
        let event = Arc::new(self.broker.read(channel.clone(), payload, number).at(place)).into();
        self.pack(InFlight { event, _hold: Hold::Permit { _permit: permit } });
        self.bytes += size;
        if self.bytes >= LARGEST_PARCEL {
            self.send();
        }
    }

    fn pack(&mut self, event: InFlight) {
        let mut route = self.broker.routes.of(event.event.channel());
        let event = Arc::new(event);
        while route != 0 {
            let worker = route.trailing_zeros() as usize;
            route &= route - 1;
            if self.packed.len() <= worker {
                self.packed.resize_with(worker + 1, Vec::new);
            }
            self.packed[worker].push(Arc::clone(&event));
        }
    }

    /// Lets go of what is packed.
    pub(crate) fn send(&mut self) {
        self.bytes = 0;
        let since = self.since.take();
        let workers = self.broker.workers.get().map(Vec::as_slice).unwrap_or_default();
        let _in_order = self.broker.leaving.lock();
        for (worker, events) in workers.iter().zip(&mut self.packed) {
            if !events.is_empty() {
                // A worker that has ended has no subscribers left.
                let since = since.unwrap_or_else(clock::now);
                let events = std::mem::take(events);
                let _ended: Result<(), _> = worker.send(WorkerMessage::Events { events, since });
            }
        }
    }
}

impl Drop for Parcel<'_> {
    fn drop(&mut self) {
        self.send();
    }
}

/// Bytes from which on a parcel leaves, so that workers have something to do while the next one is packed.
const LARGEST_PARCEL: usize = 64 * 1024;

/// Bytes that an event costs besides its payload, roughly.
const OVERHEAD: usize = 512;

#[cfg(test)]
mod tests;
