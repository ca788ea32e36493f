use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde_json::{Value, json};

use super::{
    answer::Refusal,
    metrics::{MetricsPlace, are_for_reader},
};
use crate::node::Node;

/// Whose health is asked, and where.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    pub(crate) node: Arc<Node>,
    pub(crate) place: MetricsPlace,
}

impl Health {
    /// Whether the store's address and what is wrong with it are for whoever asks. Others need only know that it is so.
    fn is_shown_whole(&self, headers: &HeaderMap) -> bool {
        are_for_reader(&self.node, self.place, headers) || self.node.access.is_operator(headers) == Some(true)
    }
}

/// The process runs. Depends on nothing else, so that nobody restarts it for a fault of the store.
pub(crate) async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// Clients can be served: the store answers and the server is not about to stop.
pub(crate) async fn ready(State(health): State<Health>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    let unavailable = |code, message| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
    let (node, is_whole) = (&health.node, health.is_shown_whole(&headers));
    if !node.is_staying() {
        return Err(unavailable("draining", "the server is stopping".to_owned()));
    }
    node.store.health().await.map_err(|error| {
        let elsewhere = "the store is not well; the log of the server says why";
        unavailable(error.code(), if is_whole { error.to_string() } else { elsewhere.to_owned() })
    })?;
    let mut ready = json!({ "status": "ready" });
    if is_whole {
        ready["store"] = node.store.description().into();
        ready["connections"] = node.connections().into();
        if let Some(last) = node.last_reload.look() {
            ready["reload"] = json!({ "at": last.at.millis(), "failures": last.failures });
        }
    }
    Ok(Json(ready))
}
