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

/// The same, with a way for whoever is close to one.
pub(super) fn nothing_at(method: &Method, uri: &Uri) -> Refusal {
    match way(method, uri.path()) {
        Some(way) => {
            Refusal::new(StatusCode::NOT_FOUND, "not_found", format!("there is nothing here; {way}"))
        }
        None => nothing_here(),
    }
}

pub(super) async fn other_method(method: Method, uri: Uri) -> Refusal {
    let message = match way(&method, uri.path()) {
        Some(way) if way == READING => way.to_owned(),
        Some(way) => format!("{method} is not for this address; the header Allow says what is; {way}"),
        None => format!("{method} is not for this address; the header Allow says what is"),
    };
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

/// What to do instead, close to what publishes and to what would be the state.
fn way(method: &Method, path: &str) -> Option<&'static str> {
    let is_below =
        |root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match *method {
        Method::GET | Method::HEAD if is_below("/api/state") => Some(READING),
        _ => (is_below("/api/state") || is_below("/api/publish")).then_some(WRITING),
    }
}

const READING: &str = "state is read over WebSocket: `GET CHANNEL` or `GET CHANNEL KEY` in a frame, \
                       or `geocast get CHANNEL`";
const WRITING: &str = "PUT /api/state/CHANNEL/KEY sets a key and publishes its value, DELETE /api/state/CHANNEL/KEY \
                       removes it, POST /api/publish/CHANNEL only publishes; a `/` within CHANNEL or KEY is written %2F";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_told_to_those_close_to_one() {
        let told = |method: Method, path| way(&method, path);
        for path in ["/api/state", "/api/state/", "/api/state/a", "/api/state/a/b/c"] {
            assert_eq!((told(Method::GET, path), told(Method::HEAD, path)), (Some(READING), Some(READING)));
            assert_eq!((told(Method::PUT, path), told(Method::DELETE, path)), (Some(WRITING), Some(WRITING)));
        }
        for path in ["/api/publish", "/api/publish/a/b"] {
            assert_eq!((told(Method::GET, path), told(Method::POST, path)), (Some(WRITING), Some(WRITING)));
        }
        for path in ["/api", "/api/states", "/api/published/a", "/nope", "/", "*"] {
            assert_eq!((told(Method::GET, path), told(Method::PUT, path)), (None, None), "{path}");
        }
    }
}
