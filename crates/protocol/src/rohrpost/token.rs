//! Who a client says it is.

use std::fmt;

/// A JSON Web Token as the client sent it, unread. Its debug form does not show it, so that no log does.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Box<str>);

impl Token {
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The token itself, for the one who checks it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
