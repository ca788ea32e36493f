//! JSON-RPC 2.0: calls in, results, errors and notifications out.
//!
//! [`Frame::read`] takes one text frame and never fails: what is wrong with a call is part of its [`Request`], to be
//! answered like any other. The methods stand in one table, [`METHODS`], from which [`Call`] is read, errors name
//! parameters and [`discover`] writes the OpenRPC document.
//!
//! ```
//! use geocast_protocol::rpc::{Call, Error, Frame, Outcome, Reply};
//!
//! let frame = r#"[{"jsonrpc":"2.0","id":1.0,"method":"subscribe","params":{"channel":"vehicles"}},
//!                 {"jsonrpc":"2.0","method":"unsubscribe","params":["ships"]},
//!                 {"jsonrpc":"2.0","id":"b","method":"subscribe","params":["ve*"]}]"#;
//! let Frame::Batch(requests) = Frame::read(frame, Frame::MAX_CALLS) else { panic!("is an array") };
//! let replies = requests.iter().filter_map(|request| {
//!     let id = request.id.as_ref()?; // A notification has no reply.
//!     Some(match &request.call {
//!         Ok(Call::Subscribe { channel, .. }) => {
//!             let result = Outcome::Subscribed { channel, tracked: false, position: None, recovered: None, presence: false };
//!             Reply { id, outcome: Ok(&result.to_vec()) }.to_vec()
//!         }
//!         Ok(_) => Reply { id, outcome: Err(&Error::Internal) }.to_vec(),
//!         Err(error) => Reply { id, outcome: Err(error) }.to_vec(),
//!     })
//! });
//! let batch = geocast_protocol::rpc::batch(replies).expect("two calls are answered");
//! let batch = String::from_utf8(batch)?;
//! assert!(batch.starts_with(r#"[{"jsonrpc":"2.0","id":1.0,"result":{"channel":"vehicles","tracked":false}},{"#));
//! assert!(batch.contains(r#""id":"b","error":{"code":-32602,"message":"invalid params: channel `ve*`:"#));
//! # Ok::<(), std::string::FromUtf8Error>(())
//! ```
//!
//! # Where the specification leaves room
//!
//! - A member or parameter that is given twice counts as given last. Unknown members of a request are passed over,
//!   unknown parameters are not.
//! - `null` for an optional parameter is its absence; so is a position that is not reached. `params` itself must be an
//!   array or an object, if it is there.
//! - A call that is no valid request is answered under its id if that can be read, else under `null`; that it has no id
//!   does not make it a notification.
//! - A batch that is too long, and a frame that nests too deep, is one invalid request.

mod account;
mod arguments;
mod call;
mod changed;
mod discover;
mod ended;
mod error;
mod frame;
mod gap;
mod id;
mod message;
mod method;
mod outcome;
mod parameter;
mod presence;
mod property;
mod reply;
mod viewport;

pub use account::{Account, Sent};
pub use call::{Call, METHODS};
pub use changed::Changed;
pub use discover::discover;
pub use ended::write_ended;
pub use error::{Error, Refusal};
pub use frame::{Frame, Request};
pub use gap::write_gap;
pub use id::{Id, IdError};
pub use message::Message;
pub use method::{Method, Parameter};
pub use outcome::{Kept, Outcome, Position, Viewport};
pub use presence::{PresenceChange, Present};
pub use property::{PropertyFilter, PropertyFilterError, PropertyTest, Scalar};
pub use reply::{Reply, batch};
pub use viewport::Corners;
