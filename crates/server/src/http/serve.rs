use std::{convert::Infallible, net::SocketAddr, rc::Rc};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode},
    response::IntoResponse,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tower::ServiceExt;

use super::{answer::Refusal, upgrade};
use crate::worker::Worker;

/// Speaks HTTP on a connection until it is closed or upgraded.
pub(crate) async fn serve(worker: Rc<Worker>, stream: std::net::TcpStream, peer: SocketAddr, router: Router) {
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    // Frames are small and sent the moment they are due.
    let _unsupported: std::io::Result<()> = stream.set_nodelay(true);
    let header_timeout = worker.node.settings.timeouts.header;
    let service = service_fn(move |request| answer(Rc::clone(&worker), request, router.clone()));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(LARGEST_HEADER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}

async fn answer(
    worker: Rc<Worker>,
    request: Request<Incoming>,
    router: Router,
) -> Result<Response<Body>, Infallible> {
    if upgrade::is_asked_for(&request) {
        return Ok(upgrade::upgrade(&worker, request));
    }
    if upgrade::is_only_for_websockets(&worker.node.settings, request.uri().path()) {
        return Ok(upgrade::required());
    }
    let limit = worker.node.settings.timeouts.request;
    let answered = tokio::time::timeout(limit, router.oneshot(request.map(Body::new)));
    Ok(answered.await.map_or_else(
        |_elapsed| {
            let message = format!("the request was not complete after {} s", limit.as_secs());
            Refusal::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", message).into_response()
        },
        |answered| answered.unwrap_or_else(|never| match never {}),
    ))
}

/// Bytes that the header of a request may have.
const LARGEST_HEADER: usize = 16 * 1024;
