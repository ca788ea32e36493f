//! Who is there.

use std::{fmt, str::FromStr};

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::{
    Json, JsonError,
    json::{self, Object},
};

/// What a client says of itself: a JSON object of at most [`Info::MAX_BYTES`].
///
/// White space between its parts is not kept, so two that say the same in the same order are equal.
///
/// ```
/// use geocast_protocol::Info;
///
/// let info: Info = r#"{ "name": "Ada L." }"#.parse()?;
/// assert_eq!(info.as_str(), r#"{"name":"Ada L."}"#);
/// assert!(r#"["Ada"]"#.parse::<Info>().is_err());
/// # Ok::<(), geocast_protocol::InfoError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Info(Box<str>);

/// Somebody who is subscribed to a channel: whom a token names, what the client says of itself, or both.
///
/// As text, it is a JSON object with the members `user` and `info`, as far as they are there.
///
/// ```
/// use geocast_protocol::Person;
///
/// let person: Person = r#"{"user":"ada","info":{"device":"phone"}}"#.parse()?;
/// assert_eq!(person.user(), Some("ada"));
/// assert_eq!(person.to_string(), r#"{"user":"ada","info":{"device":"phone"}}"#);
/// assert!("{}".parse::<Person>().is_err());
/// # Ok::<(), geocast_protocol::PersonError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person {
    user: Option<Box<str>>,
    info: Option<Info>,
}

/// Why something is no [`Info`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InfoError {
    /// It is another JSON value.
    #[error("must be an object")]
    NotAnObject,
    /// It is longer than it may be.
    #[error("has {bytes} bytes, more than {}", Info::MAX_BYTES)]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It is no JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
}

/// Why a text is no [`Person`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PersonError {
    /// It is no JSON object with nothing but `user` and `info`.
    #[error("{reason}")]
    Syntax {
        /// What is wrong.
        reason: String,
    },
    /// What is said is no [`Info`].
    #[error("info {0}")]
    Info(#[from] InfoError),
    /// There is neither a user nor an info, or the user's name is longer than it may be.
    #[error("names nobody, or a user of more than {} bytes", Person::MAX_USER)]
    Nobody,
}

impl Info {
    /// The most bytes that it has, white space between its parts left out.
    pub const MAX_BYTES: usize = 512;

    /// The object as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&Json> for Info {
    type Error = InfoError;

    fn try_from(json: &Json) -> Result<Self, InfoError> {
        let text = json.as_str();
        if !text.starts_with('{') {
            return Err(InfoError::NotAnObject);
        }
        let compact = json::compact(text);
        match compact.len() {
            bytes if bytes > Self::MAX_BYTES => Err(InfoError::TooLong { bytes }),
            _ => Ok(Self(compact.into())),
        }
    }
}

impl FromStr for Info {
    type Err = InfoError;

    fn from_str(text: &str) -> Result<Self, InfoError> {
        Self::try_from(&text.parse::<Json>()?)
    }
}

impl Person {
    /// The most bytes of a user's name.
    pub const MAX_USER: usize = 256;

    /// Somebody, unless neither is given. A name that is longer than [`Person::MAX_USER`] is none.
    #[must_use]
    pub fn new(user: Option<&str>, info: Option<Info>) -> Option<Self> {
        let user = user.filter(|user| user.len() <= Self::MAX_USER).map(Box::from);
        (user.is_some() || info.is_some()).then_some(Self { user, info })
    }

    /// Whom a token names.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// What the client says of itself.
    #[must_use]
    pub const fn info(&self) -> Option<&Info> {
        self.info.as_ref()
    }

    pub(crate) fn write_members(&self, object: &mut Object<'_>) {
        if let Some(user) = &self.user {
            object.text("user", user);
        }
        if let Some(info) = &self.info {
            object.json("info", info.as_str());
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::new(out);
        self.write_members(&mut object);
        object.end();
    }
}

impl FromStr for Person {
    type Err = PersonError;

    fn from_str(text: &str) -> Result<Self, PersonError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts<'a> {
            user: Option<String>,
            #[serde(borrow)]
            info: Option<&'a RawValue>,
        }

        let parts: Parts<'_> =
            serde_json::from_str(text).map_err(|error| PersonError::Syntax { reason: error.to_string() })?;
        let info = parts.info.map(|info| info.get().parse()).transpose()?;
        if parts.user.as_ref().is_some_and(|user| user.len() > Self::MAX_USER) {
            return Err(PersonError::Nobody);
        }
        Self::new(parts.user.as_deref(), info).ok_or(PersonError::Nobody)
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = Vec::new();
        self.write(&mut json);
        f.write_str(&String::from_utf8_lossy(&json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_info_is_an_object_within_its_bound() {
        let bytes = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
        assert!(bytes(Info::MAX_BYTES).parse::<Info>().is_ok());
        let longer = bytes(Info::MAX_BYTES + 1);
        assert_eq!(longer.parse::<Info>(), Err(InfoError::TooLong { bytes: Info::MAX_BYTES + 1 }));
        for text in ["1", "null", r#""{}""#, "[]"] {
            assert_eq!(text.parse::<Info>(), Err(InfoError::NotAnObject), "{text}");
        }
        assert!(matches!("{".parse::<Info>(), Err(InfoError::Json(_))));
        let spaced: Info = "{\n \"a b\" : [ 1.0, \" \\\" \" ] }".parse().unwrap();
        assert_eq!(spaced.as_str(), r#"{"a b":[1.0," \" "]}"#);
    }

    #[test]
    fn a_person_is_read_as_it_was_written() {
        for text in [r#"{"user":"a\"b"}"#, r#"{"info":{}}"#, r#"{"user":"","info":{"x":[1]}}"#] {
            let person: Person = text.parse().unwrap();
            assert_eq!(person.to_string(), text);
        }
        let long = format!(r#"{{"user":"{}"}}"#, "u".repeat(Person::MAX_USER + 1));
        for text in ["{}", "[]", "1", r#"{"user":5}"#, r#"{"user":"a","more":1}"#, r#"{"info":[]}"#, &long] {
            assert!(text.parse::<Person>().is_err(), "{text}");
        }
    }
}
