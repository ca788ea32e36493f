use std::{
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use axum::http::{HeaderMap, Uri};
use geocast_protocol::{Channel, envelope::Timestamp};
use thiserror::Error;

use super::{
    AccessPolicy, Credentials, Denial, Visitor,
    identity::{Identity, PresentedKey},
    origin::{OriginPolicy, OwnHosts},
    tokens::Verifier,
    visitor::Arrived,
};
use crate::{KeyError, Patterns, Secret, Settings, StoreSettings, access::TokenError, transport::Peer};

/// The one answer to who may read and publish what, for every way in.
///
/// Anybody may read the server's channels. The publish key opens the same channels for publishing. A token adds the
/// channels that it names, within the bound that the settings put on tokens; when its time is over, whoever presented it
/// may do nothing. A program's own policy has the last word: it can refuse what all of these allow.
#[derive(Debug)]
pub(crate) struct Access {
    channels: Channels,
    publishing: Publishing,
    tokens: Option<Verifier>,
    policy: Option<Arc<dyn AccessPolicy>>,
    origins: OriginPolicy,
    own_hosts: OwnHosts,
}

/// From where the server can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exposure {
    /// From this machine only.
    Loopback,
    /// From elsewhere.
    Network,
}

#[derive(Debug)]
enum Channels {
    All,
    Listed(Patterns),
    None,
}

#[derive(Debug)]
enum Publishing {
    Open,
    Key(Secret),
    Closed,
}

/// Why a publication is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum PublishRefused {
    /// The channel is not among those that may be used.
    #[error("channel `{0}` is not allowed here: the server's setting `channels` names those that are")]
    Channel(Channel),
    /// The token does not name the channel.
    #[error("the token does not allow publishing to channel `{0}`")]
    Token(Channel),
    /// The time of the token is over.
    #[error("the token has expired")]
    Expired,
    /// A key is needed and none was sent.
    #[error("publishing needs the header `Authorization: Bearer KEY`")]
    KeyMissing,
    /// The key is another one.
    #[error("the publish key is not the right one")]
    KeyWrong,
    /// Publishing needs a token.
    #[error("publishing needs a token that allows it")]
    TokenMissing,
    /// Nobody may publish.
    #[error("publishing is off: the settings `publish_key` and `jwks_file` turn it on")]
    Closed,
    /// The program's own policy refuses.
    #[error("publishing to channel `{0}` is refused: {1}")]
    Policy(Channel, Denial),
}

/// Why somebody may not read a channel.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum ReadRefused {
    /// Neither the settings nor a token allow it.
    #[error("channel `{0}` may not be read")]
    Channel(Channel),
    /// The program's own policy refuses.
    #[error("channel `{0}` may not be read: {1}")]
    Policy(Channel, Denial),
}

impl Access {
    /// Everything on an embedded store that only this machine can reach; otherwise what the settings name. Keys for tokens
    /// are still to be [loaded](Self::reload_keys).
    pub(crate) fn new(settings: &Settings, exposure: Exposure) -> Self {
        let embedded = !matches!(settings.store, StoreSettings::Redis(_));
        let private = embedded && exposure == Exposure::Loopback;
        let channels = match &settings.channels {
            Some(patterns) => Channels::Listed(patterns.clone()),
            None if private => Channels::All,
            None => Channels::None,
        };
        let publishing = match &settings.publish_key {
            Some(key) => Publishing::Key(key.clone()),
            None if private => Publishing::Open,
            None => Publishing::Closed,
        };
        let is_open = matches!(channels, Channels::All) || matches!(publishing, Publishing::Open);
        Self {
            channels,
            publishing,
            tokens: settings.tokens.clone().map(Verifier::new),
            origins: settings.origins.clone(),
            policy: None,
            own_hosts: if is_open { OwnHosts::Loopback } else { OwnHosts::Any },
        }
    }

    /// Whether a request with these headers comes from a web page that may use the server, or from no page at all.
    ///
    /// # Errors
    /// The refused `Origin` header, shortened and without control characters.
    pub(crate) fn admits_page(&self, headers: &HeaderMap) -> Result<(), String> {
        self.origins.check(headers, self.own_hosts)
    }

    /// The same, with a policy of the program's own.
    pub(crate) fn asking(self, policy: Option<Arc<dyn AccessPolicy>>) -> Self {
        Self { policy, ..self }
    }

    /// Reads the keys of tokens from their files, on a thread that may wait. All are replaced at once, or none. Whoever is
    /// connected keeps what its token gave it.
    pub(crate) fn reload_keys(&self) -> Result<(), KeyError> {
        self.tokens.as_ref().map_or(Ok(()), Verifier::load)
    }

    /// Whether somebody may read the channel.
    pub(crate) fn reads(
        &self,
        identity: &Identity,
        channel: &Channel,
        now: Timestamp,
    ) -> Result<(), ReadRefused> {
        let granted = || identity.grant.as_ref().is_some_and(|grant| grant.reads(channel));
        let allowed = self.channels.contain(channel) || (granted() && self.is_within_bound(channel));
        if identity.has_expired(now) || !allowed {
            return Err(ReadRefused::Channel(channel.clone()));
        }
        self.ask(channel, |policy| policy.may_read(channel, &Visitor::new(identity)))
            .map_err(|denial| ReadRefused::Policy(channel.clone(), denial))
    }

