use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use geocast_protocol::Channel;
use thiserror::Error;

/// The name of a group of clients, such as a token or a room: any text of one to [`Group::MAX_BYTES`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(Box<str>);

/// Why a text is not the name of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GroupError {
    /// There is no character.
    #[error("the name of a group must not be empty")]
    Empty,
    /// It is too long.
    #[error("a group name of {0} bytes is longer than {max} bytes", max = Group::MAX_BYTES)]
    TooLong(usize),
}

impl Group {
    /// The longest name, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 128;

    /// The channel that carries what is sent to the group, on all nodes.
    pub(super) fn channel(&self) -> Channel {
        // The alphabet of RFC 4648 §5 has nothing that a channel cannot have, and the longest name is 171 characters.
        let name = format!("pipeline:group:{}", URL_SAFE_NO_PAD.encode(self.as_str()));
        Channel::internal(&name).expect("letters, digits, hyphens and underscores, and not too many")
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Group {
    type Err = GroupError;

    fn from_str(name: &str) -> Result<Self, GroupError> {
        match name.len() {
            0 => Err(GroupError::Empty),
            bytes if bytes > Self::MAX_BYTES => Err(GroupError::TooLong(bytes)),
            _ => Ok(Self(name.into())),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_a_channel_of_its_own() {
        let longest = "é".repeat(Group::MAX_BYTES / 2);
        for (name, expected) in [("a", "YQ"), (" *{}\n", "ICp7fQo"), ("🚂", "8J-agg")] {
            let group: Group = name.parse().unwrap();
            assert_eq!(group.channel().as_str(), format!("{{geocast}}pipeline:group:{expected}"));
        }
        assert!(longest.parse::<Group>().unwrap().channel().is_internal());
        assert_eq!("".parse::<Group>(), Err(GroupError::Empty));
        assert_eq!((longest + "x").parse::<Group>(), Err(GroupError::TooLong(129)));
    }
}
