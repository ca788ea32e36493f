use std::time::Duration;

use geocast_protocol::{Person, envelope::Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, value::RawValue};

use super::{Grant, TokenError, TokenSettings, grant::Signature};
use crate::{
    Patterns,
    access::{excerpt, rights::KnownRights},
};

/// What a token says (RFC 7519 §4), as far as it matters here. Whatever has another type than it is to have is an error:
/// a time that cannot be read must not pass for one that is absent.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    #[serde(default, deserialize_with = "present")]
    iss: Option<String>,
    #[serde(default, deserialize_with = "present")]
    aud: Option<OneOrMore>,
    #[serde(default, deserialize_with = "present")]
    exp: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    channels: Option<Channels>,
    /// Patterns if it is an array; otherwise the name of a subject (RFC 7519 §4.1.2): who others are told that the bearer is.
    sub: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    r#pub: Option<Vec<String>>,
    /// What of the world may be seen. Read by itself.
    #[serde(default, deserialize_with = "present")]
    geo: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
struct Channels {
    #[serde(default)]
    sub: Vec<String>,
    #[serde(default)]
    r#pub: Vec<String>,
}

/// Who has issued a token, and for whom.
#[derive(Debug)]
pub(super) struct Addressee {
    iss: Option<String>,
    aud: Option<OneOrMore>,
}

impl Claims {
    /// Reads the payload of a token whose signature has been checked.
    pub(super) fn read(payload: &[u8]) -> Result<Self, TokenError> {
        serde_json::from_slice(payload).map_err(|error| unreadable(&error))
    }

    /// Everything that such a payload says.
    pub(super) fn all(payload: &[u8]) -> Result<Map<String, Value>, TokenError> {
        serde_json::from_slice(payload).map_err(|error| unreadable(&error))
    }

    /// What the token allows, if it is valid now, from who has to have issued it, and for this server.
    pub(super) fn grant(
        mut self,
        settings: &TokenSettings,
        known: &KnownRights,
        signature: Signature,
        now: Timestamp,
    ) -> Result<Grant, TokenError> {
        let addressee = Addressee { iss: self.iss.take(), aud: self.aud.take() };
        addressee.check(settings)?;
        if self.nbf.is_some_and(|nbf| now.millis() < (nbf - LEEWAY.as_secs_f64()) * 1000.0) {
            return Err(TokenError::NotYetValid);
        }
        let expires = self.exp.map(expiry);
        if expires.is_some_and(|expires| now >= expires) {
            return Err(TokenError::Expired);
        }
        let rights = self.geo.as_ref().map(|claim| known.read(claim.get())).transpose()?;
        let user = self.sub.as_ref().and_then(Value::as_str).filter(|user| user.len() <= Person::MAX_USER);
        let user = user.map(Box::from);
        let (read, publish) = self.patterns()?;
        Ok(Grant { token: 0, read, publish, rights, user, expires, signature, addressee, claims: Map::new() })
    }

    fn patterns(self) -> Result<(Patterns, Patterns), TokenError> {
        let Channels { sub, r#pub } = match self.channels {
            Some(channels) => channels,
            None => {
                let sub = match self.sub {
                    Some(list @ Value::Array(_)) => {
                        Vec::deserialize(list).map_err(|error| unreadable(&error))?
                    }
                    Some(_) | None => Vec::new(),
                };
                Channels { sub, r#pub: self.r#pub.unwrap_or_default() }
            }
        };
        let count = sub.len() + r#pub.len();
        if count > MOST_PATTERNS {
            return Err(TokenError::Patterns(count));
        }
        Ok((Patterns::new(sub)?, Patterns::new(r#pub)?))
    }
}

impl Addressee {
    /// Whether that is who has to have issued it, and this server.
    pub(super) fn check(&self, settings: &TokenSettings) -> Result<(), TokenError> {
        if let Some(expected) = &settings.issuer
            && self.iss.as_ref() != Some(expected)
        {
            return Err(TokenError::Issuer(excerpt(self.iss.as_deref().unwrap_or_default().as_bytes())));
        }
        // Whoever does not go by a name is in no audience (RFC 7519 §4.1.3).
        let meant = match (&self.aud, &settings.audience) {
            (None, None) => true,
            (Some(OneOrMore::One(audience)), Some(own)) => audience == own,
            (Some(OneOrMore::More(audiences)), Some(own)) => audiences.contains(own),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if meant { Ok(()) } else { Err(TokenError::Audience) }
    }
}

/// When a token with this `exp` is over, the leeway included. A time before the epoch is over at the epoch.
fn expiry(exp: f64) -> Timestamp {
    let after = (exp + LEEWAY.as_secs_f64()).max(0.0);
    Timestamp::since_epoch(Duration::try_from_secs_f64(after).unwrap_or(Duration::MAX))
}

fn unreadable(error: &serde_json::Error) -> TokenError {
    TokenError::Claims(excerpt(error.to_string().as_bytes()))
}

/// A member that is there has its type: `null` is not as good as absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// By how much the clocks of this machine and of who issues tokens may differ.
const LEEWAY: Duration = Duration::from_secs(30);

/// Patterns of one token: matching costs little, but every connection keeps its own.
pub(super) const MOST_PATTERNS: usize = 128;

#[cfg(test)]
mod tests;
