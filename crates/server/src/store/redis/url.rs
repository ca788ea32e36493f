use std::{fmt, path::PathBuf, str::FromStr};

use thiserror::Error;

/// Where a Redis is, and as whom to speak to it.
///
/// - `redis://[[user]:password@]host[:port][/database]`, port 6379 and database 0 unless given; an IPv6 address stands
///   in brackets;
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
    pub(super) endpoint: Endpoint,
    pub(super) credentials: Option<Credentials>,
    pub(super) database: u32,
}

/// What to connect to.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A host name or address, without brackets, and a port.
    Tcp { host: String, port: u16 },
    /// The absolute path of a socket.
    Unix(PathBuf),
}

/// What AUTH is given.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    /// An ACL user. `None`: Redis's user `default`.
    pub(super) user: Option<String>,
    pub(super) password: String,
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(url: &str) -> Result<Self, RedisUrlError> {
        if url.starts_with('/') {
            return Self::unix(url);
        }
        match url.split_once("://") {
            Some(("redis", rest)) => Self::tcp(rest),
            Some(("redis+unix" | "unix", rest)) => Self::unix(rest),
            Some(("rediss", _)) => Err(RedisUrlError::Tls),
            Some((scheme, _)) => Err(RedisUrlError::Scheme(scheme.to_owned())),
            None => Err(RedisUrlError::NoScheme),
        }
    }
}

impl RedisUrl {
    /// Reads what follows `redis://`.
    fn tcp(rest: &str) -> Result<Self, RedisUrlError> {
        if let Some((_, query)) = rest.split_once(['?', '#']) {
            return Err(RedisUrlError::Query(query.to_owned()));
        }
        // A password may have been left unencoded with a slash or an at sign in it: the last at sign ends it.
        let (credentials, rest) = split_credentials(rest)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, ""))) => (host, None),
            Some(Some((host, rest))) => {
                (host, Some(rest.strip_prefix(':').ok_or_else(|| RedisUrlError::Host(authority.to_owned()))?))
            }
            Some(None) => return Err(RedisUrlError::Host(authority.to_owned())),
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(RedisUrlError::Host(host.to_owned()));
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => match port.parse() {
                Ok(port @ 1..) => port,
                _ => return Err(RedisUrlError::Port(port.to_owned())),
            },
        };
        let endpoint = Endpoint::Tcp { host: host.to_owned(), port };
        Ok(Self { endpoint, credentials, database: database(path)? })
    }

    /// Reads what follows `redis+unix://`.
    fn unix(rest: &str) -> Result<Self, RedisUrlError> {
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (credentials, path) = match rest.starts_with('/') {
            true => (None, rest),
            false => split_credentials(rest)?,
        };
        if !path.starts_with('/') || path.contains('\0') {
            return Err(RedisUrlError::Path(path.to_owned()));
        }
        let database = match query.strip_prefix("db=") {
            Some(number) => database(number)?,
            None if query.is_empty() => 0,
            None => return Err(RedisUrlError::Query(query.to_owned())),
        };
        Ok(Self { endpoint: Endpoint::Unix(path.into()), credentials, database })
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.credentials.as_ref().and_then(|credentials| credentials.user.as_deref());
        let (user, at) = user.map_or(("", ""), |user| (user, "@"));
        match &self.endpoint {
            Endpoint::Tcp { host, port } => {
                let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
                write!(f, "redis://{user}{at}{open}{host}{close}:{port}/{}", self.database)
            }
            Endpoint::Unix(path) => {
                write!(f, "redis+unix://{user}{at}{}?db={}", path.display(), self.database)
            }
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

/// Why a text is not the URL of a Redis. No variant holds what may be a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedisUrlError {
    /// It does not begin with a scheme.
    #[error("the redis url has no scheme: it begins with redis://, redis+unix:// or is the path of a socket")]
    NoScheme,
    /// The scheme is another one.
    #[error("the redis url has the scheme {0:?} instead of redis or redis+unix")]
    Scheme(String),
    /// TLS is asked for.
    #[error("the redis url has the scheme rediss, but TLS to redis is not supported yet")]
    Tls,
    /// A user is named without a password.
    #[error("the redis url names a user but no password")]
    NoPassword,
    /// User or password has a per cent sign that does not begin an encoded byte, or is not UTF-8.
    #[error("the user or password of the redis url is not percent-encoded UTF-8")]
    Encoding,
    /// The host is empty or has characters that no host has.
    #[error("{0:?} is not the host of a redis url")]
    Host(String),
    /// The port is no number from 1 to 65535.
    #[error("{0:?} is not the port of a redis url")]
    Port(String),
    /// The path of the socket is not absolute.
    #[error("{0:?} is not the absolute path of a redis socket")]
    Path(String),
    /// The database is not a number.
    #[error("{0:?} is not the number of a redis database")]
    Database(String),
    /// There is a query or fragment that means nothing here.
    #[error("{0:?} at the end of the redis url is not known")]
    Query(String),
}

/// Takes `[user]:password@` off the front.
fn split_credentials(rest: &str) -> Result<(Option<Credentials>, &str), RedisUrlError> {
    let Some((credentials, rest)) = rest.rsplit_once('@') else {
        return Ok((None, rest));
    };
    let (user, password) = credentials.split_once(':').ok_or(RedisUrlError::NoPassword)?;
    let user = if user.is_empty() { None } else { Some(decode(user)?) };
    Ok((Some(Credentials { user, password: decode(password)? }), rest))
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Result<String, RedisUrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            return Err(RedisUrlError::Encoding);
        };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).or(Err(RedisUrlError::Encoding))
}

/// Reads the number of a database; nothing is 0.
fn database(text: &str) -> Result<u32, RedisUrlError> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_not_a_number| RedisUrlError::Database(text.to_owned()))
}

const DEFAULT_PORT: u16 = 6379;

#[cfg(test)]
mod tests;
