use std::str::FromStr;

use async_trait::async_trait;
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use bytes::Bytes;
use geocast_protocol::{Json, rohrpost::RawRequest};
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use thiserror::Error;
use tokio::net::TcpStream;

use super::{EndpointUrl, EndpointUrlError, HandlerError, LARGEST_ANSWER, RequestHandler};

/// A handler that asks an HTTP endpoint: the request is posted as JSON, as it came, and the JSON that comes back is the
/// reply's data. Written `type=http://host:port/path`.
///
/// A status that is no success (RFC 9110 §15.3) is an error: the client is told the body's member `error`, if it is a
/// string, else the status. Redirections are not followed, so that nothing but the configured address is ever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpHandler {
    kind: String,
    url: EndpointUrl,
}

/// What describes no [`HttpHandler`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HttpHandlerError {
    /// There is no `=` with a type before it.
    #[error("`{0}` is not of the form type=http://host:port/path")]
    NoType(String),
    /// What follows is no address.
    #[error(transparent)]
    Url(#[from] EndpointUrlError),
}

impl FromStr for HttpHandler {
    type Err = HttpHandlerError;

    fn from_str(text: &str) -> Result<Self, HttpHandlerError> {
        let parts = text.split_once('=').filter(|(kind, _)| !kind.is_empty());
        let (kind, url) = parts.ok_or_else(|| HttpHandlerError::NoType(text.to_owned()))?;
        Ok(Self { kind: kind.to_owned(), url: url.parse()? })
    }
}

#[async_trait]
impl RequestHandler for HttpHandler {
    fn kind(&self) -> &str {
        &self.kind
    }

    async fn handle(&self, request: RawRequest) -> Result<Option<Json>, HandlerError> {
        let (status, body) = self.post(request).await.map_err(|error| {
            tracing::warn!(event = "handler_unreachable", url = %self.url, kind = self.kind, %error, "a handler's endpoint cannot be asked");
            HandlerError("The handler cannot be reached.".to_owned())
        })?;
        let text = std::str::from_utf8(&body).unwrap_or("�");
        if !status.is_success() {
            let said = serde_json::from_str(text).map(|Said { error }| error);
            let status = |_no_words| format!("The handler answered with status {}.", status.as_u16());
            return Err(HandlerError(said.unwrap_or_else(status)));
        }
        if text.trim().is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|error| {
            tracing::warn!(event = "handler_answer_invalid", url = %self.url, kind = self.kind, %error, "a handler's endpoint did not answer with JSON");
            HandlerError("The handler did not answer with JSON.".to_owned())
        })
    }
}

impl HttpHandler {
    /// One connection per request: endpoints are near, and none is kept from being restarted.
    async fn post(&self, request: RawRequest) -> Result<(StatusCode, Bytes), PostError> {
        let EndpointUrl { host, port, authority, target } = &self.url;
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::post(target)
            .header(header::HOST, authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .header(header::CONNECTION, "close")
            .body(Body::from(request.json().as_str().to_owned()))
            .expect("a url that was read fits into a request");
        let exchange = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
            Ok((status, body.map_err(PostError::Body)?.to_bytes()))
        };
        // The connection does the work of the exchange, and is dropped with it.
        tokio::pin!(connection);
        tokio::pin!(exchange);
        tokio::select! {
            biased;
            answer = &mut exchange => answer,
            ended = &mut connection => {
                ended?;
                exchange.await
            }
        }
    }
}

/// What an endpoint says when it refuses.
#[derive(Deserialize)]
struct Said {
    error: String,
}

/// Why an endpoint gave no answer.
#[derive(Debug, Error)]
enum PostError {
    #[error("no connection: {0}")]
    Connect(#[from] std::io::Error),
    #[error("no answer: {0}")]
    Http(#[from] hyper::Error),
    #[error("no whole answer of at most {LARGEST_ANSWER} bytes: {0}")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_a_type_and_an_address() {
        let handler: HttpHandler = "chat.send=http://localhost:1/x?a=b".parse().expect("a handler");
        assert_eq!((handler.kind(), &*handler.url.target), ("chat.send", "/x?a=b"));
        for text in ["", "chat", "=http://a/", "http://a/?b"] {
            let error = text.parse::<HttpHandler>().expect_err(text);
            assert_eq!(error, HttpHandlerError::NoType(text.to_owned()));
        }
        assert!(matches!("a=b".parse::<HttpHandler>(), Err(HttpHandlerError::Url(_))));
    }
}
