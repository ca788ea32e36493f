//! Tracked subscriptions of a worker's clients.

use std::{
    cell::Cell,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, LocalBoxFuture};
use geocast_hub::SubscriberId;
use geocast_protocol::{Channel, LeaveReason};
use tokio::sync::Notify;

use super::{Topic, Worker, log_unconfirmed};
use crate::{
    Count, Event, Happening, StoreError, clock,
    happening::{After, Turn},
    interest::{Sight, Withheld},
    log_limit::LogLimit,
    reading::{State, Ticket},
    tracking::{Bound, ChannelRule, TrackedChannel, pan},
};

/// Whether the state of a channel is known.
#[derive(Debug, Default)]
pub(crate) struct Known {
    is_known: Cell<bool>,
    changed: Notify,
}

impl Worker {
    /// Begins to track a channel for a client, which is sent nothing before [`begin`](Self::begin). The future ends when the
    /// state is known.
    pub(crate) fn track(
        self: &Rc<Self>,
        id: SubscriberId,
        channel: &Channel,
        sight: Sight,
    ) -> LocalBoxFuture<'static, ()> {
        let topic = Topic::state(channel);
        self.hub.borrow_mut().subscribe(id, &topic, sight.behind());
        let mut tracked = self.tracked.borrow_mut();
        let is_new = !tracked.contains_key(channel);
        let entry = tracked.entry(channel.clone()).or_default();
        entry.behind.insert(id, entry.newcomer(sight));
        let known = Rc::clone(&entry.known);
        drop(tracked);
        if is_new {
            self.node.broker.join(self.index, channel);
            let confirmation = self.node.store.subscribe(channel);
            self.read_when(channel, confirmation);
        }
        Box::pin(async move { known.wait().await })
    }

    /// Ends when the state of a channel that a client tracks is known.
    pub(crate) fn known(&self, channel: &Channel) -> LocalBoxFuture<'static, ()> {
        let known = self.tracked.borrow().get(channel).map(|entry| Rc::clone(&entry.known));
        Box::pin(async move {
            if let Some(known) = known {
                known.wait().await;
            }
        })
    }

    /// Ends the tracking of a channel for a client.
    pub(crate) fn untrack(&self, id: SubscriberId, channel: &Channel) {
        let last = self.hub.borrow_mut().unsubscribe(id, &Topic::state(channel));
        if let Some(entry) = self.tracked.borrow_mut().get_mut(channel) {
            entry.behind.remove(&id);
        }
        if last {
            self.forget(channel);
        }
    }

    /// A client whose state subscription has ended otherwise.
    pub(super) fn gone(&self, id: SubscriberId) {
        for entry in self.tracked.borrow_mut().values_mut() {
            entry.behind.remove(&id);
        }
    }

    /// Nobody tracks the channel any more.
    pub(super) fn forget(&self, channel: &Channel) {
        self.tracked.borrow_mut().remove(channel);
        self.node.store.unsubscribe(channel);
        self.leave_if_silent(channel);
    }

    /// Sends a client from now on what it tracks.
    pub(crate) fn begin(&self, id: SubscriberId, channel: &Channel) {
        if let Some(entry) = self.tracked.borrow_mut().get_mut(channel)
            && let Some(behind) = entry.behind.get_mut(&id)
        {
            behind.is_ready = true;
        }
    }

    /// Gives a client's tracked subscription a new sight. It is sent the difference.
    pub(crate) fn look_elsewhere(&self, id: SubscriberId, channel: &Channel, sight: Sight) {
        let is_done =
            self.tracked.borrow().get(channel).is_none_or(|entry| self.pan(id, channel, entry, &sight));
        if !is_done {
            self.look_later(id, channel, sight);
        }
    }

    /// Gives a client's tracked subscription a new sight. It is sent the difference when it [catches up](Self::catch_up).
    pub(crate) fn look_later(&self, id: SubscriberId, channel: &Channel, sight: Sight) {
        let mut tracked = self.tracked.borrow_mut();
        let Some(entry) = tracked.get_mut(channel) else { return };
        if self.fall_behind(id, channel, entry)
            && let Some(behind) = entry.behind.get_mut(&id)
        {
            behind.look(sight);
        }
    }

    /// Sends a client that is up to date what differs in another sight, if that is easily found and there is room for it.
    fn pan(&self, id: SubscriberId, channel: &Channel, entry: &TrackedChannel, sight: &Sight) -> bool {
        if entry.behind.contains_key(&id) {
            return false;
        }
        let topic = Topic::state(channel);
        let Some(before) = self.hub.borrow().interest(id, &topic).cloned() else { return false };
        let Some(room) = self.look_into(id, |mailbox| mailbox.room()) else { return false };
        let Some(frames) = pan(channel, &entry.mirror, &before, sight, room) else { return false };
        self.hub.borrow_mut().subscribe(id, &topic, sight.clone());
        if !frames.is_empty() {
            self.with_mailbox(id, |mailbox| mailbox.answer(&frames));
        }
        true
    }

    /// Takes up the state of a channel as it was read.
    pub(super) fn take_state(self: &Rc<Self>, state: &State) {
        let channel = &state.channel;
        let mut tracked = self.tracked.borrow_mut();
        let Some(entry) = tracked.get_mut(channel) else { return };
        if !entry.awaited.takes(state.ticket) {
            return;
        }
        let snapshot = match &state.outcome {
            Ok(snapshot) => snapshot,
            Err(error) => {
                if let Some(unlogged) = UNREAD.admit() {
                    tracing::warn!(event = "track_read_failed", %channel, %error, unlogged, "the state of a tracked channel could not be read yet");
                }
                self.node.count(Count::StoreFailed);
                entry.mirror.give_up_reading();
                return self.read_later(channel, entry.awaited.fail());
            }
        };
        entry.awaited.succeed();
        // What changes now, everybody is told as a difference.
        self.all_fall_behind(channel, entry);
        let events = snapshot.events(&self.node.broker).iter();
        let keyed = events.filter_map(|event| Some((event, event.tracked(None)?)));
        let bound = self.bound();
        let surplus = entry.mirror.absorb(keyed, bound, clock::now());
        if surplus > 0 {
            tracing::warn!(event = "track_overflow", %channel, surplus, ?bound, "a tracked channel has more state than is allowed");
        }
        entry.known.set();
        let mut hub = self.hub.borrow_mut();
        for id in entry.behind.keys() {
            hub.sink(*id).into_iter().for_each(|mailbox| mailbox.wake());
        }
    }

    /// Publishes an event to those who track its channel.
    pub(super) fn publish_to_trackers(&self, event: &Arc<Event>, now: Instant) {
        let mut tracked = self.tracked.borrow_mut();
        let Some(entry) = tracked.get_mut(event.channel()) else { return };
        let property = ChannelRule::find(&self.node.settings.track_keys, event.channel());
        let Some(keyed) = event.tracked(property.map(|property| &**property)) else {
            return self.publish_change(entry, &Happening::from(Arc::clone(event)));
        };
        entry.expired.remove(&keyed.key);
        if !keyed.is_deleted && !entry.mirror.has_room(event, keyed, self.bound()) {
            // A key whose newer state has no room is no longer where it was.
            let before = entry.mirror.get(&keyed.key).map(|known| Arc::clone(&known.event));
            let after = if before.is_some() { After::Gone(LeaveReason::Deleted) } else { After::Untracked };
            self.publish_change(entry, &Happening::of_key(Arc::clone(event), Turn { before, after }));
            return entry.mirror.lose(&keyed.key);
        }
        let turn = entry.mirror.turn(event, keyed);
        self.publish_change(entry, &Happening::of_key(Arc::clone(event), turn));
        entry.mirror.apply(event, keyed, now);
    }

    /// Lets keys leave that were not heard of for too long.
    pub(super) fn expire(&self, now: Instant) {
        let rules = &self.node.settings.stale_after;
        if rules.is_empty() {
            return;
        }
        let most_unwritten = self.node.rules.limits.most_unwritten();
        for (channel, entry) in self.tracked.borrow_mut().iter_mut() {
            let Some(age) = ChannelRule::find(rules, channel) else { continue };
            let mut unwritten = 0;
            for _ in 0..MOST_EXPIRED {
                let Some(expired) = entry.mirror.expired(*age, now) else { break };
                let (event, key) = (Arc::clone(&expired.event), expired.key.clone());
                let turn =
                    Turn { before: Some(Arc::clone(&event)), after: After::Gone(LeaveReason::Expired) };
                self.publish_change(entry, &Happening::of_key(event, turn));
                entry.mirror.remove(&key);
                entry.expire(key);
                unwritten += LEAVE;
                if unwritten >= most_unwritten {
                    self.flush();
                    unwritten = 0;
                }
            }
        }
    }

    pub(super) fn bound(&self) -> Bound {
        let limits = &self.node.settings.limits;
        Bound { keys: limits.tracked_keys, bytes: limits.tracked_bytes }
    }

    /// Publishes a change that the mirror does not have yet. Who has no room for it falls behind.
    fn publish_change(&self, entry: &mut TrackedChannel, happening: &Happening) {
        let channel = happening.channel();
        let topic = Topic::state(channel);
        let fanout = self.hub.borrow_mut().publish(&topic, [happening]);
        if happening.turn().is_none() {
            return self.account(&topic, &fanout, Withheld::Slow);
        }
        // They will be sent a newer state in its place.
        self.account(&topic, &fanout, Withheld::Replaced);
        for (id, _) in fanout.refusing {
            self.fall_behind(id, channel, entry);
            let mut hub = self.hub.borrow_mut();
            hub.sink(id).into_iter().for_each(|mailbox| mailbox.wake());
        }
    }

    /// Has the state of a channel read when its subscription is in force.
    fn read_when(
        self: &Rc<Self>,
        channel: &Channel,
        mut confirmation: BoxFuture<'static, Result<(), StoreError>>,
    ) {
        let (worker, channel) = (Rc::downgrade(self), channel.clone());
        tokio::task::spawn_local(async move {
            loop {
                let confirmed = confirmation.await;
                let Some(worker) = worker.upgrade() else { return };
                if !worker.tracked.borrow().contains_key(&channel) {
                    return;
                }
                match confirmed {
                    Ok(()) => return worker.read(&channel),
                    Err(error) => log_unconfirmed(&channel, &error),
                }
                confirmation = worker.node.store.subscribe(&channel);
                // The first subscription goes on; this one only asks again.
                worker.node.store.unsubscribe(&channel);
                drop(worker);
                tokio::time::sleep(AGAIN).await;
            }
        });
    }

    /// Has the state of a tracked channel read.
    pub(super) fn read(&self, channel: &Channel) {
        if let Some(entry) = self.tracked.borrow_mut().get_mut(channel) {
            entry.mirror.begin_reading();
            let (ticket, state) = self.node.readings.track(channel);
            entry.awaited.ask(ticket);
            let (broker, worker) = (Arc::clone(&self.node.broker), self.index);
            tokio::task::spawn_local(async move { broker.hand(worker, state.await) });
        }
    }

    /// Reads the state of a channel after some time, unless somebody has had it read meanwhile.
    fn read_later(self: &Rc<Self>, channel: &Channel, (wait, ticket): (Duration, Ticket)) {
        let (worker, channel) = (Rc::downgrade(self), channel.clone());
        tokio::task::spawn_local(async move {
            tokio::time::sleep(wait).await;
            let Some(worker) = worker.upgrade() else { return };
            let is_last =
                worker.tracked.borrow().get(&channel).is_some_and(|entry| entry.awaited.is_last(ticket));
            if is_last {
                worker.read(&channel);
            }
        });
    }
}

impl Known {
    pub(super) fn is_known(&self) -> bool {
        self.is_known.get()
    }

    async fn wait(&self) {
        while !self.is_known.get() {
            self.changed.notified().await;
        }
    }

    fn set(&self) {
        self.is_known.set(true);
        self.changed.notify_waiters();
    }
}

/// Keys of a channel that expire in one go; others have their turn later.
const MOST_EXPIRED: usize = 10_000;

/// Bytes that a leave takes in an outbox, roughly.
const LEAVE: usize = 256;

/// How long to wait before a store is asked again for a subscription that is not in force.
const AGAIN: Duration = Duration::from_millis(500);

/// Clients choose the channels, and the store may have something else under these names.
static UNREAD: LogLimit = LogLimit::new();
