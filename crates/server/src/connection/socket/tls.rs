use std::{
    cell::RefCell,
    io::{self, IoSlice, Read, Write},
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::{io::ReadBuf, net::TcpStream};
use tokio_rustls::{rustls::ServerConnection, server::TlsStream};

use super::Unsent;

/// A socket with a TLS session on it, after the handshake.
///
/// The session is driven by hand instead of as a stream, because fan-out writes from outside any task: plaintext is
/// encrypted only when the kernel has taken everything before it, so the session holds one bounded buffer and the rest
/// waits, unencrypted and shared with others, in the outbox.
#[derive(Debug)]
pub(crate) struct TlsSocket {
    stream: TcpStream,
    session: RefCell<ServerConnection>,
}

impl TlsSocket {
    pub(super) fn new(stream: TlsStream<TcpStream>) -> Self {
        let (stream, session) = stream.into_inner();
        Self { stream, session: RefCell::new(session) }
    }

    pub(super) fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
        let mut session = self.session.borrow_mut();
        match send(&mut session, &mut Plainly(&self.stream))? {
            Unsent::Nothing => {}
            Unsent::Moving => return Ok(Some(0)),
            Unsent::Stuck => return Ok(None),
        }
        let taken = session.writer().write_vectored(slices)?;
        if taken == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        // What stays behind is sent by the next write or flush.
        send(&mut session, &mut Plainly(&self.stream))?;
        Ok(Some(taken))
    }

    pub(super) fn flush(&self) -> io::Result<Unsent> {
        send(&mut self.session.borrow_mut(), &mut Plainly(&self.stream))
    }

    /// Takes nothing: a socket that is full has something from before.
    pub(super) fn insist(&self) -> io::Result<Option<usize>> {
        let mut session = self.session.borrow_mut();
        if !session.wants_write() {
            return Ok(None);
        }
        let unsent = send(&mut session, &mut Insistently(&self.stream))?;
        Ok((unsent != Unsent::Stuck).then_some(0))
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
    }

    pub(super) fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut session = self.session.borrow_mut();
        loop {
            match session.reader().read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Without the alert that ends a session (RFC 8446 §6.1). A WebSocket has a closing frame of its own.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Poll::Ready(Ok(())),
                Err(error) => return Poll::Ready(Err(error)),
            }
            ready!(self.stream.poll_read_ready(context))?;
            match session.read_tls(&mut Plainly(&self.stream)) {
                Ok(_) => {
                    let processed = session.process_new_packets();
                    // An alert, or new keys. What the kernel does not take goes out before the next frame.
                    let sent = send(&mut session, &mut Plainly(&self.stream));
                    processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                    sent?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Drop for TlsSocket {
    /// Ends the session (RFC 8446 §6.1), as far as the kernel takes it.
    fn drop(&mut self) {
        let session = self.session.get_mut();
        session.send_close_notify();
        // Nobody is there to be told.
        let _ended: io::Result<Unsent> = send(session, &mut Plainly(&self.stream));
    }
}

/// Hands to the kernel what the session has encrypted.
fn send(session: &mut ServerConnection, socket: &mut impl Write) -> io::Result<Unsent> {
    let mut unsent = Unsent::Stuck;
    while session.wants_write() {
        match session.write_tls(socket) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(_) => unsent = Unsent::Moving,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(unsent),
            Err(error) => return Err(error),
        }
    }
    Ok(Unsent::Nothing)
}

/// Reads and writes when the runtime knows the socket to be ready.
struct Plainly<'a>(&'a TcpStream);

impl Read for Plainly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Plainly<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes although the runtime does not know the socket to be ready.
struct Insistently<'a>(&'a TcpStream);

impl Write for Insistently<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SockRef::from(self.0).send(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
