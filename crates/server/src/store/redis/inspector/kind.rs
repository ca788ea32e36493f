use std::fmt;

/// What stands under a key of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RedisKind {
    /// Fields with values: the state of a channel.
    Hash,
    /// Bytes.
    Text,
    /// Messages in order: the history of a channel.
    Stream,
    /// Values in order.
    List,
    /// Values without order.
    Set,
    /// Values by a number, as GEOADD writes them, too.
    SortedSet,
    /// Something of a module.
    Other,
}

impl RedisKind {
    /// Reads an answer to TYPE. `None`: the key is gone.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "none" => return None,
            "hash" => Self::Hash,
            "string" => Self::Text,
            "stream" => Self::Stream,
            "list" => Self::List,
            "set" => Self::Set,
            "zset" => Self::SortedSet,
            _ => Self::Other,
        })
    }
}

impl fmt::Display for RedisKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hash => "hash",
            Self::Text => "string",
            Self::Stream => "stream",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted set",
            Self::Other => "key of another type",
        })
    }
}
