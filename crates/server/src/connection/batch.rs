use std::{sync::Arc, time::Instant};

use super::frame::{Frame, Header, Opcode};
use crate::{clock, dialect::Wrap, event::Key, session::Buffering};
use bytes::Bytes;
use geocast_hub::{Outbox, Overflow, Refused, Tally};

/// Pushes that wait to be sent as one envelope.
#[derive(Debug)]
pub(super) struct Batch {
    buffering: Buffering,
    envelopes: Outbox<Arc<Key>>,
    /// Bytes from which on it is sent early.
    largest: usize,
    due: Option<Instant>,
    /// Whether something is in it that its subscriber could not do without.
    is_kept: bool,
}

impl Batch {
    /// An empty batch for an outbox with this bound.
    pub(super) fn new(buffering: Buffering, outbox: usize, overflow: Overflow) -> Self {
        // Half, because a sent envelope takes more places in the outbox than a waiting one. An outbox that conflates begins
        // at a quarter of its bound: with what is sent early, nobody who keeps up misses a state.
        let bound = outbox / 2;
        Self {
            buffering,
            envelopes: Outbox::new(bound, overflow),
            largest: bound / 4,
            due: None,
            is_kept: false,
        }
    }

    pub(super) fn collect(
        &mut self,
        envelope: Bytes,
        key: Option<Arc<Key>>,
        is_kept: bool,
    ) -> Result<(), Refused> {
        if !is_kept {
            return self.envelopes.push_single(envelope, 1, key);
        }
        self.is_kept = true;
        self.envelopes.push_kept([envelope], 1)
    }

    /// Whether something is in it that its subscriber could not do without.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Bytes that it holds.
    pub(super) fn queued(&self) -> usize {
        self.envelopes.queued()
    }

    /// Whether this frame is one to be collected.
    pub(super) fn takes(&self, frame: &Frame) -> bool {
        frame.is_in(&self.buffering.dialect)
    }

    /// Whether it is to be sent before this envelope is collected.
    pub(super) fn is_too_small_for(&self, envelope: &Bytes) -> bool {
        let size = envelope.len() + Outbox::<Arc<Key>>::PART;
        !self.envelopes.is_empty() && self.envelopes.queued() + size > self.largest
    }

    /// Whether it holds as much as it is to hold.
    pub(super) fn is_full(&self) -> bool {
        self.envelopes.len() >= self.buffering.count || self.envelopes.queued() > self.largest
    }

    /// Whether it is to be sent by now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.is_full() || self.due.is_some_and(|due| due <= now)
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Sets the time at which it is to be sent if there is something in it and none is set: then true.
    pub(super) fn begins(&mut self, now: Instant) -> bool {
        let begins = self.due.is_none() && !self.envelopes.is_empty();
        if begins {
            self.due = Some(now + self.buffering.wait);
        }
        begins
    }

    /// Takes out what was collected, in messages of at most the number that was asked for: each in parts that are still
    /// shared with everybody else, and with the number of its envelopes.
    pub(super) fn take(&mut self) -> Vec<(Vec<Bytes>, u32)> {
        (self.due, self.is_kept) = (None, false);
        let mut messages = Vec::new();
        let mut collected: Vec<Bytes> = Vec::new();
        let mut bytes = 0;
        let envelopes: Vec<Bytes> = self.envelopes.take_parts().collect();
        for envelope in envelopes {
            bytes += envelope.len();
            collected.push(envelope);
            if collected.len() >= self.buffering.count || bytes >= self.largest {
                messages.push(self.message(std::mem::take(&mut collected)));
                bytes = 0;
            }
        }
        if !collected.is_empty() {
            messages.push(self.message(collected));
        }
        messages
    }

    /// Events that wait here.
    pub(super) fn events(&self) -> u64 {
        self.envelopes.events()
    }

    /// What has become of events here, but for those that were taken out.
    pub(super) fn take_tally(&mut self) -> Tally {
        self.envelopes.take_tally()
    }

    fn message(&self, envelopes: Vec<Bytes>) -> (Vec<Bytes>, u32) {
        let wrap = self.buffering.dialect.wrap(clock::timestamp());
        let Wrap { prefix, separator, suffix } = wrap.unwrap_or(Wrap::NONE);
        let events = u32::try_from(envelopes.len()).unwrap_or(u32::MAX);
        let separators = envelopes.len().saturating_sub(1);
        let length = prefix.len()
            + envelopes.iter().map(Bytes::len).sum::<usize>()
            + separators * separator.len()
            + suffix.len();
        let mut parts = Vec::with_capacity(2 * envelopes.len() + 2);
        let mut head = Header::new(Opcode::Text, length).as_ref().to_vec();
        head.extend_from_slice(prefix);
        parts.push(Bytes::from(head));
        for (position, envelope) in envelopes.into_iter().enumerate() {
            if position > 0 {
                parts.push(Bytes::from_static(separator));
            }
            parts.push(envelope);
        }
        parts.push(Bytes::from(suffix));
        (parts, events)
    }
}
