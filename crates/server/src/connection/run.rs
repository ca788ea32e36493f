use std::{collections::VecDeque, rc::Rc, sync::Arc, time::Instant};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::Either};
use geocast_geo_filter::KnownCrs;
use geocast_hub::SubscriberId;
use tokio::{sync::Notify, task::JoinSet, time::sleep_until};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, error::ProtocolError, protocol::Role},
};
use tracing::Span;

use super::{
    CloseCode, Mailbox, Socket, attendance::Seats, duplex::Duplex, ending::violation, fetch::Fetched,
    liveness::Liveness, mailbox::Condition, text_guard::NotText, trace::traced, work::Work,
};
use crate::{
    Count, Limits,
    access::Identity,
    clock,
    deflate::Deflate,
    dialect::{self, AnyDialect, Payload},
    endpoint::Endpoint,
    interest::Sight,
    node::Place,
    operator::Card,
    runtime::select,
    session::{Effect, Noted, Now, Session},
    transport::{Peer, Stream},
    worker::Worker,
};

/// An upgraded connection and all it needs to be served.
pub(crate) struct Connection {
    pub(super) worker: Rc<Worker>,
    pub(super) id: SubscriberId,
    pub(super) session: Session,
    pub(super) sight: Sight,
    /// How pushes are compressed, if they are.
    pub(super) deflate: Option<Deflate>,
    /// In which the client speaks.
    pub(super) dialect: AnyDialect,
    /// What is kept to be sent together, if something is.
    pub(super) gathered: Option<Vec<Payload>>,
    /// What is still to be done, in order.
    pub(super) effects: VecDeque<Effect>,
    /// The effect that is under way and needs time.
    pub(super) work: Option<Work>,
    /// Requests that handlers are working on, if there are any; what is in here ends with the connection.
    pub(super) handled: Option<JoinSet<Payload>>,
    /// State that was read lately, of channels that the client is not subscribed to.
    pub(super) marks: Vec<Fetched>,
    /// Where others are told of the client; one for each such channel that it is subscribed to.
    pub(super) seats: Option<Box<Seats>>,
    pub(super) websocket: WebSocketStream<Duplex>,
    pub(super) socket: Rc<Socket>,
    wake: Rc<Notify>,
    pub(super) liveness: Liveness,
    /// Whether the first frames of the connection are still being collected; afterwards a set is what is there at once.
    pub(super) is_opening: bool,
    /// Whether the client has asked to be closed.
    pub(super) is_over: bool,
    /// When the connection is to be closed: because the server stops, or the client is dismissed.
    pub(super) leave_at: Option<Instant>,
    /// With what the connection is to be closed if its client may not stay. Until then nothing is read.
    pub(super) dismissed: Option<CloseCode>,
    _place: Place,
}

/// What an upgrade hands over.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) stream: Stream,
    /// What of the answer to the handshake is still to be sent.
    pub(crate) response: Bytes,
    /// Bytes that the client sent behind its handshake.
    pub(crate) early: Vec<u8>,
    /// The coordinate system in which the session begins.
    pub(crate) output: KnownCrs,
    pub(crate) endpoint: Endpoint,
    /// Who connected: behind a trusted proxy, its client.
    pub(crate) client: Peer,
    pub(crate) identity: Identity,
    /// How messages are compressed, if that was agreed upon.
    pub(crate) deflate: Option<Deflate>,
    pub(crate) place: Place,
    /// In which the client is served, if somebody wants to know.
    pub(crate) span: Option<Span>,
}

/// What an opening has become before anything is read.
struct Begun {
    worker: Rc<Worker>,
    id: SubscriberId,
    /// Those that hold at this moment.
    limits: Arc<Limits>,
    socket: Rc<Socket>,
    wake: Rc<Notify>,
    output: KnownCrs,
    endpoint: Endpoint,
    identity: Identity,
    deflate: Option<Deflate>,
    place: Place,
}

/// How a conversation ends.
pub(super) enum End {
    /// The server closes.
    Close(CloseCode),
    /// The client has closed, or is gone.
    Gone,
}

