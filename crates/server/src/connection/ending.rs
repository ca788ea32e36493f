use std::{borrow::Cow, pin::pin};

use futures_util::StreamExt;
use tokio::time::{sleep_until, timeout_at};
use tokio_tungstenite::tungstenite::{Error, error::CapacityError};

use super::{
    CloseCode, Connection, frame,
    publication::publish,
    run::{End, moment},
    trace::closed,
};
use crate::{clock, metrics::GONE, runtime::select, session::Effect};

/// How a conversation ends.
impl Connection {
    /// Says goodbye if the server closes, lets the outbox run empty and waits for the client's own closing frame.
    pub(super) async fn finish(&mut self, end: &End) {
        let name = match end {
            End::Close(code) => code.name(),
            End::Gone => GONE,
        };
        self.worker.node.counters.tallies.closes.add(name);
        closed(name);
        if let End::Close(code) = end {
            tracing::debug!(code = code.code(), reason = code.reason(), "closing a connection");
            let frame = frame::close(*code, &reason(*code));
            self.worker.with_mailbox(self.id, |mailbox| mailbox.send_close(frame));
        }
        let deadline = clock::now() + self.worker.node.settings.timeouts.close;
        let mut over = pin!(sleep_until(deadline.into()));
        let mut heard_out = matches!(end, End::Gone);
        while !heard_out || self.is_blocked() {
            select! {
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

/// What is left to be done when it has ended.
impl Connection {
    /// Does what a client said before it broke the protocol: that was in order, and is answered before the client is told
    /// what was not.
    pub(super) async fn conclude(&mut self, end: &End) {
        let End::Close(CloseCode::ProtocolError | CloseCode::InvalidText | CloseCode::TooLarge) = end else {
            return;
        };
        let deadline = clock::now() + self.worker.node.settings.timeouts.close;
        let effects = self.session.settle();
        self.add(effects);
        self.proceed();
        while let Some(work) = &mut self.work {
            let Ok(done) = timeout_at(deadline.into(), work).await else { return };
            self.work = None;
            self.complete(done);
            self.proceed();
        }
    }

    /// Tells the dialect, and publishes what the client said before its end and what the dialect says now: whoever closes at
    /// once has still published. Nothing else of what is waiting has anybody whom it concerns.
    pub(super) async fn close(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        effects.extend(self.session.settle());
        let noted = self.session.close(&self.dialect, moment(clock::now()));
        noted.0.into_iter().for_each(|count| self.count(count));
        effects.extend(self.session.settle());
        let deadline = clock::now() + self.worker.node.settings.timeouts.close;
        if let Some(work) = self.work.take() {
            // It may be an answer that nobody reads any more.
            drop(timeout_at(deadline.into(), work).await);
        }
        for effect in effects {
            if !matches!(effect, Effect::Publish(..)) {
                continue;
            }
            let Some(Effect::Publish(publication, _)) = self.admitted(effect) else { continue };
            // What has begun goes on by itself.
            match timeout_at(deadline.into(), publish(&self.worker, publication)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(event = "last_words_failed", %error, "the last words of a client could not be published")
                }
                Err(_elapsed) => {
                    tracing::warn!(
                        event = "last_words_late",
                        "the last words of a client could not all be published in time"
                    );
                    return;
                }
            }
        }
    }
}

/// What a client is told. Those who are sent away by a server that stops are also told when to come back, each at another time.
fn reason(code: CloseCode) -> Cow<'static, str> {
    match code {
        CloseCode::Restart => {
            let wait = fastrand::u64(SOONEST_RETRY..=LATEST_RETRY);
            format!("{}; retry in {wait} ms", code.reason()).into()
        }
        _ => code.reason().into(),
    }
}

/// How a client is told what it did wrong (RFC 6455 §7.4.1).
pub(super) fn violation(error: &Error) -> CloseCode {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => CloseCode::TooLarge,
        // The latter is a text that is broken off where it can no longer become one.
        Error::Utf8(_) | Error::Io(_) => CloseCode::InvalidText,
        _ => CloseCode::ProtocolError,
    }
}

/// Milliseconds after which clients of a server that stops are asked to come back: time for another one to take the port, and
/// for them not to come all at once.
const SOONEST_RETRY: u64 = 500;
const LATEST_RETRY: u64 = 5_000;
