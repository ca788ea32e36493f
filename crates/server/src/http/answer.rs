use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An answer that is an error, in one form everywhere: `{"error":{"code":…,"message":…}}`.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// Stable, for programs.
    pub(crate) code: &'static str,
    /// For people; names what was wrong.
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// A web page from elsewhere.
    pub(crate) fn origin(origin: &str) -> Self {
        let message = format!(
            "web pages from `{origin}` may not use this server; an operator can allow them with --allow-origin"
        );
        Self::new(StatusCode::FORBIDDEN, "origin_refused", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        (self.status, Json(body)).into_response()
    }
}