impl Connection {
    /// Serves a client until the connection ends. One that has a span has it on the heap.
    pub(crate) fn serve(worker: Rc<Worker>, mut opening: Box<Opening>) -> impl Future<Output = ()> {
        match opening.span.take() {
            Some(span) => Either::Left(Box::pin(traced(span, Self::run(worker, opening)))),
            None => Either::Right(Self::run(worker, opening)),
        }
    }

    async fn run(worker: Rc<Worker>, opening: Box<Opening>) {
        // What is borrowed here has its room in the task of every connection, for as long as that lasts, even if it is moved
        // away before the first wait. So all of it is prepared elsewhere.
        let (duplex, early, begun) = Begun::from(worker, *opening);
        let config = super::websocket_config(begun.limits.message);
        let websocket = WebSocketStream::from_partially_read(duplex, early, Role::Server, Some(config)).await;
        let mut connection = Self::new(begun, websocket);
        let id = connection.id;
        connection.proceed();
        // Not every dialect greets, and the answer to the handshake is still to be sent.
        connection.worker.with_mailbox(id, |_| ());
        let end = connection.converse().await;
        connection.conclude(&end).await;
        connection.depart();
        connection.close().await;
        connection.finish(&end).await;
        connection.worker.disconnect(id, connection.dialect.name());
    }

    fn new(begun: Begun, websocket: WebSocketStream<Duplex>) -> Self {
        let Begun { worker, id, limits, socket, wake, output, endpoint, identity, deflate, place } = begun;
        let now = clock::now();
        let rules = Arc::clone(&worker.node.rules);
        let mut session = Session::new(rules, limits, identity.clone(), output, now);
        let dialect = endpoint.dialect;
        Self {
            sight: Sight {
                rights: identity.rights(),
                reader: dialect.spares_sender().then(|| session.client()),
                deflate,
                ..Sight::of_everything(dialect.clone())
            },
            deflate,
            effects: session.open(&dialect, endpoint.channel, moment(now)).into(),
            session,
            dialect,
            gathered: None,
            work: None,
            handled: None,
            marks: Vec::new(),
            seats: None,
            liveness: Liveness::new(&worker.node.settings.timeouts, now),
            is_opening: true,
            is_over: false,
            leave_at: None,
            dismissed: None,
            _place: place,
            worker,
            id,
            websocket,
            socket,
            wake,
        }
    }

    async fn converse(&mut self) -> End {
        // The answer to the handshake may have no envelope to leave with.
        self.proceed();
        self.worker.with_mailbox(self.id, |_| ());
        // What has come is read without a wait. Where filters compute longer than their client is made to wait for it, as on a busy
        // machine, this thread would do nothing else.
        let mut has_read = false;
        loop {
            self.proceed();
            let now = clock::now();
            if let Some(end) = self.tick(now) {
                return end;
            }
            // Behind what has just been written because it was time.
            let catches_up = self.catch_up();
            let deadline = self.deadline(now);
            let reads = self.reads(now);
            select! {
                message = self.websocket.next(), if reads && !has_read => {
                    if let Some(end) = self.receive(message) {
                        return end;
                    }
                    has_read = true;
                }
                done = async { self.work.as_mut().expect("guarded by the condition").await }, if self.work.is_some() => {
                    self.work = None;
                    self.complete(done);
                }
                reply = async { self.handled.as_mut().expect("guarded by the condition").join_next().await }, if self.handled.is_some() => {
                    self.handled_one(reply);
                }
                _ = self.socket.writable(), if self.is_blocked() => {
                    self.worker.with_mailbox(self.id, |_| ());
                }
                () = self.wake.notified() => {}
                // Others have their turn in between.
                () = tokio::task::yield_now(), if catches_up || has_read => has_read = false,
                () = sleep_until(deadline.into()) => {}
            }
        }
    }

    /// Takes a message and all others that are already there: they are applied as a set.
    pub(super) fn receive(&mut self, first: Option<Result<Message, Error>>) -> Option<End> {
        let now = clock::now();
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(message) = next {
            self.liveness.heard(now);
            if let Some(end) = self.take(message, now) {
                return Some(end);
            }
            taken += 1;
            next = if taken < LARGEST_SET && (self.reads(now) || self.session.is_panning()) {
                self.websocket.next().now_or_never()
            } else {
                None
            };
        }
        None
    }

