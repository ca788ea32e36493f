use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::answer::Refusal;
use crate::node::Node;

/// The process runs. Depends on nothing else, so that nobody restarts it for a fault of the store.
pub(crate) async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// Clients can be served: the store answers and the server is not about to stop.
pub(crate) async fn ready(State(node): State<Arc<Node>>) -> Result<Json<Value>, Refusal> {
    let unavailable = |code, message| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
    if !node.is_staying() {
        return Err(unavailable("draining", "the server is stopping".to_owned()));
    }
    node.store.health().await.map_err(|error| unavailable(error.code(), error.to_string()))?;
    let mut ready =
        json!({ "status": "ready", "store": node.store.description(), "connections": node.connections() });
    if let Some(last) = node.last_reload.look() {
        ready["reload"] = json!({ "at": last.at.millis(), "failures": last.failures });
    }
    Ok(Json(ready))
}
