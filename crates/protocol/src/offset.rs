//! Places in the history of a channel.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{Word, excerpt::excerpt, json};

/// The place of a message in the history of its channel: later ones are greater.
///
/// A store numbers its messages itself (`42`), or names them by a time and a number within it, as the streams of Redis do
/// (`1700000000123-0`). To clients it is a name that they send back as they got it: in JSON, a number or a string.
///
/// ```
/// use geocast_protocol::Offset;
///
/// let (first, second): (Offset, Offset) = ("1700000000123-7".parse()?, "1700000000123-10".parse()?);
/// assert!(first < second);
/// assert_eq!(first.to_string(), "1700000000123-7");
/// assert_eq!("42".parse(), Ok(Offset::Number(42)));
/// assert!("1-".parse::<Offset>().is_err());
/// # Ok::<(), geocast_protocol::OffsetError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Offset {
    /// How many messages there are up to this one.
    Number(u64),
    /// An entry of a stream: milliseconds since 1970-01-01T00:00Z, and a number.
    Entry(u64, u64),
}

/// From where on a client asks for the history of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// Behind this message; without it, from now on.
    pub offset: Option<Offset>,
    /// Which history the offset is of, where that was said.
    pub epoch: Option<Word>,
}

/// What is no offset.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no offset such as 42 or 1700000000123-0")]
pub struct OffsetError(String);

impl Offset {
    /// Appends it as JSON: a number, or a string.
    pub fn write_json(self, out: &mut Vec<u8>) {
        match self {
            Self::Number(_) => out.extend_from_slice(self.to_string().as_bytes()),
            Self::Entry(..) => json::string(out, &self.to_string()),
        }
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Entry(time, number) => write!(f, "{time}-{number}"),
        }
    }
}

impl FromStr for Offset {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<Self, OffsetError> {
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        let offset = match text.split_once('-') {
            Some((time, place)) => {
                number(time).zip(number(place)).map(|(time, place)| Self::Entry(time, place))
            }
            None => number(text).map(Self::Number),
        };
        offset.ok_or_else(|| OffsetError(excerpt(text)))
    }
}
