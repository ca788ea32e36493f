use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::access::TokenError;

/// An answer that is an error, in one form everywhere: `{"error":{"code":…,"message":…}}`.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// Stable, for programs.
    pub(crate) code: &'static str,
    /// For people; names what was wrong.
    pub(crate) message: String,
    /// What the client is not told.
    cause: Option<TokenError>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), cause: None }
    }

    /// A web page from elsewhere.
    pub(crate) fn origin(origin: &str) -> Self {
        let message = format!(
            "web pages from `{origin}` may not use this server; an operator can allow them with --allow-origin"
        );
        Self::new(StatusCode::FORBIDDEN, "origin_refused", message)
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        let (code, message) = error.said();
        Self { cause: Some(error), ..Self::new(StatusCode::UNAUTHORIZED, code, message) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Some(cause) = &self.cause {
            tracing::debug!(%cause, "token refused");
        }
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2 demands it.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
