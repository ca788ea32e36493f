use slotmap::{DenseSlotMap, new_key_type};

use crate::SubscriberId;

new_key_type! {
    /// Where a subscription stands in its channel's audience.
    pub(crate) struct SubscriptionId;
}

/// The subscriptions of one channel.
///
/// Everything that decides *which* subscriptions an event is tried against lives here, so that an index over interests
/// can take the place of the scan without the hub noticing.
#[derive(Debug)]
pub(crate) struct Audience<I> {
    subscriptions: DenseSlotMap<SubscriptionId, Subscription<I>>,
}

#[derive(Debug)]
pub(crate) struct Subscription<I> {
    pub(crate) subscriber: SubscriberId,
    pub(crate) interest: I,
}

impl<I> Audience<I> {
    pub(crate) fn join(&mut self, subscriber: SubscriberId, interest: I) -> SubscriptionId {
        self.subscriptions.insert(Subscription { subscriber, interest })
    }

    pub(crate) fn replace(&mut self, id: SubscriptionId, interest: I) {
        if let Some(subscription) = self.subscriptions.get_mut(id) {
            subscription.interest = interest;
        }
    }

    pub(crate) fn leave(&mut self, id: SubscriptionId) {
        self.subscriptions.remove(id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.subscriptions.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.subscriptions.len()
    }

    pub(crate) fn subscription(&self, id: SubscriptionId) -> Option<&Subscription<I>> {
        self.subscriptions.get(id)
    }

    /// Every subscription that may want an event: a superset of those that do.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &Subscription<I>> {
        self.subscriptions.values()
    }
}

impl<I> Default for Audience<I> {
    fn default() -> Self {
        Self { subscriptions: DenseSlotMap::with_key() }
    }
}
