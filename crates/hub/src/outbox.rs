mod room;

use std::{collections::VecDeque, hash::Hash, io::IoSlice};

use bytes::{Buf, Bytes};
use thiserror::Error;

use crate::{Overflow, Tally};

/// A queue of frames on their way to one socket, bounded in bytes.
///
/// A message is one or more parts (a header, shared pieces, a tail) that are written one after the other and never
/// separated. Parts are reference-counted, so a message to ten thousand subscribers exists once.
///
/// A message is either a reply or brings one or more events. `K` is what tells states apart: an event that is a state of
/// something has its key, and may be replaced by a newer one of the same key under [`Overflow::Latest`]. It is cloned
/// into each queue, so it should be small and shared.
#[derive(Debug)]
pub struct Outbox<K = ()> {
    parts: VecDeque<Part<K>>,
    /// Payload and bookkeeping of all queued parts, in bytes.
    queued: usize,
    limit: usize,
    /// Bytes up to which a message is queued without further ado.
    threshold: usize,
    overflow: Overflow,
    /// Whether the first part of the queue is the rest of a message that has begun to leave.
    started: bool,
    state: State,
    tally: Tally,
}

/// Why an outbox did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The bound is reached.
    #[error("the outbox is full")]
    Full,
    /// The outbox is being closed.
    #[error("the outbox is closed")]
    Closed,
}

#[derive(Debug)]
struct Part<K> {
    bytes: Bytes,
    /// Of the message, at its last part.
    key: Option<K>,
    /// That the message brings, at its last part; none in a reply.
    events: u32,
    last: bool,
    /// Whether the message alone is larger than the limit.
    is_large: bool,
    /// Whether the message may be discarded to make room for others, at its last part.
    is_spare: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Overflowed,
    Closed,
}

impl<K: Eq + Hash> Outbox<K> {
    /// Bytes that a part counts against the bound besides its own, so that empty parts are not free.
    pub const PART: usize = size_of::<Part<K>>();

    /// An empty outbox that holds at most `limit` bytes, counting [`PART`](Self::PART) for each part besides its payload. A single
    /// message may be larger, and is then taken while at most half of that is queued.
    pub fn new(limit: usize, overflow: Overflow) -> Self {
        Self {
            parts: VecDeque::new(),
            queued: 0,
            limit,
            threshold: room::calm(limit, overflow),
            overflow,
            started: false,
            state: State::Open,
            tally: Tally::default(),
        }
    }

    /// Queues a message that the subscriber has asked for.
    ///
    /// # Errors
    /// [`Refused::Full`] if there is no room: then the outbox [has overflowed](Self::has_overflowed) under every policy.
    /// [`Refused::Closed`] after that or after [`close`](Self::close).
    pub fn push_reply<P>(&mut self, parts: P) -> Result<(), Refused>
    where
        P: IntoIterator<Item = Bytes>,
        P::IntoIter: Clone,
    {
        self.push_message(parts.into_iter(), 0, None, false)
    }

    /// Queues a message that brings `events` events, at least one: the state of a key, if there is one.
    ///
    /// # Errors
    /// [`Refused::Full`] if there is no room under the overflow policy, [`Refused::Closed`] after an overflow or after
    /// [`close`](Self::close). The events of a message that was refused are not in the [tally](Self::take_tally).
    pub fn push_events<P>(&mut self, parts: P, events: u32, key: Option<K>) -> Result<(), Refused>
    where
        P: IntoIterator<Item = Bytes>,
        P::IntoIter: Clone,
    {
        self.push_message(parts.into_iter(), events.max(1), key, true)
    }

    /// As [`push_events`](Self::push_events), for a message of one part, which is what nearly all are: its size is known
    /// without going over the parts twice.
    ///
    /// # Errors
    /// Those of [`push_events`](Self::push_events).
    pub fn push_single(&mut self, bytes: Bytes, events: u32, key: Option<K>) -> Result<(), Refused> {
        let events = events.max(1);
        let size = cost::<K>(&bytes);
        self.admit(size, true)?;
        let is_large = size > self.limit;
        self.parts.push_back(Part { bytes, key, events, last: true, is_large, is_spare: true });
        self.queued += size;
        Ok(())
    }

    /// Queues a message that brings `events` events, at least one, and that its subscriber could not do without: like a reply,
    /// it is not discarded to make room for others.
    ///
    /// # Errors
    /// Those of [`push_reply`](Self::push_reply).
    pub fn push_kept<P>(&mut self, parts: P, events: u32) -> Result<(), Refused>
    where
        P: IntoIterator<Item = Bytes>,
        P::IntoIter: Clone,
    {
        self.push_message(parts.into_iter(), events.max(1), None, false)
    }

