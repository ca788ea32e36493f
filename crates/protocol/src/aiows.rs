//! The aiows dialect: packages with a type, published over HTTP, received by WebSocket.
//!
//! ```
//! use geocast_protocol::aiows::{Broadcast, ChannelNames, Package, PackageType};
//!
//! // POST {prefix}/channel/{name}/ with the header Package-Type.
//! let kind: PackageType = "JSON".parse()?;
//! let package = Package::read(kind, br#"{"speed":7.10}"#.to_vec())?;
//! assert_eq!(package.payload(), br#"{"speed":7.10}"#);
//!
//! // POST {prefix}/broadcast/: all or nothing.
//! let body = br#"{"room:1":[{"text":"Hi all"},{"json":{"a":1}}],"video":[{"bytes":"\u0003\u00ff"}]}"#;
//! let broadcast = Broadcast::read(body, ChannelNames::AsWritten)?;
//! assert_eq!(broadcast.packages.len(), 3);
//! assert_eq!(broadcast.packages[2].1, Package::Bytes(vec![3, 255]));
//!
//! // What goes through Redis is the payload itself wherever that tells the type.
//! assert_eq!(&*broadcast.packages[0].1.to_wire(), b"Hi all");
//! assert_eq!(Package::from_wire(b"Hi all"), Package::Text("Hi all".into()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Packages in a store
//!
//! A store passes bytes and knows no types, and others read the same channels. So a payload is published as it is
//! where it would be read back as its own type: JSON as JSON, other UTF-8 as text, the rest as bytes. What would be
//! mistaken stands behind a mark that begins with the byte FF, which is nowhere in UTF-8 (RFC 3629 §1) and hence in no
//! JSON: text that happens to be JSON behind [`TEXT_MARK`], bytes that happen to be UTF-8, or to begin with a mark,
//! behind [`BYTES_MARK`].
//!
//! # Where the reference leaves room
//!
//! - Without the header, a package is text. Text must be UTF-8, JSON must be JSON that nests at most
//!   [`Json::MAX_DEPTH`](crate::Json::MAX_DEPTH) deep.
//! - JSON goes out once encoded, as it was written but for white space around it; [`JsonEncoding::Twice`] is the way of
//!   the reference.
//! - In a broadcast, a channel that stands there twice is published to twice, in order: nothing is lost. A package has
//!   exactly one member.

mod broadcast;
mod json_encoding;
mod names;
mod package;
mod reply;
mod wire;

pub use broadcast::{Broadcast, BroadcastError};
pub use json_encoding::JsonEncoding;
pub use names::ChannelNames;
pub use package::{Package, PackageError, PackageType, PackageTypeError};
pub use reply::Reply;
pub use wire::{BYTES_MARK, TEXT_MARK, unmark};
