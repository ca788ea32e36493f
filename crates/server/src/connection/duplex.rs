use std::{
    fmt, io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use geocast_hub::SubscriberId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Socket, frame::holds_close};
use crate::worker::Worker;

/// The stream that tungstenite sees: it reads from the socket, and what it writes joins the client's outbox.
///
/// tungstenite writes whole frames in one call, and every call is taken whole, so that its pongs and closing frames
/// never land inside a message and keep their order with everything else.
pub(crate) struct Duplex {
    socket: Rc<Socket>,
    worker: Rc<Worker>,
    id: SubscriberId,
}

impl Duplex {
    pub(crate) fn new(socket: Rc<Socket>, worker: Rc<Worker>, id: SubscriberId) -> Self {
        Self { socket, worker, id }
    }
}

impl AsyncRead for Duplex {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.socket.poll_read(context, buffer)
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

impl fmt::Debug for Duplex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Duplex").field("id", &self.id).finish_non_exhaustive()
    }
}
