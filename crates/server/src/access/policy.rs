use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use geocast_protocol::Channel;
use thiserror::Error;

use super::identity::{Identity, PresentedKey};
use crate::{Patterns, Secret, Settings, StoreSettings};

/// The one answer to who may read and publish what, for every way in.
#[derive(Debug)]
pub(crate) struct Access {
    channels: Channels,
    publishing: Publishing,
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
    /// A key is needed and none was sent.
    #[error("publishing needs the header `Authorization: Bearer KEY`")]
    KeyMissing,
    /// The key is another one.
    #[error("the publish key is not the right one")]
    KeyWrong,
    /// Nobody may publish over HTTP.
    #[error("publishing over HTTP is off: set `publish_key` to turn it on")]
    Closed,
}

impl Access {
    /// Everything on an embedded store that only this machine can reach; otherwise what the settings name.
    pub(crate) fn new(settings: &Settings, exposure: Exposure) -> Self {
        let private = matches!(settings.store, StoreSettings::Embedded) && exposure == Exposure::Loopback;
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
        Self { channels, publishing }
    }

    /// Whether clients may read the channel.
    pub(crate) fn reads(&self, _identity: &Identity, channel: &Channel) -> bool {
        match &self.channels {
            Channels::All => true,
            Channels::Listed(patterns) => patterns.matches(channel.as_ref()),
            Channels::None => false,
        }
    }

    /// Who a request comes from.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Identity {
        let key = match (&self.publishing, bearer(headers)) {
            (Publishing::Key(key), Some(offered)) if key.admits(offered) => PresentedKey::Right,
            (Publishing::Key(_), Some(_)) => PresentedKey::Wrong,
            _ => PresentedKey::None,
        };
        Identity { key }
    }

    /// Whether somebody may publish to the channel.
    pub(crate) fn publishes(&self, identity: &Identity, channel: &Channel) -> Result<(), PublishRefused> {
        match (&self.publishing, identity.key) {
            (Publishing::Open, _) | (Publishing::Key(_), PresentedKey::Right) => {}
            (Publishing::Closed, _) => return Err(PublishRefused::Closed),
            (Publishing::Key(_), PresentedKey::None) => return Err(PublishRefused::KeyMissing),
            (Publishing::Key(_), PresentedKey::Wrong) => return Err(PublishRefused::KeyWrong),
        }
        if self.reads(identity, channel) { Ok(()) } else { Err(PublishRefused::Channel(channel.clone())) }
    }

    /// What to tell an operator whose settings let nobody in.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self.channels {
            Channels::None => Some(
                "no channel may be read: name those that may with --channels 'PATTERN,…' (or --channels '*' for all)",
            ),
            Channels::All | Channels::Listed(_) => None,
        }
    }
}

impl From<IpAddr> for Exposure {
    fn from(address: IpAddr) -> Self {
        if address.is_loopback() { Self::Loopback } else { Self::Network }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, key) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(key)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{Access, Exposure, Identity, PublishRefused};
    use crate::{Secret, Settings, StoreSettings, store::RedisSettings};

    fn access(redis: bool, exposure: Exposure, channels: Option<&str>, key: Option<&str>) -> Access {
        let mut settings = Settings::default();
        if redis {
            settings.store =
                StoreSettings::Redis(RedisSettings::new("redis://localhost".parse().expect("a URL")));
        }
        settings.channels = channels.map(|list| list.parse().expect("patterns"));
        settings.publish_key = key.map(Secret::new);
        Access::new(&settings, exposure)
    }

    #[test]
    fn only_an_embedded_store_on_loopback_is_open() {
        let channel = "news".parse().expect("a channel");
        for (redis, exposure, channels, reads) in [
            (false, Exposure::Loopback, None, true),
            (false, Exposure::Network, None, false),
            (true, Exposure::Loopback, None, false),
            (true, Exposure::Loopback, Some("news*"), true),
            (false, Exposure::Loopback, Some("sport"), false),
        ] {
            let access = access(redis, exposure, channels, None);
            assert_eq!(
                access.reads(&Identity::ANYBODY, &channel),
                reads,
                "{redis} {exposure:?} {channels:?}"
            );
            assert_eq!(access.advice().is_some(), channels.is_none() && !reads);
        }
    }

    #[test]
    fn publishing_needs_the_key_where_there_is_one() {
        let channel = "news".parse().expect("a channel");
        let sent = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::from_static(value));
            headers
        };
        let open = access(false, Exposure::Loopback, None, None);
        assert_eq!(open.publishes(&open.identify(&HeaderMap::new()), &channel), Ok(()));
        let closed = access(true, Exposure::Loopback, Some("*"), None);
        assert_eq!(
            closed.publishes(&closed.identify(&HeaderMap::new()), &channel),
            Err(PublishRefused::Closed)
        );
        let keyed = access(true, Exposure::Network, Some("news"), Some("k1"));
        assert_eq!(
            keyed.publishes(&keyed.identify(&HeaderMap::new()), &channel),
            Err(PublishRefused::KeyMissing)
        );
        assert_eq!(
            keyed.publishes(&keyed.identify(&sent("Bearer k2")), &channel),
            Err(PublishRefused::KeyWrong)
        );
        assert_eq!(keyed.publishes(&keyed.identify(&sent("bearer k1")), &channel), Ok(()));
        let other = "sport".parse().expect("a channel");
        assert_eq!(
            keyed.publishes(&keyed.identify(&sent("Bearer k1")), &other),
            Err(PublishRefused::Channel(other.clone()))
        );
    }
}
