//! Channel names.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The name of a channel, and of the hash that holds its state.
///
/// One to [`Channel::MAX_BYTES`] bytes of printable ASCII without space, and of letters and digits of any other
/// script. Refused are
/// - `*`, `?`, `[`, `]` and `\`, which are wildcards or the escape in Redis's `PSUBSCRIBE`;
/// - `{` and `}`, which choose the slot of a key on a Redis cluster and mean alternatives in access patterns;
/// - white space, control and format characters, which end a word or a protocol line or hide in a log;
/// - combining marks, so that a name has one spelling only (`é` is a letter, `e` with U+0301 is refused).
///
/// A clone costs one reference count.
///
/// ```
/// use geocast_protocol::Channel;
///
/// let channel: Channel = "vehicles/zürich:7".parse()?;
/// assert_eq!(channel.as_str(), "vehicles/zürich:7");
/// assert!("news_*".parse::<Channel>().is_err());
/// # Ok::<(), geocast_protocol::ChannelError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Channel(Arc<str>);

impl Channel {
    /// The longest name, in bytes of UTF-8. Every table that has channels in it keeps names, and every message says one, so a bound
    /// on them is part of every other bound. It is no setting: a name that is good on one server is good on all.
    pub const MAX_BYTES: usize = 255;

    /// A channel of a server's own. Its name begins with [`Channel::INTERNAL`], which no other channel can have: nobody
    /// can name it from outside, in no dialect.
    ///
    /// # Errors
    /// [`ChannelError`]; what follows the beginning is as in any other name.
    pub fn internal(name: &str) -> Result<Self, ChannelError> {
        let longest = Self::MAX_BYTES - Self::INTERNAL.len();
        match name.parse::<Self>()? {
            Self(name) if name.len() > longest => Err(ChannelError::TooLong { bytes: name.len() }),
            Self(name) => Ok(Self([Self::INTERNAL, &*name].concat().into())),
        }
    }

    /// Whether it is one of a server's own.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.0.starts_with(Self::INTERNAL)
    }

    /// What the names of a server's own channels begin with.
    pub const INTERNAL: &str = "{geocast}";

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Channel {
    type Err = ChannelError;

    fn from_str(name: &str) -> Result<Self, ChannelError> {
        if name.is_empty() {
            return Err(ChannelError::Empty);
        }
        if name.len() > Self::MAX_BYTES {
            return Err(ChannelError::TooLong { bytes: name.len() });
        }
        match name.char_indices().find(|&(_, character)| !is_allowed(character)) {
            Some((offset, character)) => Err(ChannelError::BadCharacter { character, offset }),
            None => Ok(Self(name.into())),
        }
    }
}

impl TryFrom<&str> for Channel {
    type Error = ChannelError;

    fn try_from(name: &str) -> Result<Self, ChannelError> {
        name.parse()
    }
}

impl TryFrom<String> for Channel {
    type Error = ChannelError;

    fn try_from(name: String) -> Result<Self, ChannelError> {
        name.parse()
    }
}

impl From<Channel> for String {
    fn from(channel: Channel) -> Self {
        Self::from(&*channel.0)
    }
}

impl AsRef<str> for Channel {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Channel {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Why a text is not the name of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// There is no character.
    #[error("a channel name must not be empty")]
    Empty,
    /// There are more than [`Channel::MAX_BYTES`] bytes.
    #[error("a channel name of {bytes} bytes is longer than {} bytes", Channel::MAX_BYTES)]
    TooLong {
        /// The length in bytes of UTF-8.
        bytes: usize,
    },
    /// A character that no name has.
    #[error("character {character:?} at byte {offset} of the channel name is not allowed")]
    BadCharacter {
        /// The first character that is not allowed.
        character: char,
        /// Where it stands in the name, in bytes.
        offset: usize,
    },
}

/// Whether a name may have `character`.
fn is_allowed(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_graphic()
            && !matches!(character, '*' | '?' | '[' | ']' | '{' | '}' | '\\');
    }
    // Some combining marks count as alphabetic. The debug escape leaves a character alone only if it is printable
    // and begins a grapheme of its own (Unicode's Grapheme_Extend), which tells them apart without a table here.
    character.is_alphanumeric() && character.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;

    fn check(name: &str, expected: Result<(), &str>) {
        let found = Channel::try_from(name).map(|channel| assert_eq!(channel.to_string(), name));
        assert_eq!(found.map_err(|e| e.to_string()), expected.map_err(str::to_owned), "{name:?}");
        assert_eq!(Channel::try_from(name), Channel::try_from(name.to_owned()));
    }

    fn check_refused(name: &str, character: char, offset: usize) {
        check(
            name,
            Err(&format!("character {character:?} at byte {offset} of the channel name is not allowed")),
        );
    }

    #[test]
    fn takes_printable_ascii_and_letters() {
        for name in [
            "trajectory",
            "deleted_vehicles",
            "a",
            "=",
            "a=b",
            "a:b/c.d-e",
            "!\"#$%&'()+,;<>@^`|~",
            "zürich",
            "東京",
            "٣",
            "__all__",
        ] {
            check(name, Ok(()));
        }
        check(&"x".repeat(255), Ok(()));
    }

    #[test]
    fn refuses_empty_and_long_names() {
        check("", Err("a channel name must not be empty"));
        check(&"x".repeat(256), Err("a channel name of 256 bytes is longer than 255 bytes"));
        check(&"é".repeat(128), Err("a channel name of 256 bytes is longer than 255 bytes"));
    }

    #[test]
    fn refuses_globs_white_space_control_and_format_characters() {
        for character in
            "*?[]{}\\ \t\r\n\0\u{7f}\u{85}\u{a0}\u{200b}\u{200d}\u{202e}\u{2028}\u{feff}\u{ad}".chars()
        {
            check_refused(&format!("é{character}x"), character, 2);
        }
    }

    #[test]
    fn refuses_combining_marks_and_symbols() {
        for character in "\u{301}\u{345}\u{ff9e}\u{20dd}\u{fe0f}\u{e000}🚂€".chars() {
            check_refused(&format!("e{character}"), character, 1);
        }
    }

    #[test]
    fn nobody_can_name_what_is_internal() {
        let channel = Channel::internal("pipeline:all").unwrap();
        assert_eq!(channel.as_str(), "{geocast}pipeline:all");
        assert!(channel.is_internal() && channel.as_str().parse::<Channel>().is_err());
        assert!(!"geocast".parse::<Channel>().unwrap().is_internal());
        assert!(Channel::internal("").is_err() && Channel::internal("a b").is_err());
        assert!(Channel::internal(&"x".repeat(246)).is_ok() && Channel::internal(&"x".repeat(247)).is_err());
    }

    #[test]
    fn is_found_by_its_text() {
        let channel: Channel = "vehicles".parse().unwrap();
        assert!(HashSet::from([channel.clone()]).contains("vehicles"));
        assert!(BTreeSet::from([channel]).contains("vehicles"));
    }

    #[test]
    fn is_a_string_in_json() {
        let channel: Channel = serde_json::from_str(r#""vehicles""#).unwrap();
        assert_eq!(serde_json::to_string(&channel).unwrap(), r#""vehicles""#);
        assert!(serde_json::from_str::<Channel>(r#""news_*""#).is_err());
    }
}
