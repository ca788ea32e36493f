use thiserror::Error;

/// Why a text is not the URL of a Redis. No variant holds what may be a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedisUrlError {
    /// It does not begin with a scheme.
    #[error(
        "the redis url has no scheme: it begins with redis://, rediss://, redis+sentinel://, redis+cluster:// or \
         redis+unix://, or is the path of a socket"
    )]
    NoScheme,
    /// The scheme is another one.
    #[error(
        "the redis url has the scheme {0:?} instead of redis, redis+sentinel, redis+cluster, with TLS rediss, \
         rediss+sentinel, rediss+cluster, or redis+unix"
    )]
    Scheme(String),
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
    /// More hosts are named than are asked.
    #[error("the redis url names {0} hosts, more than {most}", most = super::parse::MOST_HOSTS)]
    Hosts(usize),
    /// The path of the socket is not absolute.
    #[error("{0:?} is not the absolute path of a redis socket")]
    Path(String),
    /// What the sentinels call the master is missing, or has characters that they do not allow.
    #[error("{0:?} is not the name of a service: redis+sentinel://host,host/SERVICE")]
    Service(String),
    /// The database is not a number.
    #[error("{0:?} is not the number of a redis database")]
    Database(String),
    /// A cluster has the database 0 alone.
    #[error("a redis cluster has no database {0}")]
    ClusterDatabase(u32),
    /// There is a query or fragment that means nothing here.
    #[error("{0:?} at the end of the redis url is not known")]
    Query(String),
}
