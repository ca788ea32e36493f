use std::{
    io::{self, IoSlice},
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::{io::ReadBuf, net::TcpStream};

/// A client's socket, shared between the side that reads and everyone who writes.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl Socket {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(stream)
    }

    /// Writes without waiting; `None` when the kernel takes nothing at this moment.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        unless_full(self.0.try_write(bytes))
    }

    /// Writes several parts in one call, as [`write`](Self::write) does.
    pub(crate) fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
        unless_full(self.0.try_write_vectored(slices))
    }

    /// Writes although the kernel has not said that it would take anything: it says so only when a third of its buffer is
    /// free, which a slow reader takes long to bring about.
    pub(crate) fn insist(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        unless_full(SockRef::from(&self.0).send(bytes))
    }

    /// Waits until the kernel may take something.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.0.writable().await
    }

    pub(crate) fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            match self.0.try_read(buffer.initialize_unfilled()) {
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

fn unless_full(written: io::Result<usize>) -> io::Result<Option<usize>> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
