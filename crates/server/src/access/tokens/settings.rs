use std::path::PathBuf;

use super::{KeyError, KeySet};
use crate::Patterns;

/// Which signed tokens are accepted, and what they may allow at most.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenSettings {
    /// Where the keys are. They are read at the start, and again on reload.
    pub keys: Vec<KeyFile>,
    /// Who has to have issued a token (claim `iss`, RFC 7519 §4.1.1). `None`: anybody who has a key.
    pub issuer: Option<String>,
    /// For whom a token has to be (claim `aud`, RFC 7519 §4.1.3). `None`: tokens that name an audience are refused.
    pub audience: Option<String>,
    /// The channels that tokens can give access to, whatever they say. `None`: those that they name.
    pub channels: Option<Patterns>,
}

/// A file with keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFile {
    /// The secret of HS256, 32 bytes at least, as it is; a line break at its end does not belong to it.
    Secret(PathBuf),
    /// A JSON Web Key Set (RFC 7517 §5).
    Jwks(PathBuf),
}

impl TokenSettings {
    /// Tokens signed with these keys, of any issuer, for no audience in particular, for all channels that they name.
    pub fn new(keys: Vec<KeyFile>) -> Self {
        Self { keys, issuer: None, audience: None, channels: None }
    }

    /// Reads the keys to see whether a server could.
    ///
    /// # Errors
    /// [`KeyError`] names the file and what is wrong with it.
    pub fn check(&self) -> Result<(), KeyError> {
        KeySet::load(&self.keys).map(drop)
    }
}
