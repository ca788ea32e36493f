//! The envelope: the one JSON object that every message to a client of the text dialect is.
//!
//! Its keys stand in this order: `source`, `content`, `timestamp`, `client_reference`. Content that is JSON
//! already is put in as it is, byte for byte, so that large integers, the spelling of numbers and the order of
//! keys survive.
//!
//! ```
//! use std::time::Duration;
//!
//! use geocast_protocol::envelope::{ClientReference, Content, Envelope, Source, Timestamp};
//!
//! let channel = "vehicles".parse()?;
//! let envelope = Envelope {
//!     source: Source::Channel(&channel),
//!     content: Content::Json(br#"{"id":7.10}"#),
//!     timestamp: Timestamp::since_epoch(Duration::from_millis(1_700_000_000_123)),
//!     client_reference: ClientReference::Null,
//! };
//! assert_eq!(
//!     envelope.to_vec(),
//!     br#"{"source":"vehicles","content":{"id":7.10},"timestamp":1700000000123.0,"client_reference":null}"#,
//! );
//! # Ok::<(), geocast_protocol::ChannelError>(())
//! ```

mod buffer;
mod content;
mod reference;
mod source;
mod timestamp;
mod write;

pub use buffer::{BUFFER_SEPARATOR, buffer_prefix, buffer_suffix};
pub use content::Content;
pub use reference::ClientReference;
pub use source::Source;
pub use timestamp::Timestamp;
pub use write::{Envelope, error};
