use std::rc::Rc;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header},
    response::IntoResponse,
};
use bytes::Bytes;
use geocast_geo_filter::KnownCrs;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::server::{create_response_with_body, write_response};
use tracing::Span;

use super::{answer::Refusal, handshake, patient::Patient, rewound::Rewound};
use crate::{
    Count,
    accept::turned_away,
    access::{Identity, ReadRefused},
    clock,
    connection::{self, Connection, Opening},
    deflate::{self, Deflate},
    endpoint::{Endpoint, NoEndpoint},
    log_limit::LogLimit,
    node::{Node, Place},
    transport::{Peer, Stream},
    worker::Worker,
};

/// Whether the request wants to become a WebSocket.
pub(super) fn is_asked_for<B>(request: &Request<B>) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Whether a path has nothing to say to those who do not want a WebSocket.
pub(super) fn is_only_for_websockets(node: &Node, path: &str) -> bool {
    let packages = path.strip_prefix(node.settings.url_prefix.as_str());
    let is_ours = matches!(path, "/" | "/api" | "/live" | "/ready" | "/metrics")
        || path.starts_with("/api/")
        || matches!(packages, Some("/broadcast" | "/broadcast/"))
        || node.site.file(path).is_some();
    !is_ours && node.endpoints.contains(path)
}

/// The answer to those.
pub(super) fn required() -> Response<Body> {
    let refusal =
        Refusal::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "this address speaks WebSocket only");
    let mut response = refusal.into_response();
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

/// A handshake that is accepted, and what is to be known of it.
pub(super) struct Acceptance {
    response: Response<()>,
    output: KnownCrs,
    endpoint: Endpoint,
    client: Peer,
    identity: Identity,
    deflate: Option<Deflate>,
    place: Place,
    span: Option<Span>,
    /// Bytes that the client sent behind the handshake.
    early: Vec<u8>,
}

impl Acceptance {
    /// Hands the connection over; the answer is still to be sent.
    pub(super) fn open(self, stream: Stream) -> Opening {
        let mut response = Vec::with_capacity(TYPICAL_RESPONSE);
        write_response(&mut response, &self.response)
            .expect("the fields of the answer are ours and visible ASCII, and a vector takes all");
        let Self { output, endpoint, client, identity, deflate, place, span, early, .. } = self;
        let response = response.into();
        Opening { stream, response, early, output, endpoint, client, identity, deflate, place, span }
    }
}

/// Takes a connection whose first bytes are a complete handshake, or says why not.
pub(super) fn at_once(worker: &Worker, peer: Peer, head: &[u8]) -> Option<Result<Acceptance, Refusal>> {
    let (request, length) = handshake::parse(head)?;
    Some(
        admit(worker, peer, &request)
            .map(|acceptance| Acceptance { early: head[length..].to_vec(), ..acceptance }),
    )
}

/// Answers a handshake that is refused.
pub(super) fn refuse(worker: &Worker, refusal: Refusal) -> Response<Body> {
    worker.node.count(Count::ConnectionRefused);
    worker.node.counters.tallies.refusals.add(refusal.code);
    refusal.into_response()
}

/// Answers a handshake in the course of an HTTP conversation, and hands the connection over once hyper has let go of it.
pub(super) fn upgrade<B>(worker: &Rc<Worker>, peer: Peer, mut request: Request<B>) -> Response<Body> {
    let acceptance = match admit(worker, peer, &request) {
        Ok(acceptance) => acceptance,
        Err(refusal) => return refuse(worker, refusal),
    };
    let response = acceptance.response.clone().map(|()| Body::empty());
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::task::spawn_local(hand_over(Rc::clone(worker), upgraded, acceptance));
    response
}

/// Whether the client may have a WebSocket, and the answer that says so (RFC 6455 §4.2.2).
fn admit<B>(worker: &Worker, peer: Peer, request: &Request<B>) -> Result<Acceptance, Refusal> {
    let node = &worker.node;
    let path = request.uri().path();
    let endpoint = node.endpoints.find(path, offered(request.headers())).map_err(|error| match error {
        NoEndpoint::Elsewhere => Refusal::new(StatusCode::NOT_FOUND, "not_found", error.to_string()),
        NoEndpoint::Channel(_) => Refusal::new(StatusCode::BAD_REQUEST, "bad_channel", error.to_string()),
    })?;
    if node.is_draining() {
        let message = "the server is stopping";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "draining", message));
    }
    let client = node.door.client(peer, request.headers());
    let address = node.door.admit(client, peer, clock::now()).map_err(|reason| {
        turned_away(peer, client, &reason);
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "address_limit", reason.to_string())
    })?;
    let now = clock::timestamp();
    // Before the page is looked at: whoever is known by older terms than those that admitted its page is judged anew, and who
    // is known by newer ones than those would not be.
    let identity = node.access.identify(client, request.uri(), request.headers(), now);
    node.access.admits_page(request.headers()).map_err(|origin| Refusal::origin(&origin))?;
    let mut response = create_response_with_body(request, || ()).map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, "bad_handshake", format!("no WebSocket handshake: {error}"))
    })?;
    let name = endpoint.dialect.name();
    if offered(request.headers()).any(|offered| offered == name) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
    }
    let identity = identity?;
    if let Some(channel) = &endpoint.channel {
        let refusal =
            |error: ReadRefused| Refusal::new(StatusCode::FORBIDDEN, "channel_refused", error.to_string());
        node.access.reads(&identity, channel, now).map_err(refusal)?;
    }
    let agreed = deflate::negotiate(node.settings.compression, request.headers());
    let deflate = agreed.map(|(deflate, field)| {
        response.headers_mut().insert(header::SEC_WEBSOCKET_EXTENSIONS, field);
        deflate
    });
    let place = node.place(address).map_err(|limit| {
        if let Some(unlogged) = FULL.admit() {
            tracing::warn!(
                event = "connections_full",
                limit,
                unlogged,
                "a WebSocket is refused: all --max-connections are taken"
            );
        }
        let message = format!("all {limit} connections are taken");
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "connection_limit", message)
    })?;
    let output = node.first_output(path);
    let span = connection::span(client, name);
    Ok(Acceptance { response, output, endpoint, client, identity, deflate, place, span, early: Vec::new() })
}

/// The sub-protocols that a client offers.
fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    lists.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).map(str::trim)
}

async fn hand_over(worker: Rc<Worker>, upgraded: OnUpgrade, mut acceptance: Acceptance) {
    let Ok(upgraded) = upgraded.await else { return };
    let parts = upgraded
        .downcast::<TokioIo<Patient<Rewound<Stream>>>>()
        .expect("connections are served on this type of stream and no other");
    let (unread, stream) = parts.io.into_inner().into_inner().into_parts();
    acceptance.early = [parts.read_buf, unread].concat();
    // hyper has sent the answer.
    let opening = Opening { response: Bytes::new(), ..acceptance.open(stream) };
    Connection::serve(worker, Box::new(opening)).await;
}

/// Bytes of an answer to a handshake, with a sub-protocol.
const TYPICAL_RESPONSE: usize = 192;

/// Strangers come as often as they like.
static FULL: LogLimit = LogLimit::new();
