//! One thread with its connections and its share of the hub. It shares nothing with the other workers, so fan-out
//! takes no lock.

mod gaps;
mod holds;
mod inspection;
mod laggards;
mod message;
mod recoveries;
mod round;
mod run;
mod survey;
mod topic;
mod tracks;
mod unconfirmed;
mod watchers;

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use geocast_hub::{Account, Fanout, Hub, SubscriberId, Tally};
use geocast_protocol::Channel;
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::Notify;

pub(crate) use inspection::Inspection;
pub(crate) use message::WorkerMessage;
pub(crate) use recoveries::Held;
pub(crate) use run::{inbox, spawn};
pub(crate) use survey::Survey;
pub(crate) use topic::Topic;
pub(crate) use tracks::Known;
pub(crate) use unconfirmed::log_unconfirmed;

use self::{holds::Holds, topic::TopicKind};
use crate::{
    Count, Happening, StoreError,
    broker::InFlight,
    clock,
    connection::Mailbox,
    interest::{Sight, Withheld},
    node::Node,
    tracking::TrackedChannel,
};

/// The state of a worker.
#[derive(Debug)]
pub(crate) struct Worker {
    index: usize,
    pub(crate) node: Arc<Node>,
    hub: RefCell<Hub<Topic, Sight, Mailbox>>,
    tracked: RefCell<FxHashMap<Channel, TrackedChannel>>,
    holds: RefCell<Holds>,
    /// Who is told who comes to a channel and goes.
    watchers: RefCell<FxHashMap<Channel, FxHashSet<SubscriberId>>>,
    /// Over which time connections are to be closed, once the server stops.
    drain: Cell<Option<Duration>>,
    /// Wakes the worker when its last connection has ended.
    emptied: Notify,
}

impl Worker {
    fn new(index: usize, node: Arc<Node>) -> Self {
        Self {
            index,
            node,
            hub: RefCell::new(Hub::new()),
            tracked: RefCell::default(),
            holds: RefCell::default(),
            watchers: RefCell::default(),
            drain: Cell::new(None),
            emptied: Notify::new(),
        }
    }

    /// Takes in a connection that speaks this dialect.
    pub(crate) fn connect(&self, mailbox: Mailbox, dialect: &str) -> SubscriberId {
        self.node.count(Count::Connected);
        self.node.dialects.begin(dialect);
        self.hub.borrow_mut().connect(mailbox)
    }

    pub(crate) fn disconnect(&self, id: SubscriberId, dialect: &str) {
        let gone = self.hub.borrow_mut().disconnect(id);
        let Some((mut mailbox, silent)) = gone else { return };
        self.settle(mailbox.take_tally());
        self.node.counters.add_many(Count::WithheldGone, mailbox.events());
        self.node.count(Count::Disconnected);
        self.node.dialects.end(dialect);
        self.gone(id);
        for Topic { channel, kind } in silent {
            match kind {
                TopicKind::State => self.forget(&channel),
                TopicKind::Messages => {
                    self.node.store.unsubscribe(&channel);
                    self.leave_if_silent(&channel);
                }
                TopicKind::Missed => {}
            }
        }
        if self.hub.borrow().is_empty() {
            self.emptied.notify_one();
        }
    }

    /// Works on a client's mailbox and writes what is in it as far as the socket takes it.
    pub(crate) fn with_mailbox<T>(
        &self,
        id: SubscriberId,
        work: impl FnOnce(&mut Mailbox) -> T,
    ) -> Option<T> {
        let mut hub = self.hub.borrow_mut();
        let mailbox = hub.sink(id)?;
        let outcome = work(mailbox);
        self.written(mailbox.flush(clock::now()));
        self.settle(mailbox.take_tally());
        Some(outcome)
    }

    /// Looks at a client's mailbox.
    pub(crate) fn look_into<T>(
        &self,
        id: SubscriberId,
        look: impl FnOnce(&Mailbox) -> Option<T>,
    ) -> Option<T> {
        self.hub.borrow_mut().sink(id).and_then(|mailbox| look(mailbox))
    }

