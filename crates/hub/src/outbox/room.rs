//! How an outbox gets room for a message.

use std::{collections::HashSet, hash::Hash};

use super::{Outbox, Part, Refused, State, cost};
use crate::Overflow;

impl<K: Eq + Hash> Outbox<K> {
    /// Makes room for a message of this size by the policy.
    ///
    /// Under [`Overflow::Latest`] it passes over the whole queue, which is why the threshold that leads here is then set
    /// to twice of what is left: per message, the passes cost a constant.
    #[cold]
    pub(super) fn make_room(&mut self, size: usize, is_spare: bool) -> Result<(), Refused> {
        // What may stay in front of the message. One that is larger than the limit is no reader's fault: it is taken while
        // at most half the limit is queued before it, and what is queued behind it while it leaves has the limit for itself.
        let most = self.limit.max(size + self.limit / 2) - size + self.leaving();
        match self.overflow {
            Overflow::Close => {}
            Overflow::DropOldest => self.drop_oldest(most),
            Overflow::Latest => {
                self.conflate();
                // Without this distance to the limit, a queue of different states would be passed over for each message.
                self.drop_oldest(most.min(self.limit / 4 * 3));
                self.threshold = (2 * self.queued).clamp(calm(self.limit, self.overflow), self.limit);
            }
        }
        if self.queued <= most {
            return Ok(());
        }
        if !is_spare || self.overflow == Overflow::Close {
            self.discard_all();
            self.state = State::Overflowed;
        }
        Err(Refused::Full)
    }

    /// Discards every message that a later one of the same key replaces and that has not begun to leave.
    fn conflate(&mut self) {
        let begun = self.begun();
        // Keys come from strangers: the standard library's hasher is seeded, so that they cannot be made to collide.
        let mut newer = HashSet::new();
        let mut is_kept = true;
        let from_the_end = self.parts.range(begun..).rev().map(|part| {
            if part.last {
                is_kept = part.key.as_ref().is_none_or(|key| newer.insert(key));
            }
            is_kept
        });
        let mut kept: Vec<bool> = from_the_end.collect();
        let mut place = 0;
        let (mut freed, mut replaced) = (0, 0);
        self.parts.retain(|part| {
            place += 1;
            let stays = place <= begun || kept.pop() != Some(false);
            if !stays {
                freed += cost::<K>(&part.bytes);
                replaced += u64::from(part.events);
            }
            stays
        });
        self.queued -= freed;
        self.tally.replaced += replaced;
    }

    /// Discards pushes that have not begun to leave, oldest first, while more than this is queued.
    fn drop_oldest(&mut self, most: usize) {
        if self.queued <= most {
            return;
        }
        let begun = self.begun();
        let mut front: Vec<Part<K>> = self.parts.drain(..begun).collect();
        while self.queued > most
            && let Some(end) = self.parts.iter().position(|part| part.last)
        {
            let Part { events, is_spare, .. } = self.parts[end];
            let message = self.parts.drain(..=end);
            if !is_spare {
                front.extend(message);
            } else {
                self.queued -= message.map(|part| cost::<K>(&part.bytes)).sum::<usize>();
                self.tally.dropped += u64::from(events);
            }
        }
        for part in front.into_iter().rev() {
            self.parts.push_front(part);
        }
    }

    /// Discards everything that has not begun to leave.
    pub(super) fn discard_all(&mut self) {
        let begun = self.begun();
        for part in self.parts.drain(begun..) {
            self.queued -= cost::<K>(&part.bytes);
            self.tally.dropped += u64::from(part.events);
        }
    }

    /// Bytes of the message that has begun to leave, if it alone is larger than the limit.
    fn leaving(&self) -> usize {
        if !self.parts.front().is_some_and(|part| part.is_large) {
            return 0;
        }
        self.parts.iter().take(self.begun()).map(|part| cost::<K>(&part.bytes)).sum()
    }

    /// Parts of the message that has begun to leave.
    fn begun(&self) -> usize {
        if self.started { 1 + self.parts.iter().take_while(|part| !part.last).count() } else { 0 }
    }
}

/// Bytes that may be queued before anything is discarded, in an outbox that was empty.
pub(super) fn calm(limit: usize, overflow: Overflow) -> usize {
    if overflow == Overflow::Latest { limit / 4 } else { limit }
}
