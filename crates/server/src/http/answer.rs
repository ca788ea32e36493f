use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{access::TokenError, log_limit::LogLimit};

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

    /// A web page from elsewhere. Browsers show nobody the answer to a handshake, so the log has it too.
    pub(crate) fn origin(origin: &str) -> Self {
        let remedy = if origin == "null" {
            "a page opened from a file has no origin: open it through a web server".to_owned()
        } else {
            format!("an operator can allow them with --allow-origin {origin}")
        };
        if let Some(unlogged) = PAGES.admit() {
            tracing::info!(event = "origin_refused", origin, remedy, unlogged, "a web page was refused");
        }
        let message = format!("web pages from `{origin}` may not use this server; {remedy}");
        Self::new(StatusCode::FORBIDDEN, "origin_refused", message)
    }
}

static PAGES: LogLimit = LogLimit::new();

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
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            // A second is what a burst that was used up takes to be of use again.
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
