//! Signed tokens (JSON Web Tokens, RFC 7519) that say which channels their bearer may read and publish to.
//!
//! A token goes through this folder from the outside in: `compact` takes it apart, `key_set` finds keys by the name and
//! algorithm in its header, `key` checks the signature, `claims` reads what it says, and a `Grant` is what remains. No
//! clock is read here: time is an argument.

mod algorithm;
mod claims;
mod compact;
mod examination;
mod grant;
mod jwk;
mod key;
mod key_error;
mod key_set;
mod settings;
#[cfg(test)]
#[path = "../../../tests/e2e/signing.rs"]
mod signing;
mod signing_key;
mod token_error;
mod verifier;

use algorithm::Algorithm;
#[cfg(any(test, fuzzing))]
pub(super) use compact::signed_with;
pub use examination::{AcceptedToken, RefusedToken};
pub(super) use grant::Grant;
pub use key_error::KeyError;
pub use settings::{KeyFile, TokenSettings};
#[cfg(test)]
pub(super) use signing::Signer;
pub use signing_key::SigningKey;
pub(crate) use token_error::TokenError;
pub(super) use verifier::{Bearers, Verifier};

use claims::Claims;
use compact::Compact;
use jwk::Jwk;
use key::Key;
use key_set::KeySet;
