use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header, request::Parts},
    response::IntoResponse,
};
use serde_json::json;

use super::answer::Refusal;
use crate::{clock, node::Node};

/// `GET /api/channels`: the channels that whoever asks may read and be told of, by name, [`MOST`] at most.
pub(crate) async fn listed(
    State(node): State<Arc<Node>>,
    request: Parts,
) -> Result<impl IntoResponse, Refusal> {
    node.access.admits_page(&request.headers).map_err(|origin| Refusal::origin(&origin))?;
    let now = clock::timestamp();
    let peer = super::peer(&request.extensions);
    let identity = node.access.identify(peer, &request.uri, &request.headers, now)?;
    let mut channels = node.access.listed(&identity, &request.headers, now, || node.store.channels(MOST));
    channels.truncate(MOST);
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::OK, headers, Json(json!({ "channels": channels }))))
}

/// More than anybody picks from.
const MOST: usize = 1000;
