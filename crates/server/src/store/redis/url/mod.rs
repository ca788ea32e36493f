//! What an operator says about where Redis is.

mod error;
mod parse;

use std::{fmt, str::FromStr};

pub use error::RedisUrlError;

use super::address::Address;

pub(super) use parse::tcp;

/// Where a Redis is, and as whom to speak to it.
///
/// - `redis://[[user]:password@]host[:port][/database]`, port 6379 and database 0 unless given; an IPv6 address stands
///   in brackets;
/// - `redis+sentinel://[[user]:password@]host[:port],host[:port]/service[/database]`, port 26379 unless given: sentinels,
///   which know the master of the service. `?sentinel_user=user&sentinel_password=password` is for the sentinels
///   themselves, the other password for the master;
/// - `redis+cluster://[[user]:password@]host[:port],host[:port]`: some nodes of a cluster, which know the others;
/// - the same with `rediss` instead of `redis`: behind TLS, the sentinels too;
/// - `redis+unix://[[user]:password@]/path/of/socket[?db=database]`, also with the scheme `unix`, or the bare path.
///
/// User and password may be percent-encoded (RFC 3986 §2.1). Neither `Debug` nor `Display` shows the password.
///
/// ```
/// # use geocast_server::RedisUrl;
/// let url: RedisUrl = "redis://map:secret@db.example:6380/2".parse()?;
/// assert_eq!(url.to_string(), "redis://map@db.example:6380/2");
/// # Ok::<(), geocast_server::RedisUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    pub(super) place: Place,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    pub(super) database: u32,
}

/// Where it is said where Redis is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Here.
    Single(Address),
    /// By sentinels.
    Sentinel(Box<Service>),
    /// By these nodes of a cluster.
    Cluster(Vec<Address>),
}

/// What sentinels watch.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) sentinels: Vec<Address>,
    /// What they call it.
    pub(super) name: String,
    /// What they want to hear.
    pub(super) credentials: Option<Credentials>,
}

/// What connections are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    Plain,
    Tls,
}

/// What AUTH is given.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    /// An ACL user. `None`: Redis's user `default`.
    pub(super) user: Option<String>,
    pub(super) password: String,
}

impl RedisUrl {
    /// Whether connections are made through TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.security == Security::Tls
    }

    /// Whether it names nodes of a cluster.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        matches!(self.place, Place::Cluster(_))
    }

    /// Whether it has a password in it, which it does not show.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.has_sentinel_password() || self.credentials.is_some()
    }

    /// What its sentinels call the service, if it names sentinels.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        match &self.place {
            Place::Sentinel(service) => Some(&service.name),
            Place::Single(_) | Place::Cluster(_) => None,
        }
    }

    /// Whether it has a password for sentinels.
    #[must_use]
    pub fn has_sentinel_password(&self) -> bool {
        matches!(&self.place, Place::Sentinel(service) if service.credentials.is_some())
    }

    /// As whom it says to speak, if it names somebody.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.credentials.as_ref()?.user.as_deref()
    }

    /// The number of the database.
    #[must_use]
    pub fn database(&self) -> u32 {
        self.database
    }
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(url: &str) -> Result<Self, RedisUrlError> {
        if url.starts_with('/') {
            return Self::unix(url);
        }
        match url.split_once("://") {
            Some(("redis", rest)) => Self::single(Security::Plain, rest),
            Some(("rediss", rest)) => Self::single(Security::Tls, rest),
            Some(("redis+sentinel", rest)) => Self::sentinel(Security::Plain, rest),
            Some(("rediss+sentinel", rest)) => Self::sentinel(Security::Tls, rest),
            Some(("redis+cluster", rest)) => Self::cluster(Security::Plain, rest),
            Some(("rediss+cluster", rest)) => Self::cluster(Security::Tls, rest),
            Some(("redis+unix" | "unix", rest)) => Self::unix(rest),
            Some((scheme, _)) => Err(RedisUrlError::Scheme(scheme.to_owned())),
            None => Err(RedisUrlError::NoScheme),
        }
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.credentials.as_ref().and_then(|credentials| credentials.user.as_deref());
        let (user, at) = user.map_or(("", ""), |user| (user, "@"));
        let scheme = if self.is_tls() { "rediss" } else { "redis" };
        let database = self.database;
        match &self.place {
            Place::Single(address @ Address::Tcp { .. }) => {
                write!(f, "{scheme}://{user}{at}{address}/{database}")
            }
            Place::Single(address) => write!(f, "redis+unix://{user}{at}{address}?db={database}"),
            Place::Sentinel(service) => {
                let (sentinels, name) = (List(&service.sentinels), &service.name);
                write!(f, "{scheme}+sentinel://{user}{at}{sentinels}/{name}/{database}")
            }
            Place::Cluster(nodes) => write!(f, "{scheme}+cluster://{user}{at}{}", List(nodes)),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Addresses between commas.
struct List<'a>(&'a [Address]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .enumerate()
            .try_for_each(|(number, address)| write!(f, "{}{address}", if number > 0 { "," } else { "" }))
    }
}

#[cfg(test)]
mod tests;
