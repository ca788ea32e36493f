//! Who may do what: channel patterns, the publish key, signed tokens, the origins of web pages.

mod access_policy;
mod credentials;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod identity;
mod listing;
mod origin;
mod patterns;
mod policy;
mod replaceable;
mod rights;
mod secret;
mod terms;
mod tokens;
mod visitor;

pub use access_policy::{AccessPolicy, Denial};
pub(crate) use identity::{Identity, Unaccepted};
pub(crate) use origin::OwnScheme;
pub use origin::{Origin, OriginError, OriginPolicy};
pub use patterns::{PatternError, Patterns};
pub(crate) use policy::{Access, Exposure, PublishRefused, ReadRefused};
pub(crate) use rights::{Held, Permitted, Refusal, Rights, RightsNumber};
pub use secret::Secret;
pub(crate) use tokens::TokenError;
pub use tokens::{AcceptedToken, KeyError, KeyFile, RefusedToken, SigningKey, TokenSettings};
pub use visitor::Visitor;

use credentials::Credentials;
pub(crate) use credentials::bearer;

use crate::sync;

/// At most a hundred characters of what a stranger sent, fit for a log line.
fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(100).flat_map(char::escape_debug).collect()
}
