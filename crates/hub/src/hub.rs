use std::{borrow::Borrow, fmt::Debug, hash::Hash};

use rustc_hash::FxHashMap;

use crate::{
    Account, Fanout, Interest, Sink, SubscriberId, Traffic,
    audience::{Audience, Membership},
    delivery::Delivery,
    ledger::Reading,
    subscribers::{Joined, Subscribers},
};

/// Channels and their subscribers, on one thread.
///
/// A hub never blocks, never awaits and takes no lock: several threads own a hub each, and an event is published to
/// every one of them.
#[derive(Debug)]
pub struct Hub<C, I: Interest, S> {
    channels: FxHashMap<C, Audience<I>>,
    subscribers: Subscribers<C, I, S>,
}

impl<C, I, S> Hub<C, I, S>
where
    C: Clone + Debug + Eq + Hash,
    I: Interest,
    S: Sink<I::Rendering>,
{
    /// A hub without channels or subscribers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a subscriber that hears nothing yet.
    pub fn connect(&mut self, sink: S) -> SubscriberId {
        self.subscribers.insert(sink)
    }

    /// Removes a subscriber with all its subscriptions and returns its sink and the channels that nobody is subscribed
    /// to any more. `None` if it is not connected.
    pub fn disconnect(&mut self, id: SubscriberId) -> Option<(S, Vec<C>)> {
        let subscriber = self.subscribers.remove(id)?;
        let mut silent = Vec::new();
        for (channel, joined) in subscriber.subscriptions {
            if self.leave(&channel, joined.membership) {
                silent.push(channel);
            }
        }
        Some((subscriber.sink, silent))
    }

    /// Subscribes to a channel, or replaces the interest of an existing subscription. True if the channel had no
    /// subscriber before. A subscriber that is not connected changes nothing.
    pub fn subscribe(&mut self, id: SubscriberId, channel: &C, interest: I) -> bool {
        let Some(subscriber) = self.subscribers.get_mut(id) else { return false };
        let first = !self.channels.contains_key(channel);
        let audience = self.channels.entry(channel.clone()).or_default();
        let (mut past, mut moved) = (Reading::default(), None);
        if let Some(Joined { membership, correction }) = subscriber.leave(channel) {
            past = correction.plus(&audience.read(membership.cohort));
            moved = audience.leave(membership);
        }
        let membership = audience.join(id, interest);
        let correction = past.minus(&audience.read(membership.cohort));
        subscriber.join(channel.clone(), Joined { membership, correction });
        if let Some((other, membership)) = moved {
            self.move_to(other, channel, membership);
        }
        first
    }

    /// Ends a subscription. True if it existed and was the channel's last one.
    pub fn unsubscribe<Q>(&mut self, id: SubscriberId, channel: &Q) -> bool
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let subscriber = self.subscribers.get_mut(id);
        let joined = subscriber.and_then(|subscriber| subscriber.leave(channel));
        joined.is_some_and(|joined| self.leave(channel, joined.membership))
    }

    /// Gives events to all who want them, in their order. A subscriber whose sink was pushed to becomes dirty.
    ///
    /// Several events at once are cheaper than one after the other: who gets the same ones shares one copy of them.
    pub fn publish<'e, Q>(
        &mut self,
        channel: &Q,
        events: impl IntoIterator<Item = &'e I::Event>,
    ) -> Fanout<I::Withheld>
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        I::Event: 'e,
    {
        let Some(audience) = self.channels.get(channel) else { return Fanout::default() };
        Delivery::new(&mut self.subscribers).publish(audience, events)
    }

    /// Notes in a subscriber's [account](Self::account) that its sink [refused](Fanout::refusing) so many events that it had been
    /// granted, and what that is called.
    pub fn note_refused<Q>(&mut self, id: SubscriberId, channel: &Q, reason: I::Withheld, events: u64)
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let subscriber = self.subscribers.get_mut(id);
        if let Some(joined) = subscriber.and_then(|subscriber| subscriber.joined_mut(channel)) {
            joined.correction.withdraw(reason, events);
            if let Some(audience) = self.channels.get_mut(channel) {
                audience.withdraw(events);
            }
        }
    }

    /// Gives the event to one subscriber of the channel only, as if it had been published to nobody else.
    pub fn replay<Q>(&mut self, id: SubscriberId, channel: &Q, event: &I::Event) -> Fanout<I::Withheld>
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let joined = self.subscribers.get(id).and_then(|subscriber| subscriber.joined(channel));
        let cohort = joined.and_then(|joined| self.channels.get(channel)?.cohort(joined.membership.cohort));
        let Some(cohort) = cohort else { return Fanout::default() };
        let fanout = Delivery::new(&mut self.subscribers).replay(cohort, id, event);
        let subscriber = self.subscribers.get_mut(id);
        if let Some(joined) = subscriber.and_then(|subscriber| subscriber.joined_mut(channel)) {
            joined.correction.add(&fanout);
        }
        if let Some(audience) = self.channels.get_mut(channel) {
            audience.grant_apart(fanout.taken + fanout.refused);
        }
        fanout
    }

    /// Calls `work` with the sink of each subscriber that has been pushed to since the last call, in the order of their
    /// first push.
    pub fn drain_dirty(&mut self, work: impl FnMut(SubscriberId, &mut S)) {
        self.subscribers.drain_dirty(work);
    }

    /// A subscriber's sink.
    pub fn sink(&mut self, id: SubscriberId) -> Option<&mut S> {
        self.subscribers.get_mut(id).map(|subscriber| &mut subscriber.sink)
    }

    /// The channels a subscriber is subscribed to, in no order.
    pub fn subscriptions(&self, id: SubscriberId) -> impl Iterator<Item = &C> {
        self.subscribers
            .get(id)
            .into_iter()
            .flat_map(|subscriber| subscriber.subscriptions.iter().map(|(channel, _)| channel))
    }

    /// Whether a subscriber is subscribed to a channel.
    pub fn is_subscribed<Q>(&self, id: SubscriberId, channel: &Q) -> bool
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.subscribers.get(id).is_some_and(|subscriber| subscriber.joined(channel).is_some())
    }

    /// What a subscriber wants of a channel, if it is subscribed to it.
    pub fn interest<Q>(&self, id: SubscriberId, channel: &Q) -> Option<&I>
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let joined = self.subscribers.get(id)?.joined(channel)?;
        self.channels.get(channel)?.cohort(joined.membership.cohort).map(|cohort| &cohort.interest)
    }

    /// What has become of a channel's events since the subscriber subscribed to it.
    pub fn account<Q>(&self, id: SubscriberId, channel: &Q) -> Option<Account<I::Withheld>>
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Joined { membership, correction } = self.subscribers.get(id)?.joined(channel)?;
        let reading = self.channels.get(channel)?.read(membership.cohort);
        Some(reading.plus(correction).account(I::PASSED_OVER))
    }

    /// What has become of all events of a channel together since it has had subscribers; `None` if it has none.
    pub fn traffic<Q>(&self, channel: &Q) -> Option<Traffic>
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.channels.get(channel).map(Audience::traffic)
    }

    /// The channels that have subscribers, in no order.
    pub fn channels(&self) -> impl Iterator<Item = &C> {
        self.channels.keys()
    }

    /// The subscribers of a channel, in no order.
    pub fn members<Q>(&self, channel: &Q) -> Vec<SubscriberId>
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.channels.get(channel).map(|audience| audience.members().collect()).unwrap_or_default()
    }

    /// How many subscribers a channel has.
    pub fn audience<Q>(&self, channel: &Q) -> usize
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.channels.get(channel).map_or(0, Audience::len)
    }

    /// How many sets of subscriptions with equal interests there are, over all channels.
    pub fn cohorts(&self) -> usize {
        self.channels.values().map(Audience::cohorts).sum()
    }

    /// How many subscribers are connected.
    pub fn len(&self) -> usize {
        self.subscribers.len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All connected subscribers, in no order.
    pub fn subscribers(&self) -> impl Iterator<Item = SubscriberId> {
        self.subscribers.ids()
    }

    /// Removes a subscription and, with the last one, the channel: then true.
    fn leave<Q>(&mut self, channel: &Q, membership: Membership) -> bool
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Some(audience) = self.channels.get_mut(channel) else { return false };
        let moved = audience.leave(membership);
        let silent = audience.is_empty();
        if silent {
            self.channels.remove(channel);
        } else if let Some((other, membership)) = moved {
            self.move_to(other, channel, membership);
        }
        silent
    }

    fn move_to<Q>(&mut self, id: SubscriberId, channel: &Q, membership: Membership)
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let subscriber = self.subscribers.get_mut(id);
        if let Some(joined) = subscriber.and_then(|subscriber| subscriber.joined_mut(channel)) {
            joined.membership = membership;
        }
    }
}

impl<C, I: Interest, S> Default for Hub<C, I, S> {
    fn default() -> Self {
        Self { channels: FxHashMap::default(), subscribers: Subscribers::default() }
    }
}

#[cfg(test)]
mod tests;
