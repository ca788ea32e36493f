use std::{
    io::{self, IoSlice},
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;
use geocast_hub::{Outbox, Overflow, Refused, Sink, Tally};
use tokio::sync::Notify;

use super::{Frame, Socket, Unsent, batch::Batch};
use crate::{Limits, event::Key, operator::Card, session::Buffering};

/// What is on its way to one client: collected pushes, then the outbox, then the socket.
#[derive(Debug)]
pub(crate) struct Mailbox {
    outbox: Outbox<Arc<Key>>,
    batch: Option<Batch>,
    socket: Rc<Socket>,
    /// Wakes the connection's own task.
    wake: Rc<Notify>,
    condition: Condition,
    /// The outbox's bound, in bytes.
    limit: usize,
    overflow: Overflow,
    /// What has become of events on their way from a batch to the outbox.
    tally: Tally,
    /// What has become of all events so far.
    total: Tally,
    /// Whose it is. It is seldom looked at.
    card: Box<Card>,
}

/// What the connection's task has to know about its mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// All written.
    Idle,
    /// The socket is full since then.
    Blocked {
        /// When something was last written.
        since: Instant,
    },
    /// The client read too slowly; it has to be closed.
    Overflowed,
    /// The socket is broken.
    Broken(io::ErrorKind),
}

impl Mailbox {
    pub(crate) fn new(limits: &Limits, socket: Rc<Socket>, wake: Rc<Notify>, card: Box<Card>) -> Self {
        Self {
            outbox: Outbox::new(limits.outbox, limits.overflow),
            batch: None,
            socket,
            wake,
            condition: Condition::Idle,
            limit: limits.outbox,
            overflow: limits.overflow,
            tally: Tally::default(),
            total: Tally::default(),
            card,
        }
    }

    /// Whose it is.
    pub(crate) fn card(&self) -> &Card {
        &self.card
    }

    /// Begins, changes or ends the collecting of pushes. What is collected is sent.
    pub(crate) fn buffer(&mut self, buffering: Option<Buffering>) {
        self.seal();
        self.batch = buffering.map(|buffering| Batch::new(buffering, self.limit, self.overflow));
    }

    /// Sends answers with state. They are not collected, but what was collected before them is sent first: no older state
    /// follows a newer one.
    pub(crate) fn answer(&mut self, frames: &[Frame]) {
        self.seal();
        frames.iter().for_each(|frame| self.send(frame.bytes().clone()));
    }

    /// Sends whole frames now, before what is being collected.
    pub(crate) fn send(&mut self, frames: Bytes) {
        // A refusal is not lost: the outbox is closing then, and `flush` reports it.
        let _refused: Result<(), Refused> = self.outbox.push_reply([frames]);
    }

    /// Sends the closing frame and nothing after it.
    pub(crate) fn send_close(&mut self, frames: Bytes) {
        self.outbox.close(frames);
    }

    /// Has the client closed as one that reads too slowly, although there would be room here.
    pub(crate) fn give_up(&mut self) {
        self.outbox.give_up();
    }