    /// Who a request comes from. Without a token, that is anybody; a token that is not accepted does not make its bearer
    /// anybody, but is an error.
    pub(crate) fn identify(
        &self,
        peer: Peer,
        uri: &Uri,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Identity, TokenError> {
        let Credentials { bearer, password, tokens } = Credentials::of(uri, headers);
        let mut key = password.map_or(PresentedKey::None, |password| self.present(password.as_bytes()));
        let mut tokens: Vec<&str> = tokens.iter().map(|token| &**token).collect();
        if let Some(bearer) = bearer {
            let presented = self.present(bearer);
            if presented != PresentedKey::Right && self.is_meant_as_token(bearer) {
                // What is no text is no token either, and neither is an empty one.
                tokens.push(std::str::from_utf8(bearer).unwrap_or_default());
            } else {
                key = key.max(presented);
            }
        }
        let grant = match *tokens {
            _ if self.tokens.is_none() => None,
            [] => None,
            [token] => self.identify_token(token, &Identity::ANYBODY, now)?.grant,
            _ => return Err(TokenError::Several),
        };
        let arrived =
            self.policy.as_ref().map(|_| Arrived { peer, uri: uri.clone(), headers: headers.clone() });
        Ok(Identity { key, grant, arrived: arrived.map(Arc::new) })
    }

    /// Whom a token stands for that a client presents with a request, for dialects in which it can.
    pub(crate) fn identify_token(
        &self,
        token: &str,
        client: &Identity,
        now: Timestamp,
    ) -> Result<Identity, TokenError> {
        let grant = self.tokens.as_ref().ok_or(TokenError::Unused)?.read(token, now)?;
        // Nobody else asks for them.
        let grant = if self.policy.is_some() { grant } else { grant.without_claims() };
        let arrived = client.arrived.clone();
        Ok(Identity { key: PresentedKey::None, grant: Some(Arc::new(grant)), arrived })
    }

    /// Whether somebody may publish to the channel.
    pub(crate) fn publishes(
        &self,
        identity: &Identity,
        channel: &Channel,
        now: Timestamp,
    ) -> Result<(), PublishRefused> {
        self.publishes_by_settings(identity, channel, now)?;
        self.publishes_for_filter(identity, channel)
    }

    /// Whether the program's own policy lets a filter publish for somebody. What the settings say does not matter: the filter
    /// is the operator's.
    pub(crate) fn publishes_for_filter(
        &self,
        identity: &Identity,
        channel: &Channel,
    ) -> Result<(), PublishRefused> {
        self.ask(channel, |policy| policy.may_publish(channel, &Visitor::new(identity)))
            .map_err(|denial| PublishRefused::Policy(channel.clone(), denial))
    }

    /// Whether settings and token let somebody publish to the channel, whatever a policy says.
    pub(crate) fn publishes_by_settings(
        &self,
        identity: &Identity,
        channel: &Channel,
        now: Timestamp,
    ) -> Result<(), PublishRefused> {
        if identity.has_expired(now) {
            return Err(PublishRefused::Expired);
        }
        if let Some(grant) = &identity.grant
            && grant.publishes(channel)
            && self.is_within_bound(channel)
        {
            return Ok(());
        }
        let refused = match (&self.publishing, identity.key) {
            (Publishing::Open, _) | (Publishing::Key(_), PresentedKey::Right) => {
                if self.channels.contain(channel) {
                    return Ok(());
                }
                PublishRefused::Channel(channel.clone())
            }
            (Publishing::Key(_), PresentedKey::Wrong) => return Err(PublishRefused::KeyWrong),
            (Publishing::Key(_), PresentedKey::None) => PublishRefused::KeyMissing,
            (Publishing::Closed, _) if self.tokens.is_some() => PublishRefused::TokenMissing,
            (Publishing::Closed, _) => PublishRefused::Closed,
        };
        Err(if identity.grant.is_some() { PublishRefused::Token(channel.clone()) } else { refused })
    }

    /// What to tell an operator whose settings let nobody in.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self.channels {
            Channels::None if self.tokens.is_none() => Some(
                "no channel may be read: name those that may with --channels 'PATTERN,…' (or --channels '*' for all)",
            ),
            Channels::None | Channels::All | Channels::Listed(_) => None,
        }
    }

    /// Whoever cannot answer has not said yes.
    fn ask(
        &self,
        channel: &Channel,
        question: impl FnOnce(&dyn AccessPolicy) -> Result<(), Denial>,
    ) -> Result<(), Denial> {
        let Some(policy) = &self.policy else { return Ok(()) };
        catch_unwind(AssertUnwindSafe(|| question(&**policy))).unwrap_or_else(|_panic| {
            tracing::error!(%channel, "the access policy panicked");
            Err(Denial::new("the access policy failed"))
        })
    }

    fn present(&self, offered: &[u8]) -> PresentedKey {
        match &self.publishing {
            Publishing::Key(key) if key.admits(offered) => PresentedKey::Right,
            Publishing::Key(_) => PresentedKey::Wrong,
            Publishing::Open | Publishing::Closed => PresentedKey::None,
        }
    }

    /// Whether a bearer's word, which is not the publish key, is to be read as a token rather than as a wrong key.
    fn is_meant_as_token(&self, bearer: &[u8]) -> bool {
        let keyed = matches!(self.publishing, Publishing::Key(_));
        let parts = bearer.split(|byte| *byte == b'.').count();
        self.tokens.is_some() && (!keyed || parts == 3)
    }

    fn is_within_bound(&self, channel: &Channel) -> bool {
        let bound = self.tokens.as_ref().and_then(Verifier::bound);
        bound.is_none_or(|bound| bound.matches(channel.as_str()))
    }
}

impl Channels {
    fn contain(&self, channel: &Channel) -> bool {
        match self {
            Self::All => true,
            Self::Listed(patterns) => patterns.matches(channel.as_str()),
            Self::None => false,
        }
    }
}

impl From<IpAddr> for Exposure {
    fn from(address: IpAddr) -> Self {
        if address.is_loopback() { Self::Loopback } else { Self::Network }
    }
}

#[cfg(test)]
mod tests;
