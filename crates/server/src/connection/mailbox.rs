use std::{
    io::{self, IoSlice},
    rc::Rc,
    time::Instant,
};

use bytes::Bytes;
use geocast_hub::{Outbox, Refused, Sink};
use geocast_protocol::envelope;
use tokio::sync::Notify;

use super::{
    Frame, Socket,
    frame::{Header, Opcode},
};
use crate::{AbsentClientReference, Settings, clock, session::Buffering};

/// What is on its way to one client: collected pushes, then the outbox, then the socket.
#[derive(Debug)]
pub(crate) struct Mailbox {
    outbox: Outbox,
    batch: Option<Batch>,
    socket: Rc<Socket>,
    /// Wakes the connection's own task.
    wake: Rc<Notify>,
    condition: Condition,
    absent: AbsentClientReference,
    /// Bytes of pushes after which a batch is sent early, so that collecting stays far below the outbox's bound.
    largest_batch: usize,
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

/// Pushes that wait to be sent as one envelope.
#[derive(Debug)]
struct Batch {
    buffering: Buffering,
    envelopes: Vec<Bytes>,
    bytes: usize,
    due: Option<Instant>,
}

impl Mailbox {
    pub(crate) fn new(settings: &Settings, socket: Rc<Socket>, wake: Rc<Notify>) -> Self {
        Self {
            outbox: Outbox::new(settings.limits.outbox, settings.limits.overflow),
            batch: None,
            socket,
            wake,
            condition: Condition::Idle,
            absent: settings.absent_client_reference,
            largest_batch: settings.limits.outbox / 4,
        }
    }

    /// Begins, changes or ends the collecting of pushes. What is collected is sent.
    pub(crate) fn buffer(&mut self, buffering: Option<Buffering>) {
        self.seal();
        self.batch =
            buffering.map(|buffering| Batch { buffering, envelopes: Vec::new(), bytes: 0, due: None });
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
        let _refused: Result<(), Refused> = self.outbox.push_message([frames]);
    }

    /// Sends the closing frame and nothing after it.
    pub(crate) fn send_close(&mut self, frames: Bytes) {
        self.outbox.close(frames);
    }

    /// When the collected pushes are to be sent.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.batch.as_ref()?.due
    }

    /// Wakes the connection's own task.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Bytes that wait to be written.
    pub(crate) fn queued(&self) -> usize {
        self.outbox.queued()
    }

    pub(crate) fn condition(&self) -> Condition {
        self.condition
    }

    /// Writes what the socket takes, without waiting. The connection's task is woken if there is something for it to
    /// do.
    pub(crate) fn flush(&mut self, now: Instant) {
        if let Some(batch) = &mut self.batch {
            match batch.due {
                Some(due) if due <= now => self.seal(),
                None if !batch.envelopes.is_empty() => {
                    batch.due = Some(now + batch.buffering.wait);
                    self.wake.notify_one();
                }
                _ => {}
            }
        }
        let before = self.condition;
        self.condition = self.write(now);
        let started_to_block = matches!(self.condition, Condition::Blocked { .. })
            && !matches!(before, Condition::Blocked { .. });
        let ended = matches!(self.condition, Condition::Overflowed | Condition::Broken(_))
            && before != self.condition;
        if started_to_block || ended {
            self.wake.notify_one();
        }
    }

    fn write(&mut self, now: Instant) -> Condition {
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
                    since = now;
                }
                Ok(None) if self.outbox.has_overflowed() => return Condition::Overflowed,
                Ok(None) => return Condition::Blocked { since },
                Err(error) => return Condition::Broken(error.kind()),
            }
        }
        if self.outbox.has_overflowed() { Condition::Overflowed } else { Condition::Idle }
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

    fn collect(&mut self, envelope: Bytes) {
        let Some(batch) = &mut self.batch else { return };
        batch.bytes += envelope.len();
        batch.envelopes.push(envelope);
        if batch.envelopes.len() >= batch.buffering.count || batch.bytes >= self.largest_batch {
            self.seal();
        }
    }

    /// Moves the collected pushes into the outbox, as parts that are still shared with everybody else.
    fn seal(&mut self) {
        let Some(batch) = &mut self.batch else { return };
        batch.due = None;
        if batch.envelopes.is_empty() {
            return;
        }
        let envelopes = std::mem::take(&mut batch.envelopes);
        let separators = envelopes.len() - 1;
        let suffix = envelope::buffer_suffix(clock::timestamp(), self.absent.into());
        let length = envelope::buffer_prefix().len()
            + batch.bytes
            + separators * envelope::BUFFER_SEPARATOR.len()
            + suffix.len();
        batch.bytes = 0;
        let mut parts = Vec::with_capacity(2 * envelopes.len() + 2);
        let mut head = Header::new(Opcode::Text, length).as_ref().to_vec();
        head.extend_from_slice(envelope::buffer_prefix());
        parts.push(Bytes::from(head));
        for (position, envelope) in envelopes.into_iter().enumerate() {
            if position > 0 {
                parts.push(Bytes::from_static(envelope::BUFFER_SEPARATOR));
            }
            parts.push(envelope);
        }
        parts.push(Bytes::from(suffix));
        let _refused: Result<(), Refused> = self.outbox.push_message(parts);
    }
}

impl Sink<Frame> for Mailbox {
    fn push(&mut self, frame: &Frame) -> Result<(), Refused> {
        if self.batch.is_none() {
            return self.outbox.push_message([frame.bytes().clone()]);
        }
        if self.outbox.is_closed() {
            return Err(Refused::Closed);
        }
        frame.payloads().for_each(|envelope| self.collect(envelope));
        Ok(())
    }
}

/// Parts handed to the kernel in one call: a burst of a hundred messages fits.
const SLICES: usize = 128;
