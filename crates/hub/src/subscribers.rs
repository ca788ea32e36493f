use std::borrow::Borrow;

use slotmap::SlotMap;

use crate::{Interest, SubscriberId, audience::Membership, id::SubscriberKey, ledger::Reading};

/// All who are connected, and who of them has something to write.
#[derive(Debug)]
pub(crate) struct Subscribers<C, I: Interest, S> {
    map: SlotMap<SubscriberKey, Subscriber<C, I, S>>,
    dirty: Vec<SubscriberId>,
}

#[derive(Debug)]
pub(crate) struct Subscriber<C, I: Interest, S> {
    pub(crate) sink: S,
    /// A list, because nearly all have few and most have one: a map would take several times the room.
    pub(crate) subscriptions: Vec<(C, Joined<I>)>,
    /// Whether the subscriber is already in the list of those that have something to write.
    dirty: bool,
}

/// A subscription of a subscriber.
#[derive(Debug)]
pub(crate) struct Joined<I: Interest> {
    pub(crate) membership: Membership,
    /// What is added to the counts of its cohort to make them those of the subscription.
    pub(crate) correction: Reading<I::Withheld>,
}

impl<C, I: Interest, S> Subscriber<C, I, S> {
    pub(crate) fn joined<Q>(&self, channel: &Q) -> Option<&Joined<I>>
    where
        C: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.place(channel).map(|place| &self.subscriptions[place].1)
    }

    pub(crate) fn joined_mut<Q>(&mut self, channel: &Q) -> Option<&mut Joined<I>>
    where
        C: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.place(channel).map(|place| &mut self.subscriptions[place].1)
    }

    pub(crate) fn leave<Q>(&mut self, channel: &Q) -> Option<Joined<I>>
    where
        C: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.place(channel).map(|place| self.subscriptions.swap_remove(place).1)
    }

    /// Adds a subscription to a channel that has none.
    pub(crate) fn join(&mut self, channel: C, joined: Joined<I>) {
        if self.subscriptions.is_empty() {
            self.subscriptions.reserve_exact(1);
        }
        self.subscriptions.push((channel, joined));
    }

    fn place<Q>(&self, channel: &Q) -> Option<usize>
    where
        C: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.subscriptions.iter().position(|(other, _)| other.borrow() == channel)
    }
}

impl<C, I: Interest, S> Subscribers<C, I, S> {
    pub(crate) fn insert(&mut self, sink: S) -> SubscriberId {
        SubscriberId(self.map.insert(Subscriber { sink, subscriptions: Vec::new(), dirty: false }))
    }

    pub(crate) fn remove(&mut self, id: SubscriberId) -> Option<Subscriber<C, I, S>> {
        self.map.remove(id.0)
    }

    pub(crate) fn get(&self, id: SubscriberId) -> Option<&Subscriber<C, I, S>> {
        self.map.get(id.0)
    }

    pub(crate) fn get_mut(&mut self, id: SubscriberId) -> Option<&mut Subscriber<C, I, S>> {
        self.map.get_mut(id.0)
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = SubscriberId> {
        self.map.keys().map(SubscriberId)
    }

    /// The sink of a subscriber that is about to be given something. It becomes dirty even if it refuses: a refusal may
    /// have made the sink close its subscriber, which is something to write as well.
    pub(crate) fn dirty(&mut self, id: SubscriberId) -> Option<&mut S> {
        let subscriber = self.map.get_mut(id.0)?;
        if !subscriber.dirty {
            subscriber.dirty = true;
            self.dirty.push(id);
        }
        Some(&mut subscriber.sink)
    }

    /// Calls `work` with each dirty subscriber's sink, once, in the order of their first push; none is dirty after it.
    pub(crate) fn drain_dirty(&mut self, mut work: impl FnMut(SubscriberId, &mut S)) {
        for id in self.dirty.drain(..) {
            if let Some(subscriber) = self.map.get_mut(id.0) {
                subscriber.dirty = false;
                work(id, &mut subscriber.sink);
            }
        }
    }
}

impl<C, I: Interest, S> Default for Subscribers<C, I, S> {
    fn default() -> Self {
        Self { map: SlotMap::with_key(), dirty: Vec::new() }
    }
}
