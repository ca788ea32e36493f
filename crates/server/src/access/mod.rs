//! Who may do what: channel patterns, the publish key, the origins of web pages.

mod identity;
mod origin;
mod patterns;
mod policy;
mod secret;

pub(crate) use identity::Identity;
pub use origin::{Origin, OriginError, OriginPolicy};
pub use patterns::{PatternError, Patterns};
pub(crate) use policy::{Access, Exposure, PublishRefused};
pub use secret::Secret;
