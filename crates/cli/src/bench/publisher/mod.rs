//! Who publishes: one connection, on which any number of messages may be on their way.

mod bare;
mod http;
mod redis;
mod socket;

use std::{
    fmt,
    io::{ErrorKind, Read, Write},
    net::TcpStream as StdStream,
    time::Duration,
};

use anyhow::Context;
use geocast_protocol::Channel;
use mio::{Interest, Registry, Token, net::TcpStream};
use thiserror::Error;

use super::target::{Scheme, Target};

pub(super) use bare::{ACKNOWLEDGEMENT, read_batch};

/// Something to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Publication {
    /// The key whose state it is; a message has none.
    pub(super) key: Option<u32>,
    pub(super) payload: Vec<u8>,
}

/// A connection to publish on, and what was said on it.
#[derive(Debug)]
pub(super) struct Publisher {
    stream: TcpStream,
    wire: Box<dyn Wire>,
    out: Vec<u8>,
    input: Vec<u8>,
    /// Answers to come in all, and those that came.
    expected: u64,
    answered: u64,
}

/// How messages are published.
trait Wire: fmt::Debug {
    /// Appends what publishes all of these, and returns how many answers come to it.
    fn encode(&self, batch: &[Publication], out: &mut Vec<u8>) -> u64;

    /// Takes whole answers: how many bytes, and how many answers they are.
    fn answers(&self, input: &[u8]) -> Result<(usize, u64), Refusal>;
}

/// Why something was not published.
#[derive(Debug, PartialEq, Eq, Error)]
enum Refusal {
    #[error("redis refuses to publish: {0}")]
    Redis(String),
    #[error("the server refuses to publish, with the HTTP status {status}: {body}")]
    Http { status: u16, body: String },
    #[error("what answers is no {0}")]
    Protocol(&'static str),
}

impl Publisher {
    /// Connects to what the target's scheme says.
    pub(super) fn connect(target: &Target, channel: &Channel, key: Option<&str>) -> anyhow::Result<Self> {
        let mut stream = connect(target)?;
        let wire: Box<dyn Wire> = match target.url().scheme {
            Scheme::Redis => Box::new(redis::Redis::new(channel)),
            Scheme::Http => Box::new(http::Http::new(target, channel, key)),
            Scheme::WebSocket => Box::new(socket::Socket::open(&mut stream, target)?),
        };
        Self::on(stream, wire)
    }

    /// Connects to a bare loop of this program.
    pub(super) fn bare(target: &Target) -> anyhow::Result<Self> {
        Self::on(connect(target)?, Box::new(bare::Bare))
    }

    fn on(stream: StdStream, wire: Box<dyn Wire>) -> anyhow::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let stream = TcpStream::from_std(stream);
        Ok(Self { stream, wire, out: Vec::new(), input: Vec::new(), expected: 0, answered: 0 })
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> std::io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Sends all of these in one go.
    pub(super) fn publish(&mut self, batch: &[Publication]) -> anyhow::Result<()> {
        self.expected += self.wire.encode(batch, &mut self.out);
        self.flush()
    }

    /// Whether everything was taken.
    pub(super) fn is_settled(&self) -> bool {
        self.out.is_empty() && self.answered == self.expected
    }

    /// Reads answers, and sends what could not be sent before.
    pub(super) fn proceed(&mut self) -> anyhow::Result<()> {
        self.flush()?;
        loop {
            let mut part = [0; 16 << 10];
            match self.stream.read(&mut part) {
                Ok(0) => anyhow::bail!("the connection to publish on was closed"),
                Ok(read) => self.input.extend_from_slice(&part[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("answers to publications cannot be read"),
            }
        }
        let (used, answered) = self.wire.answers(&self.input)?;
        self.input.drain(..used);
        self.answered += answered;
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(written) => {
                    self.out.drain(..written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("messages cannot be published"),
            }
        }
        Ok(())
    }
}

impl From<Vec<u8>> for Publication {
    fn from(payload: Vec<u8>) -> Self {
        Self { key: None, payload }
    }
}

fn connect(target: &Target) -> anyhow::Result<StdStream> {
    let stream = StdStream::connect_timeout(&target.address(), PATIENCE)
        .with_context(|| format!("{} cannot be reached to publish there", target.url()))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

const PATIENCE: Duration = Duration::from_secs(10);
