use std::{collections::VecDeque, pin::pin, rc::Rc, time::Instant};

use futures_util::{FutureExt, StreamExt};
use geocast_hub::SubscriberId;
use tokio::{net::TcpStream, sync::Notify, time::sleep_until};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, error::CapacityError, protocol::Role},
};

use super::{
    CloseCode, Mailbox, Socket,
    duplex::Duplex,
    effects::Work,
    frame,
    liveness::{Due, Liveness},
    mailbox::Condition,
};
use crate::{
    Count,
    interest::Sight,
    node::Place,
    session::{Effect, Session},
    worker::Worker,
};

/// An upgraded connection and all it needs to be served.
pub(crate) struct Connection {
    pub(super) worker: Rc<Worker>,
    pub(super) id: SubscriberId,
    pub(super) session: Session,
    pub(super) sight: Sight,
    /// What is still to be done, in order.
    pub(super) effects: VecDeque<Effect>,
    /// The effect that is under way and needs time.
    pub(super) work: Option<Work>,
    pub(super) marks: Vec<(geocast_protocol::Channel, u64)>,
    websocket: WebSocketStream<Duplex>,
    socket: Rc<Socket>,
    wake: Rc<Notify>,
    liveness: Liveness,
    /// When the first frames of the connection are applied as a set; afterwards a set is what is there at once.
    settle_at: Option<Instant>,
    /// When the connection is to be closed because the server stops.
    leave_at: Option<Instant>,
    _place: Place,
}

/// What an upgrade hands over.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) stream: TcpStream,
    /// Bytes that the client sent behind its handshake.
    pub(crate) early: Vec<u8>,
    pub(crate) place: Place,
}

/// How a conversation ends.
enum End {
    /// The server closes.
    Close(CloseCode),
    /// The client has closed, or is gone.
    Gone,
}

impl Connection {
    /// Serves a client until the connection ends.
    pub(crate) async fn serve(worker: Rc<Worker>, opening: Opening) {
        let socket = Rc::new(Socket::new(opening.stream));
        let wake = Rc::new(Notify::new());
        let settings = &worker.node.settings;
        let id = worker.connect(Mailbox::new(settings, Rc::clone(&socket), Rc::clone(&wake)));
        let duplex = Duplex::new(Rc::clone(&socket), Rc::clone(&worker), id);
        let config = super::websocket_config(settings.limits.message);
        let websocket =
            WebSocketStream::from_partially_read(duplex, opening.early, Role::Server, Some(config)).await;
        let now = Instant::now();
        let mut connection = Self {
            session: Session::new(std::sync::Arc::clone(&worker.node.rules), now),
            sight: Sight { output: None, window: None, absent: settings.absent_client_reference },
            effects: VecDeque::from([Session::greeting()]),
            work: None,
            marks: Vec::new(),
            liveness: Liveness::new(&settings.timeouts, now),
            settle_at: Some(now),
            leave_at: None,
            _place: opening.place,
            worker,
            id,
            websocket,
            socket,
            wake,
        };
        let end = connection.converse().await;
        connection.finish(&end).await;
        connection.worker.disconnect(id);
    }

    async fn converse(&mut self) -> End {
        loop {
            self.proceed();
            let now = Instant::now();
            if let Some(end) = self.tick(now) {
                return end;
            }
            let deadline = self.deadline(now);
            let reads = self.reads(now);
            tokio::select! {
                message = self.websocket.next(), if reads => {
                    if let Some(end) = self.receive(message) {
                        return end;
                    }
                }
                done = async { self.work.as_mut().expect("guarded by the condition").await }, if self.work.is_some() => {
                    self.work = None;
                    self.complete(done);
                }
                _ = self.socket.writable(), if self.is_blocked() => {
                    self.worker.with_mailbox(self.id, |_| ());
                }
                () = self.wake.notified() => {}
                () = sleep_until(deadline.into()) => {}
            }
        }
    }

    /// Takes a message and all others that are already there: they are applied as a set.
    fn receive(&mut self, first: Option<Result<Message, Error>>) -> Option<End> {
        let now = Instant::now();
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(message) = next {
            self.liveness.heard(now);
            if let Some(end) = self.take(message, now) {
                return Some(end);
            }
            taken += 1;
            next = if taken < LARGEST_SET && self.reads(now) {
                self.websocket.next().now_or_never()
            } else {
                None
            };
        }
        None
    }

