use geocast_protocol::{Channel, envelope::Timestamp};

use super::{
    Identity, PublishRefused,
    identity::{PresentedKey, Unaccepted},
    origin::{OriginPolicy, OwnHosts},
    tokens::Verifier,
};
use crate::{Patterns, Secret, Settings};

/// What the settings say about access, at one time. What is configured anew is other terms.
#[derive(Debug)]
pub(crate) struct Terms {
    /// They rise. Zero is that of nobody.
    pub(super) number: u64,
    pub(super) channels: Channels,
    pub(super) publishing: Publishing,
    pub(super) tokens: Option<Verifier>,
    /// What operators present.
    pub(super) operator: Option<Secret>,
    pub(super) origins: OriginPolicy,
    pub(super) own_hosts: OwnHosts,
}

#[derive(Debug)]
pub(super) enum Channels {
    All,
    Listed(Patterns),
    None,
}

#[derive(Debug)]
pub(super) enum Publishing {
    Open,
    /// The key, and its number: who presented another one has not presented it.
    Key(Secret, u64),
    Closed,
}

impl Terms {
    /// Everything, where nobody but this machine is concerned; otherwise what the settings name.
    pub(super) fn new(settings: &Settings, is_private: bool, tokens: Option<Verifier>, number: u64) -> Self {
        let channels = match &settings.channels {
            Some(patterns) => Channels::Listed(patterns.clone()),
            None if is_private => Channels::All,
            None => Channels::None,
        };
        let publishing = match &settings.publish_key {
            Some(key) => Publishing::Key(key.clone(), number),
            None if is_private => Publishing::Open,
            None => Publishing::Closed,
        };
        let is_open = matches!(channels, Channels::All) || matches!(publishing, Publishing::Open);
        let own_hosts = if is_open { OwnHosts::Loopback } else { OwnHosts::Any };
        let (operator, origins) = (settings.operator_token.clone(), settings.origins.clone());
        Self { number, channels, publishing, tokens, operator, origins, own_hosts }
    }

    /// The same, following others: a publish key that is the same is still the one that was presented.
    pub(super) fn following(mut self, before: &Self) -> Self {
        if let (Publishing::Key(key, number), Publishing::Key(former, former_number)) =
            (&mut self.publishing, &before.publishing)
            && key.is(former)
        {
            *number = *former_number;
        }
        self
    }

    /// Whether somebody who was let in by these or by others may stay, the time of a token apart.
    pub(super) fn accept(&self, identity: &Identity) -> Result<(), Unaccepted> {
        if identity.terms == self.number {
            return Ok(());
        }
        if let Some(grant) = &identity.grant
            && !self.tokens.as_ref().is_some_and(|tokens| tokens.still_accepts(grant))
        {
            return Err(Unaccepted::Token);
        }
        match &identity.page {
            Some(page) if !self.origins.admits(page, self.own_hosts) => Err(Unaccepted::Page),
            Some(_) | None => Ok(()),
        }
    }

    /// What has become of the key that somebody presented.
    pub(super) fn standing(&self, presented: PresentedKey) -> PresentedKey {
        match (&self.publishing, presented) {
            (Publishing::Key(_, number), PresentedKey::Right(former)) if *number != former => {
                PresentedKey::Wrong
            }
            (_, presented) => presented,
        }
    }

    /// What somebody who offers this has presented.
    pub(super) fn present(&self, offered: &[u8]) -> PresentedKey {
        match &self.publishing {
            Publishing::Key(key, number) if key.admits(offered) => PresentedKey::Right(*number),
            Publishing::Key(..) => PresentedKey::Wrong,
            Publishing::Open | Publishing::Closed => PresentedKey::None,
        }
    }

    /// Whether settings or a token let somebody read the channel.
    pub(super) fn read(&self, identity: &Identity, channel: &Channel, now: Timestamp) -> bool {
        let granted = || identity.grant.as_ref().is_some_and(|grant| grant.reads(channel));
        let allowed = self.channels.contain(channel) || (granted() && self.is_within_bound(channel));
        allowed && !identity.has_expired(now) && self.accept(identity).is_ok()
    }

    /// Whether settings or a token let somebody publish to the channel.
    pub(super) fn publish(
        &self,
        identity: &Identity,
        channel: &Channel,
        now: Timestamp,
    ) -> Result<(), PublishRefused> {
        if identity.has_expired(now) {
            return Err(PublishRefused::Expired);
        }
        if self.accept(identity).is_err() {
            return Err(PublishRefused::Unaccepted);
        }
        if let Some(grant) = &identity.grant
            && grant.publishes(channel)
            && self.is_within_bound(channel)
        {
            return Ok(());
        }
        let refused = match (&self.publishing, self.standing(identity.key)) {
            (Publishing::Open, _) | (Publishing::Key(..), PresentedKey::Right(_)) => {
                if self.channels.contain(channel) {
                    return Ok(());
                }
                PublishRefused::Channel(channel.clone())
            }
            (Publishing::Key(..), PresentedKey::Wrong) => return Err(PublishRefused::KeyWrong),
            (Publishing::Key(..), PresentedKey::None) => PublishRefused::KeyMissing,
            (Publishing::Closed, _) if self.tokens.is_some() => PublishRefused::TokenMissing,
            (Publishing::Closed, _) => PublishRefused::Closed,
        };
        Err(if identity.grant.is_some() { PublishRefused::Token(channel.clone()) } else { refused })
    }

    /// Whether a bearer's word, which is not the publish key, is to be read as a token rather than as a wrong key.
    pub(super) fn is_meant_as_token(&self, bearer: &[u8]) -> bool {
        let keyed = matches!(self.publishing, Publishing::Key(..));
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
