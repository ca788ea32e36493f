//! Clients that get what they missed of a channel.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use geocast_hub::SubscriberId;
use geocast_protocol::{Channel, Offset};
use tokio::sync::oneshot;

use super::{Topic, Worker};
use crate::{
    Happening, KeptMessage, StoreError,
    interest::{Sight, Withheld},
};

/// From where on a hold has what a client is still to be given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    /// Messages without a place in the history.
    pub(crate) unplaced: u64,
    /// Messages with one.
    pub(crate) placed: u64,
}

impl Worker {
    /// Where in the sequence of everything the next event will be.
    pub(crate) fn mark(&self) -> u64 {
        self.holds.borrow().mark()
    }

    /// Whether a hold still has everything since a mark.
    pub(crate) fn holds_all(&self, channel: &Channel, mark: u64) -> bool {
        self.holds.borrow().is_whole(channel, mark)
    }

    /// Ends when this worker has dealt with everything that the broker has handed to it so far.
    pub(crate) fn passed(&self) -> oneshot::Receiver<()> {
        self.node.broker.passed(self.index)
    }

    /// Gives a client messages that it missed, as its sight shows them.
    pub(crate) fn give(&self, id: SubscriberId, channel: &Channel, sight: &Sight, missed: &[KeptMessage]) {
        if missed.is_empty() {
            return;
        }
        let topic = Topic::missed(channel);
        self.hub.borrow_mut().subscribe(id, &topic, sight.clone());
        for KeptMessage { place, payload } in missed {
            let event = self.node.broker.read(channel.clone(), payload.clone(), 0).at(Some(*place));
            self.give_one(id, &topic, &Happening::from(Arc::new(event)));
        }
        self.flush();
    }

    /// Delivers a channel to a client from behind an offset on. What has been published since then is held.
    pub(crate) fn join_behind(
        &self,
        id: SubscriberId,
        channel: &Channel,
        sight: Sight,
        (behind, held): (Offset, Held),
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let confirmation = self.subscribe(id, channel, sight);
        let topic = Topic::messages(channel);
        let holds = self.holds.borrow();
        let is_due = |offset: Option<Offset>| offset.is_none_or(|offset| offset > behind);
        let since = holds.since(channel, held.unplaced.min(held.placed));
        let due: Vec<Happening> = since
            .filter(|event| is_due(event.offset()))
            .map(|event| Happening::from(Arc::clone(event)))
            .collect();
        drop(holds);
        due.iter().for_each(|happening| self.give_one(id, &topic, happening));
        self.flush();
        confirmation
    }

    fn give_one(&self, id: SubscriberId, topic: &Topic, happening: &Happening) {
        let fanout = self.hub.borrow_mut().replay(id, topic, happening);
        self.account(topic, &fanout, Withheld::Slow);
    }
}
