use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use geocast_protocol::envelope::Timestamp;

use super::{Claims, Compact, Grant, KeyError, KeySet, TokenError, TokenSettings};
use crate::{Patterns, access::rights::KnownRights};

/// Reads tokens.
#[derive(Debug)]
pub(in crate::access) struct Verifier {
    settings: TokenSettings,
    keys: KeySet,
    bearers: Arc<Bearers>,
}

/// What is known of tokens, whatever the keys are.
#[derive(Debug, Default)]
pub(in crate::access) struct Bearers {
    rights: KnownRights,
    /// Tells tokens apart, in a way that nobody outside can foresee.
    numbers: RandomState,
}

impl Verifier {
    /// Without keys: it accepts nothing.
    pub(in crate::access) fn new(settings: TokenSettings, bearers: Arc<Bearers>) -> Self {
        Self { settings, keys: KeySet::default(), bearers }
    }

    /// With one secret.
    #[cfg(any(test, fuzzing))]
    pub(in crate::access) fn with_secret(settings: TokenSettings, secret: &[u8]) -> Self {
        Self { keys: KeySet::of_secret(secret), ..Self::new(settings, Arc::default()) }
    }

    /// With the keys that are in the files now.
    pub(in crate::access) fn load(settings: TokenSettings, bearers: Arc<Bearers>) -> Result<Self, KeyError> {
        let keys = KeySet::load(&settings.keys)?;
        Ok(Self { settings, keys, bearers })
    }

    /// With keys that are at hand.
    pub(super) fn of(settings: TokenSettings, keys: KeySet) -> Self {
        Self { keys, ..Self::new(settings, Arc::default()) }
    }

    /// What a token allows.
    pub(in crate::access) fn read(&self, token: &str, now: Timestamp) -> Result<Grant, TokenError> {
        let Bearers { rights, numbers } = &*self.bearers;
        let number = numbers.hash_one(token);
        let token = Compact::read(token)?;
        let signature = self.keys.admit(&token)?;
        let payload = token.payload()?;
        let grant = Claims::read(&payload)?.grant(&self.settings, rights, signature, now)?;
        Ok(Grant { token: number, claims: Claims::all(&payload)?, ..grant })
    }

    /// Whether a token that was read before, by whatever keys, would still be accepted, its time apart.
    pub(in crate::access) fn still_accepts(&self, grant: &Grant) -> bool {
        self.keys.still_admits(&grant.signature) && grant.addressee.check(&self.settings).is_ok()
    }

    /// The channels that tokens can give access to at most.
    pub(in crate::access) fn bound(&self) -> Option<&Patterns> {
        self.settings.channels.as_ref()
    }
}

#[cfg(test)]
mod tests;
