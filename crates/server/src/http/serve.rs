use std::{
    cell::Cell,
    convert::Infallible,
    future::poll_fn,
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode},
    response::IntoResponse,
};
use bytes::Bytes;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, ReadBuf},
    select,
    time::timeout,
};
use tower::ServiceExt;

use super::{
    answer::Refusal,
    attended::{Answered, Arriving},
    patient::Patient,
    rewound::Rewound,
    upgrade,
};
use crate::{
    Count,
    accept::Accepted,
    admission::LobbyPlace,
    clock,
    connection::{Connection, Opening},
    log_limit::LogLimit,
    transport::{Arrival, OpenError, Peer, Stream},
    worker::Worker,
};

/// Serves a connection until it is closed.
pub(crate) async fn serve(worker: Rc<Worker>, accepted: Box<Accepted>, router: Router) {
    let Accepted { arrival, peer, seat: _seat, entrance } = *accepted;
    entrance.place().rest(clock::now());
    let first = timeout(worker.node.settings.timeouts.header, first(&worker, arrival, peer));
    match unless_dismissed(&worker, peer, entrance.place(), first).await {
        Some(Ok(Ok(First::Handshake(opening)))) => {
            // From here on it has a place among the WebSockets.
            drop(entrance);
            Connection::serve(worker, opening).await;
        }
        // On the heap: few connections need this much room, and all would have it.
        Some(Ok(Ok(First::Other(stream, refused)))) => {
            let place = Arc::clone(entrance.place());
            let conversation =
                converse(Rc::clone(&worker), stream, peer, router, refused, Arc::clone(&place));
            Box::pin(unless_dismissed(&worker, peer, &place, conversation)).await;
            drop(entrance);
        }
        Some(Ok(Err(error))) => tracing::debug!(%peer, %error, "connection ended before its first request"),
        Some(Err(_elapsed)) => tracing::debug!(%peer, "connection ended: no request came"),
        None => {}
    }
}

/// What comes of this, unless somebody else needs the place before.
async fn unless_dismissed<T>(
    worker: &Worker,
    peer: Peer,
    place: &LobbyPlace,
    served: impl Future<Output = T>,
) -> Option<T> {
    select! {
        biased;
        outcome = served => Some(outcome),
        () = place.dismissed() => {
            if let Some(unlogged) = SILENT.admit() {
                tracing::warn!(
                    event = "connection_silent",
                    %peer,
                    unlogged,
                    "closed for others, as it said nothing, and all --max-plain-connections are taken"
                );
            }
            worker.node.count(Count::ConnectionRefused);
            worker.node.counters.tallies.refusals.add("silent");
            None
        }
    }
}

/// What a connection begins with.
enum First {
    /// A WebSocket handshake that is to be accepted.
    Handshake(Box<Opening>),
    /// Anything else; if it is a handshake that is to be refused, with the refusal.
    Other(Rewound<Stream>, Option<Box<Refusal>>),
}

/// Reads once: a handshake fits into one packet and comes in one piece.
async fn first(worker: &Worker, arrival: Arrival, peer: Peer) -> Result<First, OpenError> {
    let begun = clock::now();
    let mut stream = Stream::open(arrival).await?;
    let head = poll_fn(|context| poll_head(worker, &mut stream, peer, context)).await?;
    Ok(match head {
        Head::Acceptable(acceptance) => {
            let opening = Box::new(acceptance.open(stream));
            worker.node.counters.tallies.handshakes.observe(clock::now().saturating_duration_since(begun));
            First::Handshake(opening)
        }
        Head::Other(head, refused) => First::Other(Rewound::new(head, stream), refused),
    })
}

/// What was read first.
enum Head {
    Acceptable(Box<upgrade::Acceptance>),
    Other(Bytes, Option<Box<Refusal>>),
}

/// The bytes that are read stand on the stack, and only while there are some: connections that wait have no room for them.
fn poll_head(
    worker: &Worker,
    stream: &mut Stream,
    peer: Peer,
    context: &mut Context<'_>,
) -> Poll<io::Result<Head>> {
    let mut head = [0; TYPICAL_HEADER];
    let mut buffer = ReadBuf::new(&mut head);
    ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
    let head = buffer.filled();
    if head.is_empty() {
        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
    }
    Poll::Ready(Ok(match upgrade::at_once(worker, peer, head) {
        Some(Ok(acceptance)) => Head::Acceptable(Box::new(acceptance)),
        Some(Err(refusal)) => Head::Other(Bytes::copy_from_slice(head), Some(Box::new(refusal))),
        None => Head::Other(Bytes::copy_from_slice(head), None),
    }))
}

/// Speaks HTTP on a connection until it is closed or upgraded. Where it is clear that the first request is to be refused, it
/// is not checked again: that may have cost a good deal.
async fn converse(
    worker: Rc<Worker>,
    stream: Rewound<Stream>,
    peer: Peer,
    router: Router,
    refused: Option<Box<Refusal>>,
    place: Arc<LobbyPlace>,
) {
    let timeouts = &worker.node.settings.timeouts;
    let (header_timeout, write_timeout) = (timeouts.header, timeouts.write);
    let refused = Cell::new(refused);
    let service = service_fn(move |request| {
        let place = Arc::clone(&place);
        let request = request.map(|body| Arriving::new(body, Arc::clone(&place)));
        let answer = answer(Rc::clone(&worker), peer, request, router.clone(), refused.take());
        async move { Ok::<_, Infallible>(answer.await.map(|body| Answered::new(body, place))) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(LARGEST_HEADER)
        .serve_connection(TokioIo::new(Patient::new(stream, write_timeout)), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}

async fn answer(
    worker: Rc<Worker>,
    peer: Peer,
    mut request: Request<Arriving>,
    router: Router,
    refused: Option<Box<Refusal>>,
) -> Response<Body> {
    if let Some(refusal) = refused {
        return upgrade::refuse(&worker, *refusal);
    }
    if upgrade::is_asked_for(&request) {
        return upgrade::upgrade(&worker, peer, request);
    }
    if upgrade::is_only_for_websockets(&worker.node, request.uri().path()) {
        return upgrade::required();
    }
    let client = worker.node.door.client(peer, request.headers());
    request.extensions_mut().insert(client);
    let limit = worker.node.settings.timeouts.request;
    let answered = timeout(limit, router.oneshot(request.map(Body::new)));
    answered.await.map_or_else(
        |_elapsed| {
            let message = format!("the request was not complete after {} s", limit.as_secs());
            Refusal::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", message).into_response()
        },
        |answered| answered.unwrap_or_else(|never| match never {}),
    )
}

static SILENT: LogLimit = LogLimit::new();

/// Bytes within which a browser's handshake lies, cookies included.
const TYPICAL_HEADER: usize = 4096;

/// Bytes that the header of a request may have.
const LARGEST_HEADER: usize = 16 * 1024;
