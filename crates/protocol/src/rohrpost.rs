//! The rohrpost dialect: JSON requests with a type and an id, answered under both.
//!
//! [`Request::read`] takes one text frame; what is wrong with it is an [`Error`], which writes the reply that the
//! reference implementation gives. A type that is not built in is a [`Body::Custom`], for a handler of the server's own.
//!
//! ```
//! use geocast_protocol::rohrpost::{Body, Reply, Request};
//!
//! let answer = |frame: &str| match Request::read(frame) {
//!     Ok(Request { id, body: Body::Ping { data }, .. }) => Reply::pong(&id, data.as_ref()).to_vec(),
//!     Ok(Request { id, body: Body::Subscribe { group }, .. }) => Reply::subscribed(&id, &group).to_vec(),
//!     Ok(request) => request.unknown_type().to_reply(),
//!     Err(error) => error.to_reply(),
//! };
//! assert_eq!(answer(r#"{"id":1,"type":"ping","data":7}"#), br#"{"id":1,"type":"pong","data":{"data":7}}"#);
//! assert_eq!(
//!     answer(r#"{"id":2,"type":"subscribe","data":{"type":"collection","id":5}}"#),
//!     br#"{"id":2,"type":"subscribe","data":{"group":"collection-5"}}"#,
//! );
//! assert_eq!(answer(r#"{"id":3,"type":"x"}"#), br#"{"id":3,"type":"x","error":"Unknown message type 'x'."}"#);
//! assert_eq!(answer(r#"{"id":3}"#), br#"{"error":"Missing required field 'type'."}"#);
//! ```
//!
//! # Where the reference leaves room
//!
//! - An id is any JSON value and comes back as it was written, unless Python counts it as false (`null`, `false`, zero,
//!   what is empty): then it is left out. The same holds for the data of a ping.
//! - A member that is given twice counts as given last.
//! - A frame that nests deeper than [`Json::MAX_DEPTH`](crate::Json::MAX_DEPTH) counts as one that is no JSON.
//! - An empty `auth_jwt` counts as none; one that is no text is an error.

mod ended;
mod error;
mod id;
mod push;
mod reply;
mod request;
mod token;

pub use ended::ended;
pub use error::Error;
pub use id::Id;
pub use push::{Change, Push};
pub use reply::Reply;
pub use request::{Body, RawRequest, Request};
pub use token::Token;
