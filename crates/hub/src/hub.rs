use std::{borrow::Borrow, fmt::Debug, hash::Hash};

use rustc_hash::FxHashMap;
use slotmap::{SlotMap, new_key_type};

use crate::{
    Fanout, Interest, Sink,
    audience::{Audience, Subscription, SubscriptionId},
};

new_key_type! {
    /// Names a subscriber of one hub. An id is never reused for another subscriber.
    pub struct SubscriberId;
}

/// Channels and their subscribers, on one thread.
///
/// A hub never blocks, never awaits and takes no lock: several threads own a hub each, and an event is published to
/// every one of them.
#[derive(Debug)]
pub struct Hub<C, I, S> {
    channels: FxHashMap<C, Audience<I>>,
    subscribers: SlotMap<SubscriberId, Subscriber<C, S>>,
    dirty: Vec<SubscriberId>,
}

#[derive(Debug)]
struct Subscriber<C, S> {
    sink: S,
    subscriptions: FxHashMap<C, SubscriptionId>,
    /// Whether the subscriber is already in the hub's list of those that have something to write.
    dirty: bool,
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
        self.subscribers.insert(Subscriber { sink, subscriptions: FxHashMap::default(), dirty: false })
    }

    /// Removes a subscriber with all its subscriptions and returns its sink and the channels that nobody is subscribed
    /// to any more. `None` if it is not connected.
    pub fn disconnect(&mut self, id: SubscriberId) -> Option<(S, Vec<C>)> {
        let subscriber = self.subscribers.remove(id)?;
        let mut silent = Vec::new();
        for (channel, subscription) in subscriber.subscriptions {
            if leave(&mut self.channels, &channel, subscription) {
                silent.push(channel);
            }
        }
        Some((subscriber.sink, silent))
    }

    /// Subscribes to a channel, or replaces the interest of an existing subscription. True if the channel had no
    /// subscriber before. A subscriber that is not connected changes nothing.
    pub fn subscribe(&mut self, id: SubscriberId, channel: C, interest: I) -> bool {
        let Some(subscriber) = self.subscribers.get_mut(id) else { return false };
        let audience = self.channels.entry(channel.clone()).or_default();
        let first = audience.is_empty();
        match subscriber.subscriptions.get(&channel) {
            Some(subscription) => audience.replace(*subscription, interest),
            None => {
                let subscription = audience.join(id, interest);
                subscriber.subscriptions.insert(channel, subscription);
            }
        }
        first
    }

    /// Ends a subscription. True if it existed and was the channel's last one.
    pub fn unsubscribe<Q>(&mut self, id: SubscriberId, channel: &Q) -> bool
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let subscription =
            self.subscribers.get_mut(id).and_then(|subscriber| subscriber.subscriptions.remove(channel));
        subscription.is_some_and(|subscription| leave(&mut self.channels, channel, subscription))
    }

    /// Gives the event to all who want it. A subscriber whose sink took something becomes dirty.
    pub fn publish<Q>(&mut self, channel: &Q, event: &I::Event) -> Fanout<I::Withheld>
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Some(audience) = self.channels.get(channel) else { return Fanout::default() };
        let mut delivery = Delivery::new(event, &mut self.subscribers, &mut self.dirty);
        for subscription in audience.candidates() {
            delivery.offer(subscription);
        }
        delivery.fanout
    }

    /// Gives the event to one subscriber of the channel only, as if it had been published to nobody else.
    pub fn replay<Q>(&mut self, id: SubscriberId, channel: &Q, event: &I::Event) -> Fanout<I::Withheld>
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let subscription = self
            .subscribers
            .get(id)
            .and_then(|subscriber| subscriber.subscriptions.get(channel))
            .and_then(|subscription| self.channels.get(channel)?.subscription(*subscription));
        let mut delivery = Delivery::new(event, &mut self.subscribers, &mut self.dirty);
        if let Some(subscription) = subscription {
            delivery.offer(subscription);
        }
        delivery.fanout
    }

    /// The subscribers that have been pushed to since the last call, each once, in the order of their first push.
    pub fn take_dirty(&mut self) -> Vec<SubscriberId> {
        let dirty = std::mem::take(&mut self.dirty);
        for id in &dirty {
            if let Some(subscriber) = self.subscribers.get_mut(*id) {
                subscriber.dirty = false;
            }
        }
        dirty
    }

    /// A subscriber's sink.
    pub fn sink(&mut self, id: SubscriberId) -> Option<&mut S> {
        self.subscribers.get_mut(id).map(|subscriber| &mut subscriber.sink)
    }

    /// The channels a subscriber is subscribed to, in no order.
    pub fn subscriptions(&self, id: SubscriberId) -> impl Iterator<Item = &C> {
        self.subscribers.get(id).into_iter().flat_map(|subscriber| subscriber.subscriptions.keys())
    }

    /// How many subscribers a channel has.
    pub fn audience<Q>(&self, channel: &Q) -> usize
    where
        C: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.channels.get(channel).map_or(0, Audience::len)
    }

    /// How many subscribers are connected.
    pub fn len(&self) -> usize {
        self.subscribers.len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.subscribers.is_empty()
    }

    /// All connected subscribers, in no order.
    pub fn subscribers(&self) -> impl Iterator<Item = SubscriberId> {
        self.subscribers.keys()
    }
}

