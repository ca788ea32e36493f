use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf, Bytes};
use thiserror::Error;

/// A queue of frames on their way to one socket, bounded in bytes.
///
/// A message is one or more parts (a header, shared pieces, a tail) that are written one after the other and never
/// separated. Parts are reference-counted, so a message to ten thousand subscribers exists once.
#[derive(Debug)]
pub struct Outbox {
    parts: VecDeque<Part>,
    /// Payload and bookkeeping of all queued parts, in bytes.
    queued: usize,
    limit: usize,
    overflow: Overflow,
    /// Whether the first part of the queue is the rest of a message that has begun to leave.
    started: bool,
    state: State,
}

/// What happens to a message for which an outbox has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The subscriber is to be closed: everything that has not begun to leave is discarded and nothing is taken any
    /// more.
    Close,
    /// The oldest messages make room.
    DropOldest,
}

/// Why an outbox did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// The bound is reached.
    #[error("the outbox is full")]
    Full,
    /// The outbox is being closed.
    #[error("the outbox is closed")]
    Closed,
}

#[derive(Debug)]
struct Part {
    bytes: Bytes,
    last: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Overflowed,
    Closed,
}

impl Outbox {
    /// An empty outbox that holds at most `limit` bytes, counting a little for each part besides its payload. A single
    /// message may be larger, and is then taken while at most half of that is queued.
    pub fn new(limit: usize, overflow: Overflow) -> Self {
        Self { parts: VecDeque::new(), queued: 0, limit, overflow, started: false, state: State::Open }
    }

    /// Queues one message.
    ///
    /// # Errors
    /// [`Refused::Full`] if there is no room under the overflow policy, [`Refused::Closed`] after that or after
    /// [`close`](Self::close).
    pub fn push_message<P>(&mut self, parts: P) -> Result<(), Refused>
    where
        P: IntoIterator<Item = Bytes>,
        P::IntoIter: Clone,
    {
        if self.state != State::Open {
            return Err(Refused::Closed);
        }
        let parts = parts.into_iter();
        let size: usize = parts.clone().map(|bytes| cost(&bytes)).sum();
        if self.queued + size > self.bound(size) {
            self.make_room(size)?;
        }
        self.append(parts, size);
        Ok(())
    }

    /// Queues a last message, whatever the bound, and takes nothing after it.
    pub fn close(&mut self, last: Bytes) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        let size = cost(&last);
        self.append(std::iter::once(last), size);
    }

    /// Whether a message was refused under [`Overflow::Close`], so that the subscriber has to go.
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

    /// Bytes queued, as counted against the bound.
    pub fn queued(&self) -> usize {
        self.queued
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
            let last = front.last;
            self.queued -= cost(&front.bytes);
            self.started = !last;
            self.parts.pop_front();
        }
        // A burst's queue is not kept for the quiet time after it.
        if self.parts.capacity() > IDLE_CAPACITY {
            self.parts = VecDeque::new();
        }
    }

    /// What may be queued together with a message of this size. One that is larger than the limit is no reader's fault: it
    /// is taken while at most half the limit is queued before it.
    fn bound(&self, size: usize) -> usize {
        self.limit.max(size + self.limit / 2)
    }

    fn make_room(&mut self, size: usize) -> Result<(), Refused> {
        match self.overflow {
            Overflow::Close => {
                self.discard(|_| true);
                self.state = State::Overflowed;
                Err(Refused::Full)
            }
            Overflow::DropOldest => {
                let most = self.bound(size) - size;
                self.discard(|queued| queued > most);
                if self.queued > most { Err(Refused::Full) } else { Ok(()) }
            }
        }
    }

    /// Discards whole messages that have not begun to leave, oldest first, while what is queued is too much.
    fn discard(&mut self, is_too_much: impl Fn(usize) -> bool) {
        let begun =
            if self.started { 1 + self.parts.iter().take_while(|part| !part.last).count() } else { 0 };
        let mut discarded = 0;
        let mut queued = self.queued;
        let mut last = true;
        for part in self.parts.iter().skip(begun) {
            if last && !is_too_much(queued) {
                break;
            }
            queued -= cost(&part.bytes);
            last = part.last;
            discarded += 1;
        }
        self.parts.drain(begun..begun + discarded);
        self.queued = queued;
    }

    fn append(&mut self, parts: impl Iterator<Item = Bytes>, size: usize) {
        let before = self.parts.len();
        self.parts.extend(parts.map(|bytes| Part { bytes, last: false }));
        if self.parts.len() > before
            && let Some(part) = self.parts.back_mut()
        {
            part.last = true;
        }
        self.queued += size;
    }
}

/// What a part counts against the bound: its bytes and its place in the queue, so that empty parts are not free.
fn cost(bytes: &Bytes) -> usize {
    bytes.len() + size_of::<Part>()
}

/// Places in the queue that an idle outbox may keep.
const IDLE_CAPACITY: usize = 16;

#[cfg(test)]
mod tests;
