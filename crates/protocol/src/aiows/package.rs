//! What is published.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{Json, JsonError, excerpt::excerpt};

/// What kind of payload a package has: the header `Package-Type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PackageType {
    /// UTF-8; also what is meant where nothing is said.
    #[default]
    Text,
    /// One JSON value.
    Json,
    /// Anything.
    Bytes,
}

impl PackageType {
    /// The word on the wire, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Bytes => "bytes",
        }
    }
}

impl fmt::Display for PackageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads the header's value, in any case, white space around it aside.
impl FromStr for PackageType {
    type Err = PackageTypeError;

    fn from_str(text: &str) -> Result<Self, PackageTypeError> {
        let word = text.trim_matches([' ', '\t']);
        [Self::Text, Self::Json, Self::Bytes]
            .into_iter()
            .find(|kind| word.eq_ignore_ascii_case(kind.as_str()))
            .ok_or_else(|| PackageTypeError { value: excerpt(text) })
    }
}

/// That a text is not the name of a [`PackageType`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("package type `{value}` is none of text, json and bytes")]
#[non_exhaustive]
pub struct PackageTypeError {
    /// The text, escaped and shortened.
    pub value: String,
}

/// A payload that is of its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Package {
    /// Text, which goes out as a text frame.
    Text(String),
    /// JSON, which goes out as a text frame.
    Json(Json),
    /// Bytes, which go out as a binary frame.
    Bytes(Vec<u8>),
}

impl Package {
    /// Takes the body of a request as a package of this type.
    ///
    /// # Errors
    ///
    /// The body is no UTF-8 or no JSON where it should be.
    pub fn read(kind: PackageType, body: Vec<u8>) -> Result<Self, PackageError> {
        match kind {
            PackageType::Bytes => Ok(Self::Bytes(body)),
            PackageType::Text => text(body).map(Self::Text),
            PackageType::Json => Ok(Self::Json(text(body)?.parse()?)),
        }
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> PackageType {
        match self {
            Self::Text(_) => PackageType::Text,
            Self::Json(_) => PackageType::Json,
            Self::Bytes(_) => PackageType::Bytes,
        }
    }

    /// What a subscriber receives, in one frame.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Json(json) => json.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// Why a body is no package of its type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PackageError {
    /// It is not UTF-8.
    #[error("the package is not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// The first byte that no text has there.
        offset: usize,
    },
    /// It is not JSON.
    #[error("the package is not JSON: {0}")]
    Json(#[from] JsonError),
}

fn text(body: Vec<u8>) -> Result<String, PackageError> {
    String::from_utf8(body)
        .map_err(|error| PackageError::NotUtf8 { offset: error.utf8_error().valid_up_to() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_any_case() {
        let check = |text: &str, expected| assert_eq!(text.parse::<PackageType>().ok(), expected, "{text:?}");
        check("text", Some(PackageType::Text));
        check("Text", Some(PackageType::Text));
        check("JSON", Some(PackageType::Json));
        check(" bytes\t", Some(PackageType::Bytes));
        check("", None);
        check("byte", None);
        check("text/plain", None);
        let error = "x\n".parse::<PackageType>().unwrap_err();
        assert_eq!(error.to_string(), r"package type `x\n` is none of text, json and bytes");
    }

    #[test]
    fn a_package_is_of_its_type() {
        let check = |kind, body: &[u8], expected: Result<&[u8], &str>| {
            let found = Package::read(kind, body.to_vec());
            let found = found.map(|package| {
                assert_eq!(package.kind(), kind);
                package.payload().to_vec()
            });
            assert_eq!(
                found.map_err(|error| error.to_string()),
                expected.map(<[u8]>::to_vec).map_err(str::to_owned)
            );
        };
        check(PackageType::Text, b"", Ok(b""));
        check(PackageType::Text, b"{\"a\":1}", Ok(b"{\"a\":1}"));
        check(PackageType::Text, b"a\xff", Err("the package is not UTF-8 from byte 1 on"));
        check(PackageType::Json, b" [7.10]\n", Ok(b"[7.10]"));
        check(
            PackageType::Json,
            b"",
            Err("the package is not JSON: EOF while parsing a value at line 1 column 0"),
        );
        check(PackageType::Json, b"\xff", Err("the package is not UTF-8 from byte 0 on"));
        check(PackageType::Bytes, b"\xff\0", Ok(b"\xff\0"));
    }
}
