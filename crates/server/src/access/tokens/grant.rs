use geocast_protocol::{Channel, envelope::Timestamp};
use serde_json::{Map, Value};

use super::{Algorithm, claims::Addressee, key::KeyPrint};
use crate::{Patterns, access::rights::Held};

/// What an accepted token allows, and for how long.
#[derive(Debug)]
pub(in crate::access) struct Grant {
    /// Tells tokens apart, while this process runs.
    pub(super) token: u64,
    pub(super) read: Patterns,
    pub(super) publish: Patterns,
    pub(super) rights: Held,
    /// Whom it names.
    pub(super) user: Option<Box<str>>,
    pub(super) expires: Option<Timestamp>,
    /// By which it is known whether the token would be accepted again.
    pub(super) signature: Signature,
    pub(super) addressee: Addressee,
    /// All that the token says.
    pub(super) claims: Map<String, Value>,
}

/// How a token was signed, as far as it matters for whether it would be accepted again.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) algorithm: Algorithm,
    /// By which name the signer knows the key.
    pub(super) key_id: Option<Box<str>>,
    /// The key that it was checked with.
    pub(super) key: KeyPrint,
}

impl Grant {
    /// Whether the channel may be read.
    pub(in crate::access) fn reads(&self, channel: &Channel) -> bool {
        self.read.matches(channel.as_str())
    }

    /// What may be read, as the token says it.
    pub(in crate::access) fn readable(&self) -> &Patterns {
        &self.read
    }

    /// Whether the channel may be published to.
    pub(in crate::access) fn publishes(&self, channel: &Channel) -> bool {
        self.publish.matches(channel.as_str())
    }

    /// To what of the world it limits its bearer, if it does.
    pub(in crate::access) fn rights(&self) -> &Held {
        &self.rights
    }

    /// Whom it names, if it names somebody.
    pub(in crate::access) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The same without all that the token says: each number of a polygon would be kept as a JSON value, for each connection.
    pub(in crate::access) fn without_claims(self) -> Self {
        Self { claims: Map::new(), ..self }
    }

    /// All that the token says, for a program's own policy.
    pub(in crate::access) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Tells tokens apart, while this process runs.
    pub(in crate::access) fn token(&self) -> u64 {
        self.token
    }

    /// From when on it allows nothing, the leeway included.
    pub(in crate::access) fn expires(&self) -> Option<Timestamp> {
        self.expires
    }
}