    /// When the collected pushes are to be sent, if that is a question of time.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.batch.as_ref().filter(|_| !self.holds_back())?.due()
    }

    /// Wakes the connection's own task.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Bytes that are sent at a time of what is more than fits.
    pub(crate) fn portion(&self) -> usize {
        self.limit / 4
    }

    /// Bytes that wait to be written.
    pub(crate) fn queued(&self) -> usize {
        self.outbox.queued()
    }

    /// Bytes that may be sent to somebody who is behind: none before most of what waits has been written, and then about a
    /// quarter of the bound. What is being collected is no hindrance, as it is sent before an [answer](Self::answer).
    pub(crate) fn room(&self) -> Option<usize> {
        let least = self.limit / 16;
        (self.outbox.queued() <= least).then(|| (self.limit / 4).saturating_sub(self.waiting()).max(least))
    }

    /// Bytes that wait to be written or are being collected.
    pub(crate) fn waiting(&self) -> usize {
        self.outbox.queued() + self.batch.as_ref().map_or(0, Batch::queued)
    }

    /// Whether the socket is full.
    pub(crate) fn is_blocked(&self) -> bool {
        matches!(self.condition, Condition::Blocked { .. })
    }

    pub(crate) fn condition(&self) -> Condition {
        self.condition
    }

    /// Events that wait to be written, or have been written in part.
    pub(crate) fn events(&self) -> u64 {
        self.outbox.events() + self.batch.as_ref().map_or(0, Batch::events)
    }

    /// What has become of events since the last call.
    pub(crate) fn take_tally(&mut self) -> Tally {
        let mut tally = self.outbox.take_tally();
        tally += std::mem::take(&mut self.tally);
        if let Some(batch) = &mut self.batch {
            tally += batch.take_tally();
        }
        self.total += tally;
        tally
    }

    /// What has become of events up to the last [`take_tally`](Self::take_tally).
    pub(crate) fn total(&self) -> Tally {
        self.total
    }

    /// Writes what the socket takes, without waiting, and returns how many bytes that was. The connection's task is woken if
    /// there is something for it to do.
    pub(crate) fn flush(&mut self, now: Instant) -> usize {
        let before = self.condition;
        let mut taken = 0;
        self.seal_if_due(now);
        self.condition = self.write(now, &mut taken);
        // What was held back may go as soon as the socket has taken everything before it.
        if self.condition == Condition::Idle && self.seal_if_due(now) {
            self.condition = self.write(now, &mut taken);
        }
        let started_to_block = matches!(self.condition, Condition::Blocked { .. })
            && !matches!(before, Condition::Blocked { .. });
        let ended = matches!(self.condition, Condition::Overflowed | Condition::Broken(_))
            && before != self.condition;
        if started_to_block || ended {
            self.wake.notify_one();
        }
        taken
    }

    /// Finds out whether a client whose socket has been full for long reads nonetheless: then it is only slow, and has taken so
    /// many bytes more.
    pub(crate) fn insist(&mut self, now: Instant) -> Option<usize> {
        let mut first = [IoSlice::new(&[])];
        self.outbox.fill(&mut first);
        let written = self.socket.insist(&first[0]).ok().flatten()?;
        self.outbox.advance(written);
        self.condition = Condition::Blocked { since: now };
        Some(written)
    }

    /// `taken` grows by the bytes that the socket takes.
    fn write(&mut self, now: Instant, taken: &mut usize) -> Condition {
        if matches!(self.condition, Condition::Broken(_)) {
            return self.condition;
        }
        let mut since = match self.condition {
            Condition::Blocked { since } => since,
            _ => now,
        };
        while !self.outbox.is_empty() {
            match self.write_some() {
                Ok(Some(written)) => {
                    self.outbox.advance(written);
                    *taken += written;
                    since = now;
                }
                Ok(None) if self.outbox.has_overflowed() => return Condition::Overflowed,
                Ok(None) => return Condition::Blocked { since },
                Err(error) => return Condition::Broken(error.kind()),
            }
        }
        if self.outbox.has_overflowed() {
            return Condition::Overflowed;
        }
        match self.socket.flush() {
            Ok(Unsent::Nothing) => Condition::Idle,
            Ok(Unsent::Moving) => Condition::Blocked { since: now },
            Ok(Unsent::Stuck) => Condition::Blocked { since },
            Err(error) => Condition::Broken(error.kind()),
        }
    }

    /// One call to the kernel. A single part, which is what most clients have most of the time, takes the plain call: it
    /// is measurably cheaper than the vectored one.
    fn write_some(&self) -> io::Result<Option<usize>> {
        if let Some(only) = self.outbox.only() {
            return self.socket.write(only);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let filled = self.outbox.fill(&mut slices);
        self.socket.write_vectored(&slices[..filled])
    }

    /// Whether the collected pushes stay where they are although it is time: while the socket is full they could not leave,
    /// and as long as they are here, newer states can replace them.
    fn holds_back(&self) -> bool {
        self.overflow == Overflow::Latest && matches!(self.condition, Condition::Blocked { .. })
    }

    fn collect(&mut self, envelope: Bytes, key: Option<Arc<Key>>, is_kept: bool) {
        let holds_back = self.holds_back();
        if !holds_back && self.batch.as_ref().is_some_and(|batch| batch.is_too_small_for(&envelope)) {
            self.seal();
        }
        let Some(batch) = &mut self.batch else { return };
        if batch.collect(envelope, key, is_kept).is_err() {
            self.tally.dropped += 1;
        }
        if !holds_back && batch.is_full() {
            self.seal();
        }
    }

    /// Seals what has been collected if it is time. Where something is being collected and has no time yet, it gets one.
    fn seal_if_due(&mut self, now: Instant) -> bool {
        let holds_back = self.holds_back();
        let Some(batch) = &mut self.batch else { return false };
        if batch.begins(now) {
            self.wake.notify_one();
        }
        let is_due = !holds_back && batch.is_due(now);
        if is_due {
            self.seal();
        }
        is_due
    }

    /// Moves the collected pushes into the outbox.
    fn seal(&mut self) {
        let Some(batch) = &mut self.batch else { return };
        let is_kept = batch.is_kept();
        let messages = batch.take();
        self.tally += batch.take_tally();
        for (parts, events) in messages {
            let pushed = match is_kept {
                true => self.outbox.push_kept(parts, events),
                false => self.outbox.push_events(parts, events, None),
            };
            if pushed.is_err() {
                self.tally.dropped += u64::from(events);
            }
        }
    }
}

impl Sink<Frame> for Mailbox {
    fn push(&mut self, frame: &Frame, events: u32) -> Result<(), Refused> {
        // Who has to be told all falls behind in time.
        if frame.is_kept() && self.waiting() > self.limit / 4 {
            return Err(Refused::Full);
        }
        let key = frame.key().map(Arc::clone);
        if !self.batch.as_ref().is_some_and(|batch| batch.takes(frame)) {
            return match frame.is_kept() {
                true => self.outbox.push_kept([frame.bytes().clone()], events),
                false => self.outbox.push_single(frame.bytes().clone(), events, key),
            };
        }
        if self.outbox.is_closed() {
            return Err(Refused::Closed);
        }
        frame.payloads().for_each(|envelope| self.collect(envelope, key.clone(), frame.is_kept()));
        Ok(())
    }

    /// Joined frames have no key, and could not be replaced one by one.
    fn wants_single(&self) -> bool {
        self.overflow == Overflow::Latest
            && (self.batch.is_some() || matches!(self.condition, Condition::Blocked { .. }))
    }
}

/// Parts handed to the kernel in one call: a burst of a hundred messages fits.
const SLICES: usize = 128;