    /// Queues a last message, whatever the bound, and takes nothing after it.
    pub fn close(&mut self, last: Bytes) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        let size = cost::<K>(&last);
        self.append(std::iter::once(last), size, 0, None, false);
    }

    /// Discards what has not begun to leave and takes nothing after it, as if a message had been refused: for a subscriber
    /// that is too slow for its owner. A queue that is closing goes on closing.
    pub fn give_up(&mut self) {
        if self.state == State::Open {
            self.discard_all();
            self.state = State::Overflowed;
        }
    }

    /// Whether a message was refused so that the subscriber has to go.
    pub fn has_overflowed(&self) -> bool {
        self.state == State::Overflowed
    }

    /// Whether it takes nothing any more.
    pub fn is_closed(&self) -> bool {
        self.state != State::Open
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Parts queued.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Bytes queued, as counted against the bound.
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// Events queued, that of a message that has begun to leave among them.
    pub fn events(&self) -> u64 {
        self.parts.iter().map(|part| u64::from(part.events)).sum()
    }

    /// What has become of events since the last call.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// The queue, if it is a single part.
    pub fn only(&self) -> Option<&[u8]> {
        let [only] = self.parts.as_slices().0 else { return None };
        (self.parts.len() == 1).then_some(&only.bytes)
    }

    /// Fills `slices` with the front of the queue, for one vectored write, and returns how many it filled.
    pub fn fill<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slice, part) in slices.iter_mut().zip(&self.parts) {
            *slice = IoSlice::new(&part.bytes);
            filled += 1;
        }
        filled
    }

    /// Notes that the first `written` bytes of the queue have left. More than is queued empties it.
    pub fn advance(&mut self, mut written: usize) {
        while let Some(front) = self.parts.front_mut() {
            let length = front.bytes.len();
            if written < length {
                if written > 0 {
                    front.bytes.advance(written);
                    self.queued -= written;
                    self.started = true;
                }
                return;
            }
            written -= length;
            self.queued -= cost::<K>(&front.bytes);
            self.started = !front.last;
            self.tally.left += u64::from(front.events);
            self.parts.pop_front();
        }
        self.rest();
    }

    /// Takes out everything, part by part. It is not in the [tally](Self::take_tally): its taker accounts for it.
    pub fn take_parts(&mut self) -> impl ExactSizeIterator<Item = Bytes> {
        let parts = std::mem::take(&mut self.parts);
        self.queued = 0;
        self.started = false;
        self.rest();
        parts.into_iter().map(|part| part.bytes)
    }

    fn push_message(
        &mut self,
        parts: impl Iterator<Item = Bytes> + Clone,
        events: u32,
        key: Option<K>,
        is_spare: bool,
    ) -> Result<(), Refused> {
        let size: usize = parts.clone().map(|bytes| cost::<K>(&bytes)).sum();
        self.admit(size, is_spare)?;
        self.append(parts, size, events, key, is_spare);
        Ok(())
    }

    /// Sees to it that there is room.
    fn admit(&mut self, size: usize, is_spare: bool) -> Result<(), Refused> {
        if self.state != State::Open {
            return Err(Refused::Closed);
        }
        if self.queued + size > self.threshold {
            self.make_room(size, is_spare)?;
        }
        Ok(())
    }

    fn append(
        &mut self,
        parts: impl Iterator<Item = Bytes>,
        size: usize,
        events: u32,
        key: Option<K>,
        is_spare: bool,
    ) {
        let (before, is_large) = (self.parts.len(), size > self.limit);
        let part = |bytes| Part { bytes, key: None, events: 0, last: false, is_large, is_spare };
        self.parts.extend(parts.map(part));
        let is_empty = self.parts.len() == before;
        match self.parts.back_mut() {
            Some(part) if !is_empty => {
                part.key = key;
                part.events = events;
                part.last = true;
            }
            // A message without parts has left as soon as it is there.
            _ => self.tally.left += u64::from(events),
        }
        self.queued += size;
    }

    /// Gives back what a queue that has run empty needs no more.
    fn rest(&mut self) {
        self.threshold = room::calm(self.limit, self.overflow);
        // A burst's queue is not kept for the quiet time after it.
        if self.parts.capacity() > IDLE_CAPACITY {
            self.parts = VecDeque::new();
        }
    }
}

/// What a part counts against the bound: its bytes and its place in the queue.
fn cost<K>(bytes: &Bytes) -> usize {
    bytes.len() + size_of::<Part<K>>()
}

/// Places in the queue that an idle outbox may keep.
const IDLE_CAPACITY: usize = 16;

#[cfg(test)]
mod tests;
