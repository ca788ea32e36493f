//! Requests of rohrpost that the server does not know itself: answered by somebody else, in this process or over HTTP, and
//! on another thread than those that serve connections.

mod endpoint_url;
mod handlers;
mod http_handler;
mod request_handler;

pub use endpoint_url::EndpointUrlError;
pub use handlers::HandlersError;
pub(crate) use handlers::{Handlers, Handling, by_type};
pub use http_handler::{HttpHandler, HttpHandlerError};
pub use request_handler::{HandlerError, RequestHandler};

use endpoint_url::EndpointUrl;

/// Bytes that the answer to one request may have: a quarter of what may wait for a client by default.
const LARGEST_ANSWER: usize = 256 * 1024;
