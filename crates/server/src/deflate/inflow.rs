use std::mem;

use super::{
    client_frame::{self, BINARY, COMPRESSED, CONTINUATION, CONTROL, ClientFrame, ClientHeader, FINAL, TEXT},
    inflater::{Unreadable, inflate},
};

/// What a client sends, with its compressed messages made into plain ones for a reader that knows of no compression.
///
/// Everything else passes as it came, with all its faults: judging them is the reader's. A compressed message that cannot
/// be read becomes one that the reader refuses for the same reason (RFC 6455 §7.4.1): one that is too long (1009), or a text
/// that is none (1007). RFC 7692 names no code for data that is not compressed data; 1007 is that for what a message
/// cannot contain.
#[derive(Debug)]
pub(crate) struct Inflow {
    /// Bytes of the longest message that is read.
    limit: usize,
    header: ClientHeader,
    state: State,
    /// The compressed message that has begun to come.
    message: Option<Compressed>,
    /// Whether a plain message has begun to come, in fragments.
    is_fragmented: bool,
    received: Vec<u8>,
    /// Of the received bytes, those that have been taken.
    taken: usize,
    ready: Vec<u8>,
    /// Of the bytes that are ready, those that have been read.
    read: usize,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy)]
enum State {
    Header,
    /// So many bytes of a frame that passes.
    Passing(u64),
    /// A fragment of a compressed message.
    Collecting {
        left: u64,
        mask: [u8; 4],
        is_last: bool,
    },
    /// Something that the reader will not take: it closes.
    Refused,
}

#[derive(Debug)]
struct Compressed {
    opcode: u8,
    bytes: Vec<u8>,
    fragments: usize,
}

impl Inflow {
    /// For messages of at most `limit` bytes, before and after.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            header: ClientHeader::default(),
            state: State::Header,
            message: None,
            is_fragmented: false,
            received: Vec::new(),
            taken: 0,
            ready: Vec::new(),
            read: 0,
        }
    }

    /// Takes bytes that the client has sent. There should be nothing to [`read`](Self::read) then, or they pile up.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
    }

    /// Fills `buffer` as far as there is something to read, and says how far. Of what was received, no more than one
    /// message is made plain ahead of being read.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> usize {
        if self.ready.is_empty() {
            self.advance();
        }
        let ready = &self.ready[self.read..];
        let length = ready.len().min(buffer.len());
        buffer[..length].copy_from_slice(&ready[..length]);
        self.read += length;
        if self.read == self.ready.len() {
            // Idle connections keep no memory for it.
            (self.ready, self.read) = (Vec::new(), 0);
        }
        length
    }

    /// Goes on until something is ready or nothing is left.
    fn advance(&mut self) {
        let received = mem::take(&mut self.received);
        let mut rest = &received[self.taken..];
        while self.ready.is_empty() && !rest.is_empty() {
            rest = self.step(rest);
        }
        if !rest.is_empty() {
            self.taken = received.len() - rest.len();
            self.received = received;
        } else {
            self.taken = 0;
        }
    }

    fn step<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        match self.state {
            State::Header => {
                let (rest, frame) = self.header.take(bytes);
                if let Some(frame) = frame {
                    self.begin(frame);
                }
                rest
            }
            State::Passing(left) => {
                let (passing, rest) = split(bytes, left);
                self.ready.extend_from_slice(passing);
                self.pass(left - passing.len() as u64);
                rest
            }
            State::Collecting { left, mut mask, is_last } => {
                let (collected, rest) = split(bytes, left);
                if let Some(message) = &mut self.message {
                    let masks = mask.iter().cycle();
                    message.bytes.extend(collected.iter().zip(masks).map(|(byte, mask)| byte ^ mask));
                }
                let turns = collected.len() % mask.len();
                mask.rotate_left(turns);
                self.collect(left - collected.len() as u64, mask, is_last);
                rest
            }
            State::Refused => {
                self.ready.extend_from_slice(bytes);
                &[]
            }
        }
    }

    /// Decides what becomes of a frame.
    fn begin(&mut self, frame: ClientFrame) {
        let ClientFrame { is_last, reserved, opcode, payload, mask } = frame;
        let (header, length) = self.header.finish();
        let is_data = matches!(opcode, TEXT | BINARY);
        match (&mut self.message, mask) {
            (None, Some(mask)) if reserved == COMPRESSED && is_data && !self.is_fragmented => {
                self.message = Some(Compressed { opcode, bytes: Vec::new(), fragments: 0 });
                self.fragment(payload, mask, is_last);
            }
            (Some(_), Some(mask)) if reserved == 0 && opcode == CONTINUATION => {
                self.fragment(payload, mask, is_last);
            }
            (message, mask) => {
                let interrupted = message.as_ref().filter(|_| opcode < CONTROL);
                if let Some(message) = interrupted {
                    // The reader has to know that a message has begun, to see what is wrong.
                    client_frame::write(message.opcode, &[], &mut self.ready);
                }
                self.ready.extend_from_slice(&header[..length]);
                if interrupted.is_some() || reserved != 0 || mask.is_none() {
                    return self.refuse();
                }
                if opcode < CONTROL {
                    self.is_fragmented = !is_last;
                }
                self.pass(payload);
            }
        }
    }

    fn fragment(&mut self, payload: u64, mask: [u8; 4], is_last: bool) {
        let Some(message) = &mut self.message else { return };
        message.fragments += 1;
        let room = longest(self.limit).saturating_sub(message.bytes.len());
        if payload > room as u64 || message.fragments > MOST_FRAGMENTS {
            return self.fail(Unreadable::TooLarge);
        }
        self.collect(payload, mask, is_last);
    }

    fn pass(&mut self, left: u64) {
        self.state = if left == 0 { State::Header } else { State::Passing(left) };
    }

    fn collect(&mut self, left: u64, mask: [u8; 4], is_last: bool) {
        if left > 0 {
            self.state = State::Collecting { left, mask, is_last };
            return;
        }
        self.state = State::Header;
        if is_last && let Some(Compressed { opcode, bytes, .. }) = self.message.take() {
            match inflate(bytes, self.limit) {
                Ok(message) => client_frame::write(FINAL | opcode, &message, &mut self.ready),
                Err(unreadable) => self.fail(unreadable),
            }
        }
    }

    fn fail(&mut self, unreadable: Unreadable) {
        match unreadable {
            Unreadable::TooLarge => {
                client_frame::write_header(FINAL | TEXT, self.limit as u64 + 1, &mut self.ready);
            }
            Unreadable::Corrupt => client_frame::write(FINAL | TEXT, NO_TEXT, &mut self.ready),
        }
        self.refuse();
    }

    fn refuse(&mut self) {
        self.message = None;
        self.state = State::Refused;
    }
}

/// Of the bytes, those that are still missing, and the others.
fn split(bytes: &[u8], left: u64) -> (&[u8], &[u8]) {
    bytes.split_at(usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()))
}

/// What a message of this length comes to at most when it is compressed, also by those who do it badly.
fn longest(limit: usize) -> usize {
    limit.saturating_add(limit / 8).saturating_add(64)
}

/// No text has such a byte.
const NO_TEXT: &[u8] = &[0xff];

/// Fragments of one compressed message, so that empty ones come to an end. More than anybody has a reason to send.
const MOST_FRAGMENTS: usize = 4096;

#[cfg(test)]
mod tests;
