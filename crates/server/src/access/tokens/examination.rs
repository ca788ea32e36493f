use geocast_protocol::{Channel, envelope::Timestamp};
use serde_json::{Map, Value};

use super::{Grant, KeyError, KeySet, TokenError, TokenSettings, Verifier};
use crate::Patterns;

/// What a server makes of a token that it accepts.
#[derive(Debug)]
pub struct AcceptedToken {
    grant: Grant,
    bound: Option<Patterns>,
}

/// Why a server does not accept a token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedToken {
    /// What a client is told: a stable code, such as `token_expired`.
    pub code: &'static str,
    /// What a client is told besides: nothing about keys and settings.
    pub message: &'static str,
    /// The reason, as the log of the server has it.
    pub reason: String,
}

impl TokenSettings {
    /// Says of a token what a server with these settings would say at this time, and why. The keys are read from their files.
    ///
    /// # Errors
    /// [`KeyError`]: the keys cannot be read. That the token is not accepted is a value.
    pub fn examine(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Result<AcceptedToken, RefusedToken>, KeyError> {
        let keys = KeySet::load(&self.keys)?;
        Ok(Verifier::of(self.clone(), keys).examine(token, now))
    }
}

impl Verifier {
    /// What is to be said of a token.
    pub(super) fn examine(&self, token: &str, now: Timestamp) -> Result<AcceptedToken, RefusedToken> {
        let grant = self.read(token, now)?;
        Ok(AcceptedToken { grant, bound: self.bound().cloned() })
    }
}

impl AcceptedToken {
    /// Whether it opens the channel for reading, within the bound that the settings put on tokens.
    #[must_use]
    pub fn reads(&self, channel: &Channel) -> bool {
        self.grant.reads(channel) && self.is_within_bound(channel)
    }

    /// Whether it opens the channel for publishing, within that bound.
    #[must_use]
    pub fn publishes(&self, channel: &Channel) -> bool {
        self.grant.publishes(channel) && self.is_within_bound(channel)
    }

    /// What it opens for reading, as patterns, and what for publishing.
    #[must_use]
    pub fn patterns(&self) -> (&Patterns, &Patterns) {
        (&self.grant.read, &self.grant.publish)
    }

    /// Whom it names, if it names somebody.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.grant.user()
    }

    /// Whether it limits its bearer to a part of the world (claim `geo`).
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.grant.rights().is_some()
    }

    /// From when on it opens nothing, with the half minute that clocks may differ by; `None`: never.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.grant.expires()
    }

    /// All that it says.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.grant.claims
    }

    fn is_within_bound(&self, channel: &Channel) -> bool {
        self.bound.as_ref().is_none_or(|bound| bound.matches(channel.as_str()))
    }
}

impl From<TokenError> for RefusedToken {
    fn from(error: TokenError) -> Self {
        let (code, message) = error.said();
        Self { code, message, reason: error.to_string() }
    }
}
