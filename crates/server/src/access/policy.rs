use std::{
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use axum::http::{HeaderMap, Uri, header};
use geocast_protocol::{Channel, envelope::Timestamp};
use thiserror::Error;

use super::{
    AccessPolicy, Credentials, Denial, Visitor, bearer, excerpt,
    identity::{Identity, PresentedKey, Unaccepted},
    origin::{OriginPolicy, OwnHosts, OwnScheme, Page},
    replaceable::Replaceable,
    terms::{Channels, Publishing, Terms},
    tokens::{Bearers, Verifier},
    visitor::Arrived,
};
use crate::{Counters, KeyError, Settings, StoreSettings, access::TokenError, transport::Peer};

/// The one answer to who may read and publish what, for every way in.
///
/// Anybody may read the server's channels. The publish key opens the same channels for publishing. A token adds the
/// channels that it names, within the bound that the settings put on tokens; when its time is over, whoever presented it
/// may do nothing. A program's own policy has the last word: it can refuse what all of these allow.
///
/// What the settings say can be [replaced](Self::replace). Who was let in before is judged by what holds now, at once where
/// something is asked for, and [all](Self::judge) of it as soon as may be.
#[derive(Debug)]
pub(crate) struct Access {
    /// With their number.
    terms: Replaceable<Terms>,
    /// Nobody but this machine is concerned.
    is_private: bool,
    own_scheme: OwnScheme,
    bearers: Arc<Bearers>,
    policy: Option<Arc<dyn AccessPolicy>>,
    counters: Arc<Counters>,
}

/// From where the server can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exposure {
    /// From this machine only.
    Loopback,
    /// From elsewhere.
    Network,
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
    /// The token, or the web page, is not accepted any more.
    #[error("the token or the web page is no longer accepted")]
    Unaccepted,
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
    /// are still to be [read](Self::prepare).
    pub(crate) fn new(settings: &Settings, exposure: Exposure) -> Self {
        let embedded = !matches!(settings.store, StoreSettings::Redis(_));
        let is_private = embedded && exposure == Exposure::Loopback;
        let bearers = Arc::<Bearers>::default();
        let tokens = settings.tokens.clone().map(|tokens| Verifier::new(tokens, Arc::clone(&bearers)));
        let terms = Terms::new(settings, is_private, tokens, FIRST);
        Self {
            terms: Replaceable::new(terms, FIRST),
            is_private,
            own_scheme: OwnScheme::default(),
            bearers,
            policy: None,
            counters: Arc::default(),
        }
    }

    /// What these settings say, with the keys of tokens read from their files, on a thread that may wait. Nothing is changed
    /// by it. One at a time: what is prepared follows what is in force.
    pub(crate) fn prepare(&self, settings: &Settings) -> Result<Terms, KeyError> {
        let tokens = settings.tokens.clone();
        let tokens = tokens.map(|tokens| Verifier::load(tokens, Arc::clone(&self.bearers))).transpose()?;
        let before = self.terms();
        Ok(Terms::new(settings, self.is_private, tokens, before.number + 1).following(&before))
    }

    /// Has other terms hold from now on.
    pub(crate) fn replace(&self, terms: Terms) {
        let number = terms.number;
        self.terms.replace(terms, number);
    }

    /// The number of the terms that hold. Who was judged by others is to be judged again.
    pub(crate) fn number(&self) -> u64 {
        self.terms.number()
    }

    /// Judges somebody who was let in by the terms that hold now.
    pub(crate) fn judge(&self, identity: &mut Identity) -> Result<(), Unaccepted> {
        let terms = self.terms();
        terms.accept(identity)?;
        identity.key = terms.standing(identity.key);
        identity.terms = terms.number;
        Ok(())
    }

    /// Whether a request with these headers comes from a web page that may use the server, or from no page at all.
    ///
    /// # Errors
    /// The refused `Origin` header, shortened and without control characters.
    pub(crate) fn admits_page(&self, headers: &HeaderMap) -> Result<(), String> {
        let Some(page) = Page::of(headers, self.own_scheme) else { return Ok(()) };
        let terms = self.terms();
        if terms.origins.admits(&page, terms.own_hosts) {
            return Ok(());
        }
        let values = headers.get_all(header::ORIGIN).into_iter().map(|value| value.as_bytes());
        Err(excerpt(&values.collect::<Vec<_>>().join(&b", "[..])))
    }

    /// The same, reached in this way.
    pub(crate) fn reached_by(self, own_scheme: OwnScheme) -> Self {
        Self { own_scheme, ..self }
    }

    /// The same, with a policy of the program's own.
    pub(crate) fn asking(self, policy: Option<Arc<dyn AccessPolicy>>) -> Self {
        Self { policy, ..self }
    }

    /// The same, counting the tokens that are not accepted.
    pub(crate) fn counting(self, counters: Arc<Counters>) -> Self {
        Self { counters, ..self }
    }

    /// Whether the server is open to this machine, and a request with these headers was made to it by a name of this machine:
    /// a page that has had its own name resolved to this address has not made it.
    pub(crate) fn is_open_to(&self, headers: &HeaderMap) -> bool {
        self.terms().own_hosts == OwnHosts::Loopback && OwnHosts::Loopback.are_meant_by(headers)
    }

    /// The settings that can lower security, and whether they do.
    pub(crate) fn insecure(&self) -> [(&'static str, bool); 2] {
        let terms = self.terms();
        // Whoever is on this machine has other ways.
        let is_guessable =
            matches!(&terms.publishing, Publishing::Key(key, _) if key.is_short() && !self.is_private);
        let any_origin = matches!(terms.origins, OriginPolicy::InsecureAny);
        [("insecure_any_origin", any_origin), ("publish_key", is_guessable)]
    }

    /// Whether a request with these headers comes from an operator; `None` where there are none.
    pub(crate) fn is_operator(&self, headers: &HeaderMap) -> Option<bool> {
        let terms = self.terms();
        let token = terms.operator.as_ref()?;
        Some(bearer(headers).is_some_and(|offered| token.admits(offered)))
    }

    /// Whether somebody may read the channel.
    pub(crate) fn reads(
        &self,
        identity: &Identity,
        channel: &Channel,
        now: Timestamp,
    ) -> Result<(), ReadRefused> {
        if !self.terms().read(identity, channel, now) {
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
        let terms = self.terms();
        let Credentials { bearer, password, tokens } = Credentials::of(uri, headers);
        let mut key = password.map_or(PresentedKey::None, |password| terms.present(password.as_bytes()));
        let mut tokens: Vec<&str> = tokens.iter().map(|token| &**token).collect();
        if let Some(bearer) = bearer {
            let presented = terms.present(bearer);
            if !matches!(presented, PresentedKey::Right(_)) && terms.is_meant_as_token(bearer) {
                // What is no text is no token either, and neither is an empty one.
                tokens.push(std::str::from_utf8(bearer).unwrap_or_default());
            } else {
                key = key.max(presented);
            }
        }
        let grant = match *tokens {
            _ if terms.tokens.is_none() => None,
            [] => None,
            [token] => self.identify_by(&terms, token, &Identity::ANYBODY, now)?.grant,
            _ => return Err(self.counted(TokenError::Several)),
        };
        let arrived =
            self.policy.as_ref().map(|_| Arrived { peer, uri: uri.clone(), headers: headers.clone() });
        let page = Page::of(headers, self.own_scheme).map(Arc::new);
        Ok(Identity { key, grant, page, arrived: arrived.map(Arc::new), terms: terms.number })
    }

    /// Whom a token stands for that a client presents with a request, for dialects in which it can.
    pub(crate) fn identify_token(
        &self,
        token: &str,
        client: &Identity,
        now: Timestamp,
    ) -> Result<Identity, TokenError> {
        self.identify_by(&self.terms(), token, client, now)
    }

    fn identify_by(
        &self,
        terms: &Terms,
        token: &str,
        client: &Identity,
        now: Timestamp,
    ) -> Result<Identity, TokenError> {
        let tokens = terms.tokens.as_ref().ok_or(TokenError::Unused);
        let grant = tokens.and_then(|tokens| tokens.read(token, now)).map_err(|error| self.counted(error))?;
        // Nobody else asks for them.
        let grant = if self.policy.is_some() { grant } else { grant.without_claims() };
        let (page, arrived) = (client.page.clone(), client.arrived.clone());
        let grant = Some(Arc::new(grant));
        Ok(Identity { key: PresentedKey::None, grant, page, arrived, terms: terms.number })
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
        self.terms().publish(identity, channel, now)
    }

    /// What to tell an operator whose settings let nobody in.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        let terms = self.terms();
        let names_none = match &terms.channels {
            Channels::None => true,
            // As an empty variable of a shell says it.
            Channels::Listed(patterns) => patterns.iter().next().is_none(),
            Channels::All => false,
        };
        (names_none && terms.tokens.is_none()).then_some(
            "no channel may be read: name those that may with --channels 'PATTERN,…' (or --channels '*' for all)",
        )
    }

    /// Whoever cannot answer has not said yes.
    fn ask(
        &self,
        channel: &Channel,
        question: impl FnOnce(&dyn AccessPolicy) -> Result<(), Denial>,
    ) -> Result<(), Denial> {
        let Some(policy) = &self.policy else { return Ok(()) };
        catch_unwind(AssertUnwindSafe(|| question(&**policy))).unwrap_or_else(|_panic| {
            tracing::error!(event = "access_policy_panicked", %channel, "the access policy panicked");
            Err(Denial::new("the access policy failed"))
        })
    }

    fn counted(&self, error: TokenError) -> TokenError {
        self.counters.tallies.tokens.add(error.name());
        error
    }

    /// What holds now.
    pub(super) fn terms(&self) -> Arc<Terms> {
        self.terms.value()
    }
}

impl From<IpAddr> for Exposure {
    fn from(address: IpAddr) -> Self {
        if address.is_loopback() { Self::Loopback } else { Self::Network }
    }
}

/// That of the terms that a server begins with.
const FIRST: u64 = 1;

#[cfg(test)]
mod tests;
