use std::fmt::Debug;

use async_trait::async_trait;
use geocast_protocol::{Json, rohrpost::RawRequest};
use thiserror::Error;

/// Answers the requests of one type of the rohrpost dialect.
///
/// ```
/// use async_trait::async_trait;
/// use geocast_server::{HandlerError, Json, RawRequest, RequestHandler};
///
/// /// Answers with what it was sent.
/// #[derive(Debug)]
/// struct Echo;
///
/// #[async_trait]
/// impl RequestHandler for Echo {
///     fn kind(&self) -> &str {
///         "echo"
///     }
///
///     async fn handle(&self, request: RawRequest) -> Result<Option<Json>, HandlerError> {
///         Ok(request.data())
///     }
/// }
/// ```
#[async_trait]
pub trait RequestHandler: Debug + Send + Sync + 'static {
    /// The type of the requests that it answers. Neither `ping`, `subscribe` nor `unsubscribe`, which the server answers.
    fn kind(&self) -> &str;

    /// Answers one request, with all its members: what is returned becomes the reply's `data` (in an object
    /// `{"data":…}`, unless it is an object), at most 256 KiB of it. Requests are handled at the same time, also those of
    /// one client. It is dropped when it takes longer than the server's setting allows, or when the client is gone.
    ///
    /// # Errors
    /// The client is told the message.
    async fn handle(&self, request: RawRequest) -> Result<Option<Json>, HandlerError>;
}

/// Why a request is not answered with data, as the client is told: the reply's `error`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct HandlerError(pub String);