    /// Subscribes, or replaces what an existing subscription wants. The future ends when the store has confirmed that the
    /// channel's messages arrive.
    pub(crate) fn subscribe(
        &self,
        id: SubscriberId,
        channel: &Channel,
        sight: Sight,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let first = self.hub.borrow_mut().subscribe(id, &Topic::messages(channel), sight);
        if !first {
            return self.confirmation(channel);
        }
        self.node.broker.join(self.index, channel);
        self.node.store.subscribe(channel)
    }

    /// Ends when the store has confirmed a subscription that somebody here has. Whoever comes second is to be told no more
    /// than the first.
    pub(crate) fn confirmation(&self, channel: &Channel) -> BoxFuture<'static, Result<(), StoreError>> {
        // The subscription that is already there keeps the store's count above zero.
        let confirmation = self.node.store.subscribe(channel);
        self.node.store.unsubscribe(channel);
        confirmation
    }

    pub(crate) fn unsubscribe(&self, id: SubscriberId, channel: &Channel) {
        self.hub.borrow_mut().unsubscribe(id, &Topic::missed(channel));
        let last = self.hub.borrow_mut().unsubscribe(id, &Topic::messages(channel));
        if last {
            self.node.store.unsubscribe(channel);
            self.leave_if_silent(channel);
        }
    }

    /// Gives a client's subscription a new sight.
    pub(crate) fn look(&self, id: SubscriberId, channel: &Channel, sight: Sight) {
        self.hub.borrow_mut().subscribe(id, &Topic::messages(channel), sight);
    }

    /// Keeps what is published on the channel from now on, for clients that read its state first and subscribe then: until
    /// [`unhold`](Self::unhold), and for a while after it. The mark says where "now" is; the future ends when the store's
    /// subscription is in force.
    pub(crate) fn hold(&self, channel: &Channel) -> (u64, BoxFuture<'static, Result<(), StoreError>>) {
        self.node.broker.join(self.index, channel);
        let confirmation = self.node.store.subscribe(channel);
        let mut holds = self.holds.borrow_mut();
        if !holds.begin(channel) {
            // The hold that is already there has a subscription of its own.
            self.node.store.unsubscribe(channel);
        }
        (holds.mark(), confirmation)
    }

    /// Says that the state has been read and sent: from here on the hold has an end, which is returned.
    pub(crate) fn unhold(&self, channel: &Channel) -> Instant {
        let until = clock::now() + self.node.settings.timeouts.hold;
        self.holds.borrow_mut().end(channel, until);
        until
    }

    /// Gives a subscriber what has been published on the channel since the mark, no faster than it is written.
    pub(crate) fn replay(&self, id: SubscriberId, channel: &Channel, mark: u64) {
        for event in self.holds.borrow().since(channel, mark) {
            let happening = Happening::from(Arc::clone(event));
            let topic = Topic::messages(channel);
            let fanout = self.hub.borrow_mut().replay(id, &topic, &happening);
            self.account(&topic, &fanout, Withheld::Slow);
            self.flush();
        }
    }

    /// Whether a client is subscribed to the messages of a channel.
    pub(crate) fn is_subscribed(&self, id: SubscriberId, channel: &Channel) -> bool {
        self.hub.borrow().is_subscribed(id, &Topic::messages(channel))
    }

    /// What has become of the events of a client's subscription.
    pub(crate) fn account_of(&self, id: SubscriberId, topic: &Topic) -> Option<Account<Withheld>> {
        self.hub.borrow().account(id, topic)
    }

    /// What has become of all events that a client's mailbox took, and how many of them it still has.
    pub(crate) fn sent(&self, id: SubscriberId) -> Option<(Tally, u64)> {
        // Whatever has left meanwhile is counted first.
        self.with_mailbox(id, |_mailbox| ())?;
        self.look_into(id, |mailbox| Some((mailbox.total(), mailbox.events())))
    }

    /// Ends the holds whose time is over, and forgets what is older than a hold lasts.
    fn release(&self, now: Instant) {
        let released = self.holds.borrow_mut().release(now, self.node.settings.timeouts.hold);
        for channel in released {
            self.node.store.unsubscribe(&channel);
            self.leave_if_silent(&channel);
        }
    }

    /// Publishes events of one channel, in their order.
    fn publish(&self, events: &[Arc<InFlight>]) {
        let Some(first) = events.first() else { return };
        let mut holds = self.holds.borrow_mut();
        let now = clock::now();
        let replaces_states = self.node.rules.limits.replaces_states();
        for in_flight in events {
            let dropped = holds.record(&in_flight.event, now);
            self.node.counters.add_many(Count::HoldDropped, dropped);
            if replaces_states {
                in_flight.event.identify();
            }
        }
        drop(holds);
        let channel = first.event.channel();
        let shared = events.iter().map(|in_flight| &in_flight.event);
        let topic = Topic::messages(channel);
        let fanout = self.hub.borrow_mut().publish(&topic, shared);
        self.account(&topic, &fanout, Withheld::Slow);
        if self.tracked.borrow().contains_key(channel) {
            events.iter().for_each(|in_flight| self.publish_to_trackers(&in_flight.event, now));
        }
    }

    /// Writes to all who have been pushed to.
    fn flush(&self) {
        let now = clock::now();
        let (mut tally, mut written) = (Tally::default(), 0);
        self.hub.borrow_mut().drain_dirty(|_, mailbox| {
            written += mailbox.flush(now);
            tally += mailbox.take_tally();
        });
        self.written(written);
        self.settle(tally);
    }

    /// Counts bytes that sockets have taken.
    pub(crate) fn written(&self, bytes: usize) {
        if bytes > 0 {
            self.node.counters.add_many(Count::BytesSent, bytes as u64);
        }
    }

    /// Counts events whose way has ended.
    fn settle(&self, tally: Tally) {
        let Tally { left, replaced, dropped } = tally;
        for (count, number) in
            [(Count::Delivered, left), (Count::WithheldReplaced, replaced), (Count::WithheldSlow, dropped)]
        {
            if number > 0 {
                self.node.counters.add_many(count, number);
            }
        }
    }

    /// Counts events that were kept from subscribers; `refused` is the reason for those that found no room. Those that were taken
    /// are counted when their way ends.
    fn account(&self, topic: &Topic, fanout: &Fanout<Withheld>, refused: Withheld) {
        let counters = &self.node.counters;
        if fanout.refused > 0 {
            counters.add_many(refused.into(), fanout.refused);
            let mut hub = self.hub.borrow_mut();
            fanout.refusing.iter().for_each(|(id, events)| hub.note_refused(*id, topic, refused, *events));
        }
        for (reason, number) in &fanout.withheld {
            counters.add_many((*reason).into(), *number);
        }
    }

    fn leave_if_silent(&self, channel: &Channel) {
        let hub = self.hub.borrow();
        if Topic::of(channel).iter().all(|topic| hub.audience(topic) == 0)
            && !self.holds.borrow().contains(channel)
        {
            self.node.broker.leave(self.index, channel);
        }
    }

    /// Asks all connections to close within the given time.
    fn drain(&self, spread: Duration) {
        self.drain.set(Some(spread));
        self.wake_all();
    }

    /// Has all connections look at what is asked of them.
    fn wake_all(&self) {
        let mut hub = self.hub.borrow_mut();
        let ids: Vec<SubscriberId> = hub.subscribers().collect();
        for id in ids {
            if let Some(mailbox) = hub.sink(id) {
                mailbox.wake();
            }
        }
    }

    /// Whether a stopping worker has nothing left to do, or no time left to do it.
    fn is_over(&self, deadline: Instant) -> bool {
        let connections = self.hub.borrow().len();
        if connections > 0 && deadline <= clock::now() {
            tracing::warn!(event = "drain_cut", connections, "cutting connections that did not close");
            return true;
        }
        connections == 0
    }

    /// Over which time connections are to be closed, if they are.
    pub(crate) fn draining(&self) -> Option<Duration> {
        self.drain.get()
    }
}
