//! Channel names as the reference has them.

use crate::{Channel, ChannelError};

/// How the name in a path or a broadcast becomes a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChannelNames {
    /// As it is written.
    #[default]
    AsWritten,
    /// As the reference does it: white space around it goes, letters become lower case, `_` becomes `:`, and an empty
    /// name means `__all__`.
    Folded,
}

impl ChannelNames {
    /// The channel that `name` means.
    ///
    /// # Errors
    ///
    /// The name, folded or not, is that of no channel.
    pub fn channel(self, name: &str) -> Result<Channel, ChannelError> {
        match self {
            Self::AsWritten => name.parse(),
            Self::Folded => match name.trim() {
                "" => EVERYBODY.parse(),
                name => name.to_lowercase().replace('_', ":").parse(),
            },
        }
    }
}

/// The reference's name for no name, which it does not fold again.
const EVERYBODY: &str = "__all__";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_as_the_reference_does() {
        let check = |names: ChannelNames, name: &str, expected: Option<&str>| {
            let found = names.channel(name).ok();
            assert_eq!(found.as_ref().map(Channel::as_str), expected, "{name:?}");
        };
        for (name, written, folded) in [
            ("test-channel", Some("test-channel"), Some("test-channel")),
            ("Room_1", Some("Room_1"), Some("room:1")),
            (" ÄB ", None, Some("äb")),
            ("ℭ", Some("ℭ"), Some("ℭ")),
            ("", None, Some("__all__")),
            (" \t", None, Some("__all__")),
            ("__all__", Some("__all__"), Some("::all::")),
            ("a b", None, None),
            ("*", None, None),
        ] {
            check(ChannelNames::AsWritten, name, written);
            check(ChannelNames::Folded, name, folded);
        }
    }
}
