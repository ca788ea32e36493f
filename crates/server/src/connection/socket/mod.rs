mod tls;

use std::{
    io::{self, IoSlice},
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::{
    io::ReadBuf,
    net::{TcpStream, UnixStream},
};

#[cfg(feature = "simulation")]
use crate::simulation::SimulatedSocket;
use crate::transport::Stream;

use tls::TlsSocket;

/// A client's socket, shared between the side that reads and everyone who writes.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    /// On the heap, so that the others need no room for it.
    Tls(Box<TlsSocket>),
    Unix(UnixStream),
    #[cfg(feature = "simulation")]
    Simulated(SimulatedSocket),
}

/// What a socket has taken but not yet handed to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsent {
    Nothing,
    /// Something is left, and some was handed over just now.
    Moving,
    /// Something is left, and the kernel takes nothing at this moment.
    Stuck,
}

impl Socket {
    /// Writes without waiting, and says how many bytes were taken: what was taken is on its way and not to be written
    /// again. `None` when nothing moves at this moment; zero when only what had been taken before has moved on.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        match self {
            Self::Tcp(stream) => unless_full(stream.try_write(bytes)),
            Self::Tls(socket) => socket.write(&[IoSlice::new(bytes)]),
            Self::Unix(stream) => unless_full(stream.try_write(bytes)),
            #[cfg(feature = "simulation")]
            Self::Simulated(socket) => unless_full(socket.try_write(bytes)),
        }
    }

    /// Writes several parts in one call, as [`write`](Self::write) does.
    pub(crate) fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
        match self {
            Self::Tcp(stream) => unless_full(stream.try_write_vectored(slices)),
            Self::Tls(socket) => socket.write(slices),
            Self::Unix(stream) => unless_full(stream.try_write_vectored(slices)),
            #[cfg(feature = "simulation")]
            Self::Simulated(socket) => unless_full(socket.try_write_vectored(slices)),
        }
    }

    /// Hands to the kernel what has been taken before, as far as it goes without waiting.
    pub(crate) fn flush(&self) -> io::Result<Unsent> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => Ok(Unsent::Nothing),
            Self::Tls(socket) => socket.flush(),
            #[cfg(feature = "simulation")]
            Self::Simulated(_) => Ok(Unsent::Nothing),
        }
    }

    /// Writes although the kernel has not said that it would take anything: it says so only when a third of its buffer is
    /// free, which a slow reader takes long to bring about.
    pub(crate) fn insist(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let sent = match self {
            Self::Tcp(stream) => SockRef::from(stream).send(bytes),
            Self::Tls(socket) => return socket.insist(),
            Self::Unix(stream) => SockRef::from(stream).send(bytes),
            #[cfg(feature = "simulation")]
            Self::Simulated(socket) => socket.try_write(bytes),
        };
        Ok(unless_full(sent)?.filter(|sent| *sent > 0))
    }

    /// Waits until the kernel may take something.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            Self::Tls(socket) => socket.writable().await,
            Self::Unix(stream) => stream.writable().await,
            #[cfg(feature = "simulation")]
            Self::Simulated(socket) => socket.writable().await,
        }
    }

    pub(crate) fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let read = match self {
                Self::Tcp(stream) => {
                    ready!(stream.poll_read_ready(context))?;
                    stream.try_read(buffer.initialize_unfilled())
                }
                Self::Tls(socket) => return socket.poll_read(context, buffer),
                Self::Unix(stream) => {
                    ready!(stream.poll_read_ready(context))?;
                    stream.try_read(buffer.initialize_unfilled())
                }
                #[cfg(feature = "simulation")]
                Self::Simulated(socket) => return socket.poll_read(context, buffer),
            };
            match read {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl From<Stream> for Socket {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Tcp(stream) => Self::Tcp(stream),
            Stream::Tls(stream) => Self::Tls(Box::new(TlsSocket::new(*stream))),
            Stream::Unix(stream) => Self::Unix(stream),
            #[cfg(feature = "simulation")]
            Stream::Simulated(stream) => Self::Simulated(SimulatedSocket::new(stream)),
        }
    }
}

fn unless_full(written: io::Result<usize>) -> io::Result<Option<usize>> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