    fn take(&mut self, message: Option<Result<Message, Error>>, now: Instant) -> Option<End> {
        let mut effects = Vec::new();
        let noted = match message {
            Some(Ok(Message::Text(text))) => self.session.receive(&text, now, &mut effects),
            Some(Ok(Message::Binary(bytes))) => self.session.receive_binary(bytes.len(), now, &mut effects),
            Some(Ok(_)) => return None,
            None | Some(Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Io(_))) => {
                return Some(End::Gone);
            }
            Some(Err(error)) => {
                self.count(Count::ClosedProtocol);
                return Some(End::Close(violation(&error)));
            }
        };
        self.effects.extend(effects);
        for count in noted.0 {
            self.count(count);
        }
        if self.session.resumes(now).is_some() {
            self.count(Count::CommandDelayed);
        }
        None
    }

    /// Does what the time demands.
    fn tick(&mut self, now: Instant) -> Option<End> {
        if self.session.is_unsettled() && self.settles_at(now) <= now {
            self.settle_at = None;
            let mut effects = Vec::new();
            self.session.settle(&mut effects);
            self.effects.extend(effects);
            self.proceed();
        }
        if let Some(spread) = self.worker.draining() {
            let leave_at = *self.leave_at.get_or_insert_with(|| now + spread.mul_f64(fastrand::f64()));
            if leave_at <= now {
                return Some(End::Close(CloseCode::Restart));
            }
        }
        match self.liveness.due(now) {
            Due::Ping => {
                self.worker.with_mailbox(self.id, |mailbox| mailbox.send(frame::PING));
            }
            Due::Close => {
                self.count(Count::ClosedSilent);
                return Some(End::Close(CloseCode::Silent));
            }
            Due::Nothing => {}
        }
        if self.mailbox(|mailbox| mailbox.due()).is_some_and(|due| due <= now) {
            self.worker.with_mailbox(self.id, |_| ());
        }
        match self.mailbox(|mailbox| Some(mailbox.condition()))? {
            Condition::Idle => None,
            Condition::Blocked { since } if since + self.worker.node.settings.timeouts.write > now => None,
            Condition::Blocked { .. } | Condition::Overflowed => {
                self.count(Count::ClosedSlow);
                Some(End::Close(CloseCode::SlowConsumer))
            }
            Condition::Broken(_) => Some(End::Gone),
        }
    }

    /// When something is to be done although nothing has come.
    fn deadline(&self, now: Instant) -> Instant {
        let mut deadline = self.liveness.next();
        let write_limit = self.worker.node.settings.timeouts.write;
        let blocked = self.mailbox(|mailbox| match mailbox.condition() {
            Condition::Blocked { since } => Some(since + write_limit),
            _ => None,
        });
        let settle = self.session.is_unsettled().then(|| self.settles_at(now));
        let candidates = [
            blocked,
            settle,
            self.leave_at,
            self.session.resumes(now),
            self.mailbox(|mailbox| mailbox.due()),
        ];
        for candidate in candidates.into_iter().flatten() {
            deadline = deadline.min(candidate);
        }
        deadline
    }

    /// When the frames that have come are applied: at once, but for the first ones of a connection, which a client
    /// sends one by one.
    fn settles_at(&self, now: Instant) -> Instant {
        self.settle_at
            .map_or(now, |_| self.liveness.first_heard().map_or(now, |first| first + self.settle_time()))
    }

    fn settle_time(&self) -> std::time::Duration {
        self.worker.node.settings.timeouts.settle
    }

    /// Whether more may be read: not faster than the client's rate allows, and not while much is still to be done.
    fn reads(&self, now: Instant) -> bool {
        self.effects.len() < MOST_EFFECTS && self.session.resumes(now).is_none()
    }

    fn is_blocked(&self) -> bool {
        self.mailbox(|mailbox| matches!(mailbox.condition(), Condition::Blocked { .. }).then_some(()))
            .is_some()
    }

    fn mailbox<T>(&self, look: impl FnOnce(&Mailbox) -> Option<T>) -> Option<T> {
        self.worker.look_into(self.id, look)
    }

    pub(super) fn count(&self, count: Count) {
        self.worker.node.count(count);
    }

    /// Says goodbye if the server closes, lets the outbox run empty and waits for the client's own closing frame.
    async fn finish(&mut self, end: &End) {
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
fn violation(error: &Error) -> CloseCode {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => CloseCode::TooLarge,
        Error::Utf8(_) => CloseCode::InvalidText,
        _ => CloseCode::ProtocolError,
    }
}

/// Frames applied as one set.
const LARGEST_SET: usize = 64;

/// Effects that may wait before reading pauses. One command has at most as many as there are subscriptions.
const MOST_EFFECTS: usize = 64;
