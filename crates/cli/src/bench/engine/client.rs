use std::{
    io::{self, ErrorKind, Read, Write},
    time::Duration,
};

use mio::net::TcpStream;
use thiserror::Error;

use super::{
    Crowd,
    changes::Change,
    frame::{self, FrameError, Start},
    stamp::{PROBE, Stamp},
    upgrade::{self, UpgradeError},
};
use crate::bench::subscription::Pushes;

/// One connection of the many. It owns a descriptor and a few words; bytes only while a frame is incomplete.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: TcpStream,
    state: State,
    /// Whether it has had a probe, which shows that its subscription is in force.
    probed: bool,
    /// The number of the last message.
    last: u32,
    /// The beginning of a frame whose rest is still to come.
    rest: Vec<u8>,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    /// The request is sent.
    Upgrading,
    /// The server is to speak first.
    Greeting,
    Ready,
    Closed,
}

/// Whether a server sends something of its own accord to everybody who connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::bench) enum Expect {
    /// One message, as geocast does
    Open,
    /// Nothing
    None,
}

/// Why a connection is of no more use.
#[derive(Debug, Error)]
pub(in crate::bench) enum ClientError {
    #[error("a connection cannot be made: {0}")]
    Connect(io::Error),
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("the server closed a connection with the code {code}: {reason:?}")]
    Closed { code: u16, reason: String },
    #[error("the server dropped a connection")]
    Dropped,
    #[error("a connection broke: {0}")]
    Io(io::Error),
}

impl Client {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, state: State::Connecting, probed: false, last: 0, rest: Vec::new() }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Does all that can be done now. `index` is its place among all clients.
    pub(super) fn proceed(&mut self, index: usize, crowd: &mut Crowd) -> Result<(), ClientError> {
        let outcome = self.try_proceed(index, crowd);
        if outcome.is_err() {
            self.state = State::Closed;
            self.rest = Vec::new();
        }
        outcome
    }

    fn try_proceed(&mut self, index: usize, crowd: &mut Crowd) -> Result<(), ClientError> {
        if self.state == State::Closed {
            return Ok(());
        }
        if self.state == State::Connecting {
            if let Some(error) = self.stream.take_error().map_err(ClientError::Connect)? {
                return Err(ClientError::Connect(error));
            }
            match self.stream.peer_addr() {
                Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(()),
                outcome => outcome.map_err(ClientError::Connect)?,
            };
            self.say(&crowd.request)?;
            self.state = State::Upgrading;
        }
        loop {
            let kept = self.rest.len();
            if kept > 0 {
                // Room for the frame's end, so that a long frame is not copied again for each of its parts.
                let needed = match first(self.state, &self.rest)? {
                    Start::Part { needed } => needed,
                    Start::Frame { .. } => 0,
                };
                crowd.buffer.make_room(needed);
                crowd.buffer.bytes[..kept].copy_from_slice(&self.rest);
            }
            let read = match self.stream.read(&mut crowd.buffer.bytes[kept..]) {
                Ok(0) => return Err(ClientError::Dropped),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Err(ClientError::Dropped),
                Err(error) => return Err(ClientError::Io(error)),
            };
            let filled = kept + read;
            // Taken for the time of reading, because what is read changes the rest of the crowd.
            let buffer = std::mem::take(&mut crowd.buffer);
            let understood = self.understand(index, &buffer.bytes[..filled], crowd);
            if let Ok(used) = understood {
                self.keep(&buffer.bytes[used..filled]);
            }
            let room = filled < buffer.bytes.len();
            crowd.buffer = buffer;
            understood?;
            // A read that leaves room has taken all there was (epoll(7)), and the next byte is an event of its own.
            if room {
                return Ok(());
            }
        }
    }

    /// Returns how many bytes were of use.
    fn understand(&mut self, index: usize, bytes: &[u8], crowd: &mut Crowd) -> Result<usize, ClientError> {
        let mut at = 0;
        if self.state == State::Upgrading {
            let Some(length) = upgrade::response(bytes)? else { return Ok(0) };
            at = length;
            self.state = State::Greeting;
            if crowd.expect == Expect::None {
                self.begin(index, crowd)?;
            }
        }
        while let Start::Frame { opcode, payload, length } = frame::first_frame(&bytes[at..])? {
            at += length;
            match opcode {
                frame::PING => {
                    let mut pong = Vec::new();
                    frame::write_masked(frame::PONG, payload, &mut pong);
                    self.say(&pong)?;
                }
                frame::PONG => {}
                frame::CLOSE => return Err(closed(payload)),
                _ if self.state == State::Greeting => self.begin(index, crowd)?,
                _ => self.note(payload, crowd),
            }
        }
        Ok(at)
    }

    fn begin(&mut self, index: usize, crowd: &mut Crowd) -> Result<(), ClientError> {
        self.state = State::Ready;
        let mut out = Vec::new();
        crowd.subscription.write(index, &mut out);
        if !out.is_empty() {
            self.say(&out)?;
        }
        crowd.tally.ready += 1;
        Ok(())
    }

    fn note(&mut self, payload: &[u8], crowd: &mut Crowd) {
        let Crowd { finder, tally, origin, subscription, .. } = crowd;
        if subscription.pushes() == Pushes::Changes {
            let Some(change) = Change::read(payload) else { return };
            tally.deliveries += 1;
            tally.changes.note(change);
            finder.each(payload, |Stamp { sent, number }| {
                if number != PROBE {
                    tally.latency.record(origin.elapsed().saturating_sub(Duration::from_nanos(sent)));
                }
            });
            return;
        }
        finder.each(payload, |Stamp { sent, number }| {
            if number == PROBE {
                tally.probed += usize::from(!std::mem::replace(&mut self.probed, true));
            } else if number > self.last {
                self.last = number;
                tally.deliveries += 1;
                tally.latency.record(origin.elapsed().saturating_sub(Duration::from_nanos(sent)));
            } else {
                tally.disordered += 1;
            }
        });
    }

    /// What a client says is short, so a socket that does not take it at once is one whose server does not read.
    pub(super) fn say(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.stream.write_all(bytes).map_err(ClientError::Io)
    }

    fn keep(&mut self, rest: &[u8]) {
        if rest.is_empty() {
            self.rest = Vec::new();
        } else {
            self.rest.clear();
            self.rest.extend_from_slice(rest);
        }
    }
}

/// A response is no frame, and has a bound of its own.
fn first(state: State, bytes: &[u8]) -> Result<Start<'_>, FrameError> {
    match state {
        State::Upgrading => Ok(Start::Part { needed: bytes.len() + 1 }),
        _ => frame::first_frame(bytes),
    }
}

fn closed(payload: &[u8]) -> ClientError {
    match *payload {
        [high, low, ref reason @ ..] => ClientError::Closed {
            code: u16::from_be_bytes([high, low]),
            reason: String::from_utf8_lossy(reason).into_owned(),
        },
        // RFC 6455 §7.1.5: the code of a closing frame without one.
        _ => ClientError::Closed { code: 1005, reason: String::new() },
    }
}