impl<C, I, S> Default for Hub<C, I, S> {
    fn default() -> Self {
        Self { channels: FxHashMap::default(), subscribers: SlotMap::with_key(), dirty: Vec::new() }
    }
}

type Rendered<I> = Result<<I as Interest>::Rendering, <I as Interest>::Withheld>;

/// One event on its way through one audience.
struct Delivery<'a, C, I: Interest, S> {
    event: &'a I::Event,
    renderings: Vec<(I::Form, Rendered<I>)>,
    subscribers: &'a mut SlotMap<SubscriberId, Subscriber<C, S>>,
    dirty: &'a mut Vec<SubscriberId>,
    fanout: Fanout<I::Withheld>,
}

impl<'a, C, I, S> Delivery<'a, C, I, S>
where
    I: Interest,
    S: Sink<I::Rendering>,
{
    fn new(
        event: &'a I::Event,
        subscribers: &'a mut SlotMap<SubscriberId, Subscriber<C, S>>,
        dirty: &'a mut Vec<SubscriberId>,
    ) -> Self {
        Self { event, renderings: Vec::new(), subscribers, dirty, fanout: Fanout::default() }
    }

    fn offer(&mut self, subscription: &Subscription<I>) {
        let rendering = match subscription.interest.decide(self.event) {
            Ok(form) => self.rendering(form),
            Err(reason) => return self.fanout.withhold(reason),
        };
        let rendering = match &self.renderings[rendering].1 {
            Ok(rendering) => rendering,
            Err(reason) => return self.fanout.withhold(*reason),
        };
        let Some(subscriber) = self.subscribers.get_mut(subscription.subscriber) else { return };
        if subscriber.sink.push(rendering).is_ok() {
            self.fanout.delivered += 1;
        } else {
            self.fanout.refused += 1;
        }
        // A refusal may have made the sink close its subscriber, which is something to write as well.
        if !subscriber.dirty {
            subscriber.dirty = true;
            self.dirty.push(subscription.subscriber);
        }
    }

    /// Forms are few (dialects times coordinate systems), so a scan beats hashing.
    fn rendering(&mut self, form: I::Form) -> usize {
        if let Some(known) = self.renderings.iter().position(|(other, _)| *other == form) {
            return known;
        }
        let rendering = I::render(self.event, &form);
        self.renderings.push((form, rendering));
        self.renderings.len() - 1
    }
}

/// Removes a subscription and, with the last one, the channel: then true.
fn leave<C, I, Q>(channels: &mut FxHashMap<C, Audience<I>>, channel: &Q, id: SubscriptionId) -> bool
where
    C: Borrow<Q> + Eq + Hash,
    Q: Eq + Hash + ?Sized,
{
    let Some(audience) = channels.get_mut(channel) else { return false };
    audience.leave(id);
    let silent = audience.is_empty();
    if silent {
        channels.remove(channel);
    }
    silent
}

#[cfg(test)]
mod tests;
