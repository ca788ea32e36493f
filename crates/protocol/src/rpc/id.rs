//! What ties a reply to its call.

use std::{fmt, str::FromStr};

use serde_json::value::RawValue;
use thiserror::Error;

/// The id of a call: a JSON string, a number or `null`, kept and repeated as it was written.
///
/// Numbers of any size, with fractions or exponents, keep their spelling (JSON-RPC 2.0 §4 discourages fractions, and
/// clients compare what comes back with what they sent).
///
/// ```
/// use geocast_protocol::rpc::Id;
///
/// let id: Id = "1.0".parse()?;
/// assert_eq!(id.as_json(), "1.0");
/// assert_eq!(Id::from(7).as_json(), "7");
/// assert!("[1]".parse::<Id>().is_err());
/// # Ok::<(), geocast_protocol::rpc::IdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(Box<str>);

impl Id {
    /// The id of a call that wants a reply but says no more, and of what could not be read.
    #[must_use]
    pub fn null() -> Self {
        Self("null".into())
    }

    /// The id as JSON.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Takes a string, a number or `null`.
    pub(super) fn read(raw: &RawValue) -> Option<Self> {
        let json = raw.get();
        matches!(json.as_bytes().first(), Some(b'"' | b'-' | b'0'..=b'9' | b'n')).then(|| Self(json.into()))
    }
}

/// A number, as clients count their calls.
impl From<u64> for Id {
    fn from(number: u64) -> Self {
        Self(number.to_string().into())
    }
}

/// Reads an id from JSON.
impl FromStr for Id {
    type Err = IdError;

    fn from_str(json: &str) -> Result<Self, IdError> {
        serde_json::from_str(json).ok().and_then(Self::read).ok_or(IdError)
    }
}

/// Prints the id as JSON.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// That a text is not the JSON of an [`Id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an id is a JSON string, a number or null")]
#[non_exhaustive]
pub struct IdError;
