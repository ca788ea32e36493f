use std::sync::Arc;

use axum::{
    Router,
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};

use super::{
    aiows,
    answer::Refusal,
    channels,
    health::{self, Health},
    metrics::{self, MetricsPlace, Readable},
    operator, publish, site, upgrade,
};
use crate::{node::Node, operator::Desk};

/// Everything but WebSocket upgrades; with metrics, unless they are read elsewhere.
pub(crate) fn router(node: Arc<Node>, metrics: Option<Readable>, desk: Desk) -> Router {
    let prefix = node.settings.url_prefix.as_str();
    let packages = || post(aiows::publish).get(upgrade_required);
    let health = Health { node: Arc::clone(&node), place: MetricsPlace::Clients };
    let router = match metrics {
        Some(readable) => Router::new().route("/metrics", get(metrics::show).with_state(readable)),
        None => Router::new(),
    };
    router
        .route("/api/operator", get(operator::show).with_state(desk))
        .route(&format!("{prefix}/channel/{{name}}"), packages())
        .route(&format!("{prefix}/channel/{{name}}/"), packages())
        .route(&format!("{prefix}/broadcast"), post(aiows::broadcast))
        .route(&format!("{prefix}/broadcast/"), post(aiows::broadcast))
        .route("/", get(site::first))
        .route("/api", get(page))
        .route("/api/channels", get(channels::listed))
        .route("/live", get(health::live))
        .route("/ready", get(health::ready).with_state(health))
        .route("/api/publish/{channel}", post(publish::publish))
        .route("/api/state/{channel}/{key}", put(publish::put).delete(publish::delete))
        .fallback(site::other)
        .method_not_allowed_fallback(other_method)
        .with_state(node)
}

pub(super) async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, include_str!("page.html"))
}

async fn upgrade_required() -> Response {
    upgrade::required()
}

pub(super) fn nothing_here() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here; /api lists what there is")
}

pub(super) async fn other_method(method: Method, uri: Uri) -> Refusal {
    let message = if method == Method::GET && uri.path().starts_with("/api/state/") {
        "state is read over WebSocket: GET and the channel in a frame, or `geocast get`".to_owned()
    } else {
        format!("{method} is not for this address; the header Allow says what is")
    };
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}
