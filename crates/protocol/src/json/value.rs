//! One JSON value.

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{is_deeper, is_too_deep};

/// One JSON value (RFC 8259) as it was written, but for white space around it: the spelling of numbers, the order of
/// members and escapes stay.
///
/// Arrays and objects nest at most [`Json::MAX_DEPTH`] deep. Two values are equal if they are written alike.
///
/// ```
/// use geocast_protocol::Json;
///
/// let value: Json = " [7.10, 12345678901234567890] ".parse()?;
/// assert_eq!(value.as_str(), "[7.10, 12345678901234567890]");
/// assert!("[1,]".parse::<Json>().is_err());
/// assert!("[".repeat(40).parse::<Json>().is_err());
/// # Ok::<(), geocast_protocol::JsonError>(())
/// ```
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// How deep arrays and objects may nest: deep enough for a collection of collections in GeoJSON, shallow enough for
    /// any reader's stack. It is no setting: what one server can pass on, all can.
    pub const MAX_DEPTH: usize = 32;

    /// The value as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The value as bytes of UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.as_str().as_bytes()
    }

    /// Whether arrays and objects nest deeper in it than `levels`.
    ///
    /// ```
    /// let value: geocast_protocol::Json = r#"{"a":["[["]}"#.parse()?;
    /// assert!(value.is_deeper_than(1) && !value.is_deeper_than(2));
    /// # Ok::<(), geocast_protocol::JsonError>(())
    /// ```
    #[must_use]
    pub fn is_deeper_than(&self, levels: usize) -> bool {
        is_deeper(self.as_bytes(), levels)
    }

    /// Takes a part of a document whose depth was checked.
    pub(crate) fn part(raw: &RawValue) -> Self {
        Self(raw.to_owned())
    }
}

impl FromStr for Json {
    type Err = JsonError;

    fn from_str(text: &str) -> Result<Self, JsonError> {
        if is_too_deep(text.as_bytes()) {
            return Err(JsonError::TooDeep);
        }
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| JsonError::Syntax { reason: error.to_string() })?;
        Ok(Self::part(raw))
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({})", self.as_str())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl Hash for Json {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// Why a text is no [`Json`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Arrays and objects nest too deep.
    #[error("JSON is nested deeper than {} levels", Json::MAX_DEPTH)]
    TooDeep,
    /// It is no JSON.
    #[error("{reason}")]
    Syntax {
        /// What is wrong, and at which line and column.
        reason: String,
    },
}

/// The text of a JSON string; nothing for another value, or if an escape in it is half a surrogate pair.
pub(crate) fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    serde_json::from_str(raw.get()).ok().map(|Text(text)| text)
}

/// Whether Python counts a value as false: `null`, `false`, zero, and what is empty.
pub(crate) fn is_falsy(json: &str) -> bool {
    let empty = |open, close| {
        json.strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
            .is_some_and(|inside| inside.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')))
    };
    match json.as_bytes().first() {
        Some(b'n' | b'f') => true,
        Some(b'"') => json == r#""""#,
        Some(b'[') => empty('[', ']'),
        Some(b'{') => empty('{', '}'),
        Some(b'-' | b'0'..=b'9') => json.parse::<f64>().is_ok_and(|number| number == 0.0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falsy_is_what_python_says() {
        for json in ["null", "false", "0", "-0", "0.0", "0e9", r#""""#, "[]", "{}", "[ \n]", "{\t}"] {
            assert!(is_falsy(json), "{json}");
        }
        for json in ["true", "1", "-1", "1e-9", r#"" ""#, "[0]", r#"{"":0}"#, "[[]]"] {
            assert!(!is_falsy(json), "{json}");
        }
    }

    #[test]
    fn keeps_how_it_was_written() {
        let check = |text: &str, expected: &str| {
            let json: Json = text.parse().unwrap();
            assert_eq!(json.as_str(), expected);
            assert_eq!(serde_json::to_string(&[&json]).unwrap(), format!("[{expected}]"));
        };
        check("1.0", "1.0");
        check(" { \"b\" : 1e400, \"a\":\"\\u0041\" }\n", r#"{ "b" : 1e400, "a":"\u0041" }"#);
    }

    #[test]
    fn refuses_what_is_no_json() {
        for text in ["", " ", "nan", "NaN", "'a'", "[1,]", "{1:2}", "01", "1 2", "\"\n\"", "\u{feff}1"] {
            assert!(matches!(text.parse::<Json>(), Err(JsonError::Syntax { .. })), "{text:?}");
        }
        assert_eq!("[".repeat(33).parse::<Json>(), Err(JsonError::TooDeep));
    }
}
