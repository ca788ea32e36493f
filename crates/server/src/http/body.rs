use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request},
    http::StatusCode,
};
use thiserror::Error;

use crate::node::Node;

/// Why what somebody wants to publish is not taken.
#[derive(Debug, Error)]
pub(super) enum BodyError {
    /// It is larger than a publication may be at this moment.
    #[error("a publication has at most {0} bytes")]
    TooLarge(usize),
    /// It does not come whole.
    #[error("{0}")]
    Unreadable(String),
}

/// The body of a request that publishes.
pub(super) async fn body(node: &Node, mut request: Request) -> Result<Bytes, BodyError> {
    let most = node.rules.limits.current().publication;
    DefaultBodyLimit::max(most).apply(&mut request);
    Bytes::from_request(request, &()).await.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => BodyError::TooLarge(most),
        _ => BodyError::Unreadable(error.body_text()),
    })
}
