//! Clients of a worker that are not up to date with what they track.

use geocast_hub::SubscriberId;
use geocast_protocol::Channel;

use super::{Topic, Worker};
use crate::{
    hashing::HashSet,
    tracking::{Behind, Source, TrackedChannel},
};

impl Worker {
    /// Sends a client the difference between what it has and what it is to have, as far as there is room. True if it goes on
    /// at once.
    pub(crate) fn catch_up(&self, id: SubscriberId, channel: &Channel) -> bool {
        let mut tracked = self.tracked.borrow_mut();
        let Some(entry) = tracked.get_mut(channel) else { return false };
        let TrackedChannel { mirror, behind: all, known, expired, memory, is_crowded, .. } = entry;
        let Some(behind) = all.get_mut(&id).filter(|behind| behind.is_ready && known.is_known()) else {
            return false;
        };
        let Some(room) = self.look_into(id, |mailbox| mailbox.room()) else { return false };
        // Who has nothing yet can wait until others have everything, of whom nothing has to be remembered then.
        if behind.has.is_empty() && memory.taken() > self.bound().bytes / 2 {
            *is_crowded = true;
            return false;
        }
        let (frames, is_all) = behind.catch_up(Source { channel, mirror, expired }, room);
        let is_too_much = !is_all && memory.taken() > self.bound().bytes;
        if is_all && let Some(Behind { sight, .. }) = all.remove(&id) {
            self.hub.borrow_mut().subscribe(id, &Topic::state(channel), sight);
        }
        if all.is_empty() {
            *expired = HashSet::default();
        }
        if is_too_much && let Some(Behind { sight, .. }) = all.remove(&id) {
            let newcomer = entry.newcomer(sight);
            entry.behind.insert(id, newcomer);
        }
        drop(tracked);
        if is_too_much {
            self.give_up(id);
            return false;
        }
        if !frames.is_empty() {
            self.with_mailbox(id, |mailbox| mailbox.answer(&frames));
        }
        !is_all && self.look_into(id, |mailbox| mailbox.room()).is_some()
    }

    /// Sees to it that a subscriber is behind: what it has is what the mirror has. False if it does not track the channel.
    pub(super) fn fall_behind(
        &self,
        id: SubscriberId,
        channel: &Channel,
        entry: &mut TrackedChannel,
    ) -> bool {
        if entry.behind.contains_key(&id) {
            return true;
        }
        let topic = Topic::state(channel);
        let mut hub = self.hub.borrow_mut();
        let Some(sight) = hub.interest(id, &topic).cloned() else { return false };
        hub.subscribe(id, &topic, sight.behind());
        drop(hub);
        let has = entry.shown(&sight);
        if entry.memory.taken() <= self.bound().bytes {
            entry.behind.insert(id, Behind::with(has, sight));
        } else {
            // What it has could not be remembered, so that it could not be told any more what leaves.
            drop(has);
            entry.behind.insert(id, entry.newcomer(sight));
            self.give_up(id);
        }
        true
    }

    pub(super) fn all_fall_behind(&self, channel: &Channel, entry: &mut TrackedChannel) {
        let members = self.hub.borrow().members(&Topic::state(channel));
        for id in members {
            self.fall_behind(id, channel, entry);
        }
    }

    /// Lets those begin who have waited until less has to be remembered.
    pub(super) fn admit(&self) {
        let enough = self.bound().bytes / 2;
        for entry in self.tracked.borrow_mut().values_mut() {
            if !entry.is_crowded || entry.memory.taken() > enough {
                continue;
            }
            entry.is_crowded = false;
            let mut hub = self.hub.borrow_mut();
            for (id, _) in entry.behind.iter().filter(|(_, behind)| behind.has.is_empty()) {
                hub.sink(*id).into_iter().for_each(|mailbox| mailbox.wake());
            }
        }
    }

    /// Has a client closed as one that reads too slowly.
    fn give_up(&self, id: SubscriberId) {
        self.with_mailbox(id, |mailbox| mailbox.give_up());
    }
}
