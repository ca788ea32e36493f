use std::{pin::pin, time::Instant};

use futures_util::StreamExt;
use tokio::time::sleep_until;
use tokio_tungstenite::tungstenite::{Error, error::CapacityError};

use super::{CloseCode, Connection, frame, run::End};

/// How a conversation ends.
impl Connection {
    /// Says goodbye if the server closes, lets the outbox run empty and waits for the client's own closing frame.
    pub(super) async fn finish(&mut self, end: &End) {
        if let End::Close(code) = end {
            tracing::debug!(code = code.code(), reason = code.reason(), "closing a connection");
            self.worker.with_mailbox(self.id, |mailbox| mailbox.send_close(frame::close(*code)));
        }
        let deadline = Instant::now() + self.worker.node.settings.timeouts.close;
        let mut over = pin!(sleep_until(deadline.into()));
        let mut heard_out = matches!(end, End::Gone);
        while !heard_out || self.is_blocked() {
            tokio::select! {
                () = &mut over => return,
                _ = self.socket.writable(), if self.is_blocked() => {
                    self.worker.with_mailbox(self.id, |_| ());
                }
                message = self.websocket.next(), if !heard_out => {
                    heard_out = !matches!(message, Some(Ok(_)));
                }
            }
        }
    }
}

/// How a client is told what it did wrong (RFC 6455 §7.4.1).
pub(super) fn violation(error: &Error) -> CloseCode {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => CloseCode::TooLarge,
        Error::Utf8(_) => CloseCode::InvalidText,
        _ => CloseCode::ProtocolError,
    }
}
