//! One function for each part of a URL. What may be a password is in no error.

use super::{Address, Credentials, Place, RedisUrl, RedisUrlError, Security, Service};

impl RedisUrl {
    /// Reads what follows `redis://`.
    pub(super) fn single(security: Security, rest: &str) -> Result<Self, RedisUrlError> {
        let Parts { credentials, authority, path, query } = Parts::new(rest)?;
        refuse_query(query)?;
        let place = Place::Single(tcp(authority, DEFAULT_PORT)?);
        Ok(Self { place, security, credentials, database: database(path)? })
    }

    /// Reads what follows `redis+sentinel://`.
    pub(super) fn sentinel(security: Security, rest: &str) -> Result<Self, RedisUrlError> {
        let Parts { credentials, authority, path, query } = Parts::new(rest)?;
        let (service, number) = path.split_once('/').unwrap_or((path, ""));
        // As sentinels check names themselves.
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if service.is_empty() || !service.chars().all(is_allowed) {
            return Err(RedisUrlError::Service(service.to_owned()));
        }
        let place = Place::Sentinel(Box::new(Service {
            sentinels: hosts(authority, SENTINEL_PORT)?,
            name: service.to_owned(),
            credentials: sentinel_credentials(query)?,
        }));
        Ok(Self { place, security, credentials, database: database(number)? })
    }

    /// Reads what follows `redis+cluster://`.
    pub(super) fn cluster(security: Security, rest: &str) -> Result<Self, RedisUrlError> {
        let Parts { credentials, authority, path, query } = Parts::new(rest)?;
        refuse_query(query)?;
        match database(path)? {
            0 => {}
            number => return Err(RedisUrlError::ClusterDatabase(number)),
        }
        let place = Place::Cluster(hosts(authority, DEFAULT_PORT)?);
        Ok(Self { place, security, credentials, database: 0 })
    }

    /// Reads what follows `redis+unix://`.
    pub(super) fn unix(rest: &str) -> Result<Self, RedisUrlError> {
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
        let place = Place::Single(Address::Unix(path.into()));
        Ok(Self { place, security: Security::Plain, credentials, database })
    }
}

/// What stands between a scheme with hosts and the end.
struct Parts<'a> {
    credentials: Option<Credentials>,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn new(rest: &'a str) -> Result<Self, RedisUrlError> {
        // A password may have been left unencoded with a slash, a question mark or an at sign in it: the last at sign ends it.
        let (credentials, rest) = split_credentials(rest)?;
        let (rest, query) = rest.split_once(['?', '#']).unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Self { credentials, authority, path, query })
    }
}

fn refuse_query(query: &str) -> Result<(), RedisUrlError> {
    if query.is_empty() { Ok(()) } else { Err(RedisUrlError::Query(query.to_owned())) }
}

/// Reads `sentinel_user=…&sentinel_password=…`. The user may be missing.
fn sentinel_credentials(query: &str) -> Result<Option<Credentials>, RedisUrlError> {
    let (mut user, mut password) = (None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sentinel_user", value)) => user = Some(decode(value)?),
            Some(("sentinel_password", value)) => password = Some(decode(value)?),
            Some((name, _)) => return Err(RedisUrlError::Query(name.to_owned())),
            None => return Err(RedisUrlError::Query("a word without a value".to_owned())),
        }
    }
    match (user, password) {
        (user, Some(password)) => Ok(Some(Credentials { user, password })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(RedisUrlError::NoPassword),
    }
}

/// Reads hosts between commas.
fn hosts(authority: &str, port: u16) -> Result<Vec<Address>, RedisUrlError> {
    match authority.split(',').count() {
        ..=MOST_HOSTS => authority.split(',').map(|host| tcp(host, port)).collect(),
        more => Err(RedisUrlError::Hosts(more)),
    }
}

/// Reads a host, and a port unless it is `default`.
pub(in super::super) fn tcp(authority: &str, default: u16) -> Result<Address, RedisUrlError> {
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
        None => default,
        Some(port) => match port.parse() {
            Ok(port @ 1..) => port,
            _ => return Err(RedisUrlError::Port(port.to_owned())),
        },
    };
    Ok(Address::Tcp { host: host.to_owned(), port })
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

/// Each of them is asked in turn, so there is an end to how many that may be.
pub(super) const MOST_HOSTS: usize = 64;
const DEFAULT_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
