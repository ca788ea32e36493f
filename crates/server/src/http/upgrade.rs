use std::rc::Rc;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header},
    response::IntoResponse,
};
use geocast_geo_filter::KnownCrs;
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use super::answer::Refusal;
use crate::{
    Count, Settings,
    connection::{Connection, Opening},
    node::Place,
    worker::Worker,
};

/// Whether the request wants to become a WebSocket.
pub(crate) fn is_asked_for<B>(request: &Request<B>) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Whether a path has nothing to say to those who do not want a WebSocket.
pub(crate) fn is_only_for_websockets(settings: &Settings, path: &str) -> bool {
    path != "/" && !path.starts_with("/api/") && settings.text_paths.matches(path)
}

/// The answer to those.
pub(crate) fn required() -> Response<Body> {
    let refusal =
        Refusal::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "this address speaks WebSocket only");
    let mut response = refusal.into_response();
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

/// Answers the handshake (RFC 6455 §4.2.2) and hands the connection over once hyper has let go of it.
pub(crate) fn upgrade(worker: &Rc<Worker>, mut request: Request<Incoming>) -> Response<Body> {
    let (place, mut response) = match admit(worker, &request) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            worker.node.count(Count::ConnectionRefused);
            return refusal.into_response();
        }
    };
    if let Some(protocol) = text_protocol(request.headers()) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let output = worker.node.first_output(request.uri().path());
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::task::spawn_local(hand_over(Rc::clone(worker), upgraded, output, place));
    response
}

fn admit(worker: &Worker, request: &Request<Incoming>) -> Result<(Place, Response<Body>), Refusal> {
    let node = &worker.node;
    if !node.settings.text_paths.matches(request.uri().path()) {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "not_found", "no WebSocket is spoken here; try /ws"));
    }
    if node.is_draining() {
        let message = "the server is stopping";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "draining", message));
    }
    node.settings.origins.check(request.headers()).map_err(|origin| Refusal::origin(&origin))?;
    let response = create_response_with_body(request, Body::empty).map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, "bad_handshake", format!("no WebSocket handshake: {error}"))
    })?;
    let place = node.place().ok_or_else(|| {
        let limit = node.settings.limits.connections;
        let message = format!("all {limit} connections are taken");
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "connection_limit", message)
    })?;
    Ok((place, response))
}

/// The sub-protocol to confirm, if the client offers ours.
fn text_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    offered.any(|name| name.trim() == TEXT_PROTOCOL).then(|| HeaderValue::from_static(TEXT_PROTOCOL))
}

async fn hand_over(worker: Rc<Worker>, upgraded: OnUpgrade, output: KnownCrs, place: Place) {
    let Ok(upgraded) = upgraded.await else { return };
    let parts = upgraded
        .downcast::<TokioIo<TcpStream>>()
        .expect("connections are served on this type of stream and no other");
    let opening = Opening { stream: parts.io.into_inner(), early: parts.read_buf.to_vec(), output, place };
    Connection::serve(worker, opening).await;
}

const TEXT_PROTOCOL: &str = "geocast.text";
