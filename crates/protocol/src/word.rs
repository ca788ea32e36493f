//! A word: what a command can carry as one argument.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The key of a value in a channel's hash, or the reference that a client gives to recognise an answer by.
///
/// At least one character, at most [`Word::MAX_BYTES`] bytes of UTF-8, no white space and no control characters
/// (Unicode's `White_Space` and `Cc`). Everything else is allowed: keys are other people's data.
///
/// ```
/// use geocast_protocol::Word;
///
/// let key: Word = "line-7/№3".parse()?;
/// assert_eq!(key.as_str(), "line-7/№3");
/// assert!("two words".parse::<Word>().is_err());
/// # Ok::<(), geocast_protocol::WordError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Word(Box<str>);

impl Word {
    /// The longest word, in bytes of UTF-8. Keys are names, not documents.
    pub const MAX_BYTES: usize = 1024;

    /// The word as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes `text` no word.
    pub(crate) fn fault(text: &str) -> Option<WordError> {
        if text.is_empty() {
            return Some(WordError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Some(WordError::TooLong { bytes: text.len() });
        }
        text.char_indices()
            .find(|(_, character)| character.is_whitespace() || character.is_control())
            .map(|(offset, character)| WordError::BadCharacter { character, offset })
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Word {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        Self::fault(text).map_or_else(|| Ok(Self(text.into())), Err)
    }
}

impl TryFrom<&str> for Word {
    type Error = WordError;

    fn try_from(text: &str) -> Result<Self, WordError> {
        text.parse()
    }
}

impl TryFrom<String> for Word {
    type Error = WordError;

    fn try_from(text: String) -> Result<Self, WordError> {
        Self::fault(&text).map_or_else(|| Ok(Self(text.into_boxed_str())), Err)
    }
}

impl From<Word> for String {
    fn from(word: Word) -> Self {
        word.0.into_string()
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Word {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a [`Word`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WordError {
    /// There is no character.
    #[error("a word must not be empty")]
    Empty,
    /// There are more than [`Word::MAX_BYTES`] bytes.
    #[error("a word of {bytes} bytes is longer than {} bytes", Word::MAX_BYTES)]
    TooLong {
        /// The length in bytes of UTF-8.
        bytes: usize,
    },
    /// White space or a control character.
    #[error("character {character:?} at byte {offset} of the word is not allowed")]
    BadCharacter {
        /// The first character that is not allowed.
        character: char,
        /// Where it stands in the word, in bytes.
        offset: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(), &str>) {
        let found =
            Word::try_from(text).map(|word| assert_eq!(word.to_string(), text)).map_err(|e| e.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text:?}");
        assert_eq!(Word::try_from(text), Word::try_from(text.to_owned()));
    }

    #[test]
    fn takes_what_is_printable() {
        for text in ["1", "a=b", "=", "*", "{\"id\":1}", "Zürich", "e\u{301}", "🚂", "*?[]{}\\"] {
            check(text, Ok(()));
        }
        check(&"x".repeat(1024), Ok(()));
    }

    #[test]
    fn is_a_string_in_json() {
        let word: Word = serde_json::from_str(r#""line-7""#).unwrap();
        assert_eq!(serde_json::to_string(&word).unwrap(), r#""line-7""#);
        assert!(serde_json::from_str::<Word>(r#""two words""#).is_err());
    }

    #[test]
    fn refuses_what_would_not_stay_one_word() {
        check("", Err("a word must not be empty"));
        check(&"x".repeat(1025), Err("a word of 1025 bytes is longer than 1024 bytes"));
        check("a b", Err("character ' ' at byte 1 of the word is not allowed"));
        check("é\r\n", Err("character '\\r' at byte 2 of the word is not allowed"));
        check("\0", Err("character '\\0' at byte 0 of the word is not allowed"));
        check("a\u{a0}", Err("character '\\u{a0}' at byte 1 of the word is not allowed"));
        check("a\u{85}", Err("character '\\u{85}' at byte 1 of the word is not allowed"));
    }
}