    fn take(&mut self, message: Option<Result<Message, Error>>, now: Instant) -> Option<End> {
        let noted = match message {
            Some(Ok(Message::Text(text))) => {
                self.session.receive(dialect::Message::Text(&text), &self.dialect, moment(now))
            }
            Some(Ok(Message::Binary(bytes))) => {
                self.session.receive(dialect::Message::Binary(&bytes), &self.dialect, moment(now))
            }
            // Pings and pongs: tungstenite has answered what is to be answered.
            Some(Ok(_)) => {
                self.session.spend(now);
                Noted::default()
            }
            None
            | Some(Err(
                Error::ConnectionClosed
                | Error::AlreadyClosed
                | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
            )) => return Some(End::Gone),
            Some(Err(Error::Io(error))) if !NotText::is(&error) => return Some(End::Gone),
            Some(Err(error)) => {
                self.count(Count::ClosedProtocol);
                return Some(End::Close(violation(&error)));
            }
        };
        for count in noted.0 {
            self.count(count);
        }
        if self.session.resumes(now).is_some() {
            self.count(Count::CommandDelayed);
        }
        None
    }

    /// Whether more may be read: not faster than the client's rate allows, not while much is still to be done, and not of who
    /// may not stay.
    pub(super) fn reads(&self, now: Instant) -> bool {
        self.effects.len() < MOST_EFFECTS && self.session.resumes(now).is_none() && self.dismissed.is_none()
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.mailbox(|mailbox| matches!(mailbox.condition(), Condition::Blocked { .. }).then_some(()))
            .is_some()
    }

    pub(super) fn mailbox<T>(&self, look: impl FnOnce(&Mailbox) -> Option<T>) -> Option<T> {
        self.worker.look_into(self.id, look)
    }

    pub(super) fn count(&self, count: Count) {
        self.worker.node.count(count);
    }
}

impl Begun {
    /// With what is read from, and what of it is there already.
    fn from(worker: Rc<Worker>, opening: Opening) -> (Duplex, Vec<u8>, Self) {
        let Opening {
            stream,
            response,
            mut early,
            output,
            endpoint,
            client,
            identity,
            deflate,
            place,
            span: _taken,
        } = opening;
        let socket = Rc::new(Socket::from(stream));
        let wake = Rc::new(Notify::new());
        let limits = worker.node.rules.limits.current();
        let card = Box::new(Card::new(client, endpoint.dialect.name()));
        let mut mailbox = Mailbox::new(&limits, Rc::clone(&socket), Rc::clone(&wake), card);
        // It leaves together with the first envelope.
        if !response.is_empty() {
            mailbox.send(response);
        }
        let id = worker.connect(mailbox, endpoint.dialect.name());
        let mut duplex = Duplex::new(Rc::clone(&socket), Rc::clone(&worker), id);
        if deflate.is_some() {
            duplex.inflate(&std::mem::take(&mut early), limits.message);
        }
        duplex.given(&early);
        (duplex, early, Self { worker, id, limits, socket, wake, output, endpoint, identity, deflate, place })
    }
}

/// A moment of this process's clock with the time of day.
pub(super) fn moment(instant: Instant) -> Now {
    Now { instant, wall: clock::timestamp() }
}

/// Frames applied as one set.
const LARGEST_SET: usize = 64;

/// Effects that may wait before reading pauses. One command has at most as many as there are subscriptions.
const MOST_EFFECTS: usize = 64;

#[cfg(test)]
mod tests {
    use crate::http;

    /// Every connection has a task of this size for as long as it lasts. What is kept by mistake takes hundreds of bytes.
    #[test]
    fn what_waits_takes_little_room() {
        fn returned<A, B, C, R>(_: fn(A, B, C) -> R) -> usize {
            size_of::<R>()
        }
        let room = returned(http::serve);
        assert!(
            room <= 2_100,
            "{room} bytes: is something borrowed that is moved away before the first wait?"
        );
    }
}
