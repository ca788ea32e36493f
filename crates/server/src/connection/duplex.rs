use std::{
    fmt, io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use geocast_hub::SubscriberId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{READ_BUFFER, Socket, frame::holds_close, text_guard::TextGuard};
use crate::{deflate::Inflow, worker::Worker};

/// The stream that tungstenite sees: it reads from the socket, and what it writes joins the client's outbox.
///
/// tungstenite writes whole frames in one call, and every call is taken whole, so that its pongs and closing frames
/// never land inside a message and keep their order with everything else.
pub(crate) struct Duplex {
    socket: Rc<Socket>,
    worker: Rc<Worker>,
    id: SubscriberId,
    inflow: Option<Box<Inflow>>,
    /// Of what tungstenite has read.
    guard: TextGuard,
}

impl Duplex {
    pub(crate) fn new(socket: Rc<Socket>, worker: Rc<Worker>, id: SubscriberId) -> Self {
        Self { socket, worker, id, inflow: None, guard: TextGuard::default() }
    }

    /// From now on compressed messages of at most `limit` bytes are read as well, beginning with what the client has sent
    /// already.
    pub(super) fn inflate(&mut self, early: &[u8], limit: usize) {
        let mut inflow = Inflow::new(limit);
        inflow.receive(early);
        self.inflow = Some(Box::new(inflow));
    }

    /// What tungstenite is given elsewhere, before anything that it reads here.
    pub(super) fn given(&mut self, early: &[u8]) {
        self.guard.watch(early);
    }
}

impl AsyncRead for Duplex {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { socket, inflow, guard, .. } = self.get_mut();
        // What stands before it has been read by now, or more would not be wanted.
        guard.check()?;
        let before = buffer.filled().len();
        ready!(match inflow {
            None => socket.poll_read(context, buffer),
            Some(inflow) => poll_inflow(inflow, socket, context, buffer),
        })?;
        guard.watch(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, frames: &[u8]) -> Poll<io::Result<usize>> {
        self.worker.with_mailbox(self.id, |mailbox| {
            let bytes = Bytes::copy_from_slice(frames);
            if holds_close(frames) { mailbox.send_close(bytes) } else { mailbox.send(bytes) }
        });
        Poll::Ready(Ok(frames.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Reads what has been made of the bytes from the socket; none at all is the end of those.
fn poll_inflow(
    inflow: &mut Inflow,
    socket: &Socket,
    context: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    loop {
        let read = inflow.read(buffer.initialize_unfilled());
        buffer.advance(read);
        if read > 0 || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut bytes = [0; READ_BUFFER];
        let mut received = ReadBuf::new(&mut bytes);
        ready!(socket.poll_read(context, &mut received))?;
        if received.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
        inflow.receive(received.filled());
    }
}

impl fmt::Debug for Duplex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Duplex").field("id", &self.id).finish_non_exhaustive()
    }
}
