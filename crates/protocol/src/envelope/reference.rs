//! What an answer repeats of its question.

use crate::json;

/// What an answer repeats of its question, so that the client can tell which it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientReference<'a> {
    /// The client gave none: `null`.
    #[default]
    Null,
    /// The client gave none, and the gateway is set to say `""`, which some clients expect.
    Empty,
    /// What the client gave.
    Given(&'a str),
}

impl ClientReference<'_> {
    /// Appends it as JSON.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Empty => out.extend_from_slice(br#""""#),
            Self::Given(text) => json::string(out, text),
        }
    }

    /// About how many bytes [`ClientReference::write`] appends.
    pub(super) const fn len_hint(self) -> usize {
        match self {
            Self::Null => 4,
            Self::Empty => 2,
            Self::Given(text) => text.len() + 2,
        }
    }
}
