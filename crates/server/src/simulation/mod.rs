//! Running in a simulated network instead of the machine's, for tests: see `tests/simulation` in the sources.
//!
//! A [`Server`](crate::Server) that is started within a simulation of turmoil has its workers among the tasks of its host, goes by
//! the host's clock, and connects to Redis through the simulated network. Outside of one, nothing is different.

pub(crate) mod watch;

use std::{
    cell::RefCell,
    fmt,
    future::poll_fn,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, ReadBuf};
use turmoil::net::{TcpListener, TcpStream};

/// A listener of the simulated network.
pub struct SimulatedListener(TcpListener);

/// A connection of it, shared between the side that reads and everyone who writes.
#[derive(Debug)]
pub(crate) struct SimulatedSocket(RefCell<TcpStream>);

/// Whether this is a host of a simulation.
pub(crate) fn is_running() -> bool {
    turmoil::sim_elapsed().is_some()
}

impl SimulatedListener {
    pub(crate) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.0.accept().await
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl From<TcpListener> for SimulatedListener {
    fn from(listener: TcpListener) -> Self {
        Self(listener)
    }
}

impl fmt::Debug for SimulatedListener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SimulatedListener").field(&self.0.local_addr()).finish()
    }
}

impl SimulatedSocket {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(RefCell::new(stream))
    }

    /// Takes as much as a kernel may, which is rarely everything.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let most = if fastrand::u8(..8) == 0 { fastrand::usize(1..=MOST_TAKEN) } else { bytes.len() };
        self.0.borrow().try_write(&bytes[..bytes.len().min(most)])
    }

    pub(crate) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let together: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        self.try_write(&together)
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        // What is waited for is asked anew each time: nothing is kept of it but who waits.
        poll_fn(|context| pin!(self.0.borrow().writable()).poll(context)).await
    }

    pub(crate) fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_read(context, buffer)
    }
}

/// Bytes that are taken at most of a write that is not taken whole.
const MOST_TAKEN: usize = 512;
