//! The clients: ten thousand and more sockets on one thread, for far less than the work of the server under test.

mod changes;
mod client;
mod crowd;
mod frame;
mod latency;
mod stamp;
mod upgrade;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use socket2::{Domain, Protocol, Socket, Type};

use super::{progress::Progress, publisher::Publisher, subscription::Subscription, target::Target};

pub(super) use changes::{Change, Changes};
pub(super) use client::Expect;
pub(super) use crowd::Tally;
pub(super) use frame::{TEXT, write_masked};
pub(super) use latency::{Latency, Percentiles};
pub(super) use stamp::{PROBE, STAMP, Stamp};
pub(super) use upgrade::request;

use client::Client;
use crowd::{Buffer, Crowd};
use stamp::Finder;

/// All clients of a run, and who publishes to them.
#[derive(Debug)]
pub(super) struct Engine {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    crowd: Crowd,
    address: SocketAddr,
    publisher: Option<Publisher>,
    timeout: Duration,
}

impl Engine {
    /// Clients for a server, none of them connected. After `timeout` everything that is done with them fails.
    pub(super) fn new(
        target: &Target,
        expect: Expect,
        subscription: Subscription,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let crowd = Crowd {
            request: request(target),
            expect,
            subscription,
            finder: Finder::new(),
            origin: Instant::now(),
            buffer: Buffer::new(),
            tally: Tally::new(),
        };
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            clients: Vec::new(),
            crowd,
            address: target.address(),
            publisher: None,
            timeout,
        })
    }

    /// Lets this publisher's answers be read together with what the clients get.
    pub(super) fn attach(&mut self, mut publisher: Publisher) -> anyhow::Result<()> {
        publisher.register(self.poll.registry(), PUBLISHER)?;
        self.publisher = Some(publisher);
        Ok(())
    }

    /// Ends the publisher's connection, which a server may close while nothing is published on it.
    pub(super) fn detach(&mut self) {
        self.publisher = None;
    }

    /// Who publishes, if anybody was attached.
    pub(super) fn publisher(&mut self) -> anyhow::Result<&mut Publisher> {
        self.publisher.as_mut().context("this run publishes nothing")
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.crowd.tally
    }

    /// Since the beginning of the time of all stamps.
    pub(super) fn now(&self) -> Duration {
        self.crowd.origin.elapsed()
    }

    /// Connects `count` clients, at most `window` at the same time, and returns when each of them is ready.
    pub(super) fn connect(
        &mut self,
        count: usize,
        window: usize,
        progress: &mut Progress,
    ) -> anyhow::Result<()> {
        // In one piece, so that growing it is not part of what is measured.
        self.clients.reserve_exact(count);
        let goal = self.clients.len() + count;
        let mut last = (0, Instant::now());
        while self.crowd.tally.ready < goal {
            while self.clients.len() < goal && self.clients.len() - self.crowd.tally.ready < window {
                self.start(goal)?;
            }
            self.turn(TICK)?;
            self.complain()?;
            progress.say(|| format!("{} of {goal} clients connected", self.crowd.tally.ready));
            if last.0 != self.crowd.tally.ready {
                last = (self.crowd.tally.ready, Instant::now());
            }
            ensure!(
                last.1.elapsed() < PATIENCE,
                "{} of {goal} clients are connected, and no other for {PATIENCE:?}",
                self.crowd.tally.ready
            );
        }
        Ok(())
    }

    fn start(&mut self, goal: usize) -> anyhow::Result<()> {
        let index = self.clients.len();
        let mut stream = open(self.address, source(self.address, index, goal))
            .with_context(|| format!("connection {index} to {} cannot be made", self.address))?;
        self.poll.registry().register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        self.clients.push(Client::new(stream));
        Ok(())
    }

    /// Waits for events until `timeout` is over, and does what they ask for.
    pub(super) fn turn(&mut self, timeout: Duration) -> anyhow::Result<()> {
        let Self { poll, events, clients, crowd, publisher, timeout: end, .. } = self;
        ensure!(crowd.origin.elapsed() < *end, "not done within {end:?}; --timeout allows more");
        match poll.poll(events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            outcome => outcome.context("events cannot be waited for")?,
        }
        for event in &*events {
            if event.token() == PUBLISHER {
                if let Some(publisher) = publisher {
                    publisher.proceed()?;
                }
                continue;
            }
            let Token(index) = event.token();
            let Some(client) = clients.get_mut(index) else { continue };
            if client.is_closed() {
                continue;
            }
            if let Err(error) = client.proceed(index, crowd) {
                crowd.tally.lost += 1;
                crowd.tally.first_loss.get_or_insert(error);
                // What is closed is not told to the server in order; it lost this connection anyhow.
                poll.registry().deregister(&mut client.stream)?;
            }
        }
        Ok(())
    }

    /// Lets a client say something more.
    pub(super) fn say(&mut self, index: usize, text: &str) -> anyhow::Result<()> {
        let client = self.clients.get_mut(index).with_context(|| format!("there is no client {index}"))?;
        let mut out = Vec::new();
        write_masked(TEXT, text.as_bytes(), &mut out);
        Ok(client.say(&out)?)
    }

    /// Lets time pass in which clients still answer pings.
    pub(super) fn rest(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.turn(left.min(TICK))?;
        }
        Ok(())
    }

    /// A lost connection is an error.
    pub(super) fn complain(&mut self) -> anyhow::Result<()> {
        let Tally { lost, first_loss, .. } = &mut self.crowd.tally;
        match first_loss.take() {
            Some(error) if *lost > 1 => {
                Err(anyhow::Error::new(error).context(format!("{lost} connections were lost")))
            }
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

/// A socket on its way to a server.
pub(super) fn open(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = source {
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() == Some(IN_PROGRESS) => {}
        outcome => outcome?,
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// Where the connection of that index comes from. An address has about 28 000 ports for outgoing connections; the whole
/// network 127.0.0.0/8 is this machine.
fn source(address: SocketAddr, index: usize, count: usize) -> Option<IpAddr> {
    let local = address.is_ipv4() && address.ip().is_loopback();
    let number = u32::try_from(index / PORTS).ok()?;
    (local && count > PORTS).then(|| Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + number).into())
}

/// Raises the limit of open files to what so many connections take.
pub(super) fn raise_descriptors(connections: usize) -> anyhow::Result<()> {
    let limit =
        rlimit::increase_nofile_limit(u64::MAX).context("the limit of open files cannot be raised")?;
    if limit < (connections + SPARE_FILES) as u64 {
        bail!(
            "{connections} connections take more than the {limit} open files that are allowed: see `ulimit -Hn`"
        );
    }
    Ok(())
}

const PUBLISHER: Token = Token(usize::MAX - 1);
/// So many events are taken at once: few calls for many clients, and still little enough to stay in the cache.
const EVENTS: usize = 1024;
/// How long nothing may happen before something else is looked at.
const TICK: Duration = Duration::from_millis(50);
/// How long a server may take until the next connection is ready.
const PATIENCE: Duration = Duration::from_secs(10);
const PORTS: usize = 20_000;
const SPARE_FILES: usize = 64;
/// EINPROGRESS, which the standard library has no stable name for.
const IN_PROGRESS: i32 = rustix::io::Errno::INPROGRESS.raw_os_error();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_clients_come_from_several_addresses() {
        let server: SocketAddr = "127.0.0.1:80".parse().unwrap();
        let from = |address: [u8; 4]| Some(IpAddr::from(address));
        assert_eq!(source(server, 0, 20_000), None);
        assert_eq!(source(server, 0, 20_001), from([127, 0, 0, 1]));
        assert_eq!(source(server, 19_999, 100_000), from([127, 0, 0, 1]));
        assert_eq!(source(server, 99_999, 100_000), from([127, 0, 0, 5]));
        assert_eq!(source("[::1]:80".parse().unwrap(), 5, 100_000), None);
    }
}
