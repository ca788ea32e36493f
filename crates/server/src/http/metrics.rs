//! What the server tells of itself, on the port of the clients or on one of its own.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};
use tower::ServiceExt;

use super::{
    answer::Refusal,
    health::{self, Health},
    patient::Patient,
};
use crate::{Metrics, MetricsFormat, Timeouts, access::bearer, node::Node};

/// Who may read metrics.
#[derive(Debug, Clone)]
pub(crate) struct Readable {
    pub(crate) node: Arc<Node>,
    pub(crate) metrics: Metrics,
    pub(crate) place: MetricsPlace,
}

/// Where metrics are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricsPlace {
    /// Where clients connect: without a token, only of a server that is open to this machine and no other.
    Clients,
    /// On a port of their own: whoever reaches it may read them, unless there is a token.
    OwnPort,
}

impl Readable {
    fn admits(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if are_for_reader(&self.node, self.place, headers) {
            return Ok(());
        }
        if self.node.settings.metrics_token.is_some() {
            let message = "metrics are for those who present their token as `Authorization: Bearer TOKEN`";
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "metrics_token", message));
        }
        let message = "metrics are not for clients: an operator can have them on a port of their own (--metrics) or behind a \
                       token (--metrics-token-file)";
        Err(Refusal::new(StatusCode::FORBIDDEN, "metrics_closed", message))
    }
}

/// Whether a request with these headers may see what the server tells of itself.
pub(super) fn are_for_reader(node: &Node, place: MetricsPlace, headers: &HeaderMap) -> bool {
    match &node.settings.metrics_token {
        Some(token) => bearer(headers).is_some_and(|offered| token.admits(offered)),
        None => place == MetricsPlace::OwnPort || node.access.is_open_to(headers),
    }
}

/// `GET /metrics`
pub(super) async fn show(State(readable): State<Readable>, headers: HeaderMap) -> Result<Response, Refusal> {
    readable.admits(&headers)?;
    let accept: Vec<&str> =
        headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok()).collect();
    let format = MetricsFormat::accepted(&accept.join(","));
    let text = readable.metrics.write(format).await;
    Ok(([(header::CONTENT_TYPE, format.content_type())], text).into_response())
}

/// Serves metrics and health on a port of their own for ever, in the runtime of the caller: also when workers hang.
pub(crate) async fn serve_metrics(listener: TcpListener, readable: Readable) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (node, timeouts) = (Arc::clone(&readable.node), readable.node.settings.timeouts.clone());
    let health = Health { node, place: readable.place };
    let router = Router::new()
        .route("/live", get(health::live))
        .route("/ready", get(health::ready).with_state(health))
        .route("/metrics", get(show).with_state(readable))
        .fallback(nothing_else);
    let places = Arc::new(Semaphore::new(MOST_READERS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        match listener.accept().await {
            Ok((stream, _)) => {
                let (router, timeouts) = (router.clone(), timeouts.clone());
                tokio::spawn(async move {
                    converse(stream, router, &timeouts).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(event = "metrics_accept_failed", %error, "cannot accept a connection to the metrics");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn nothing_else() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is nothing but /metrics, /live and /ready here")
}

async fn converse(stream: tokio::net::TcpStream, router: Router, timeouts: &Timeouts) {
    let limit = timeouts.request;
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let answered = timeout(limit, router.clone().oneshot(request.map(Body::new)));
        async move {
            let answered = answered.await;
            answered.unwrap_or_else(|_elapsed| Ok(StatusCode::REQUEST_TIMEOUT.into_response()))
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.header)
        .serve_connection(TokioIo::new(Patient::new(stream, timeouts.write)), service);
    // A reader that keeps its connection for long makes room for others in between.
    if let Ok(Err(error)) = timeout(LONGEST, served).await {
        tracing::debug!(%error, "a connection to the metrics ended early");
    }
}

/// Connections at the same time: monitoring systems are few.
const MOST_READERS: usize = 32;

/// How long to wait before accepting again after it failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a connection may last: an hour of being asked again and again.
const LONGEST: Duration = Duration::from_secs(3600);
