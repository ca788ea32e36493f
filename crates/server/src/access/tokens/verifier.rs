use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use geocast_protocol::envelope::Timestamp;
use parking_lot::RwLock;

use super::{Claims, Compact, Grant, KeyError, KeySet, TokenError, TokenSettings};
use crate::{Patterns, access::rights::KnownRights};

/// Reads tokens, with keys that can be replaced at any time.
#[derive(Debug)]
pub(in crate::access) struct Verifier {
    settings: TokenSettings,
    /// Held only to take or to replace the reference.
    keys: RwLock<Arc<KeySet>>,
    known: KnownRights,
    /// Tells tokens apart, in a way that nobody outside can foresee.
    numbers: RandomState,
}

impl Verifier {
    /// Without keys yet: it accepts nothing before they have been [loaded](Self::load).
    pub(in crate::access) fn new(settings: TokenSettings) -> Self {
        Self { settings, keys: RwLock::default(), known: KnownRights::default(), numbers: RandomState::new() }
    }

    /// With one secret.
    #[cfg(any(test, fuzzing))]
    pub(in crate::access) fn with_secret(settings: TokenSettings, secret: &[u8]) -> Self {
        let keys = KeySet::of_secret(secret);
        Self { keys: RwLock::new(Arc::new(keys)), ..Self::new(settings) }
    }

    /// Reads the keys from their files. All are replaced, or none.
    pub(in crate::access) fn load(&self) -> Result<(), KeyError> {
        let keys = KeySet::load(&self.settings.keys)?;
        *self.keys.write() = Arc::new(keys);
        Ok(())
    }

    /// What a token allows.
    pub(in crate::access) fn read(&self, token: &str, now: Timestamp) -> Result<Grant, TokenError> {
        let number = self.numbers.hash_one(token);
        let token = Compact::read(token)?;
        let keys = Arc::clone(&self.keys.read());
        keys.admit(&token)?;
        let payload = token.payload()?;
        let grant = Claims::read(&payload)?.grant(&self.settings, &self.known, now)?;
        Ok(Grant { token: number, claims: Claims::all(&payload)?, ..grant })
    }

    /// The channels that tokens can give access to at most.
    pub(in crate::access) fn bound(&self) -> Option<&Patterns> {
        self.settings.channels.as_ref()
    }
}

#[cfg(test)]
mod tests;
