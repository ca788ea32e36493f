//! Redis as the store: a hash per channel holds its state, PUBLISH carries its messages.
//!
//! | File | Holds |
//! |---|---|
//! | `url`, `settings`, `start_error` | what an operator says |
//! | `redis_store` | the [`Store`](super::Store) itself |
//! | `nodes`, `sentinel`, `switch_watch`, `cluster`, `topology` | where the masters are |
//! | `address`, `dialer`, `opener`, `nature` | connecting to one, and what it says it is |
//! | `commands`, `errand`, `remedy`, `scan` | reading and writing through pools of connections |
//! | `subscriber`, `connection`, `tethers` | the task that keeps the one connection that messages arrive on |
//! | `shards` | in a cluster, a connection to each master, on which what is published in its shard arrives |
//! | `wire`, `push_reader`, `request` | what goes over these connections, as bytes |
//! | `dialogue`, `subscriptions`, `probe`, `pulse`, `backoff` | its decisions, free of sockets and clocks |
//! | `watcher`, `notices`, `event_flags` | hashes whose changes are pushed |
//! | `histories`, `streams` | histories: a stream for each channel that has one |
//! | `stream_reader`, `stream_look`, `stream_mark` | what is added to them, and whether any of it was missed |
//! | `epochs`, `witnesses` | whether they are still the same |
//! | `presence_log` | what nodes tell each other about their clients |
//! | `inspector` | looking at a Redis for its operator, without a store |
//! | `shared`, `settling` | what the store and the task both see |
//!
//! A Redis user needs, besides `HELLO`, which all may: `SUBSCRIBE`, `UNSUBSCRIBE`, `PING`, `CLIENT SETNAME`, `HSTRLEN`,
//! `HGET`, `HSCAN`, `PUBLISH`, for writing over HTTP `EVAL`, `HSET` and `HDEL`, for broadcasts `MULTI`, `EXEC` and
//! `DISCARD`, for watched hashes `SCAN` and `CONFIG GET`; the keys and channels that are to be served, the channels
//! `__geocast_probe:*`, and for watched hashes `__keyevent@*`. Behind sentinels also `ROLE`, in a cluster `CLUSTER SLOTS`, `ASKING`,
//! `SSUBSCRIBE`, `SUNSUBSCRIBE` and `SPUBLISH`; for histories `EVAL`, `XADD`, `XTRIM`, `XRANGE`, `XREVRANGE`, `XREAD`, `XINFO STREAM`, `EXISTS`, `SET`, `GET`, `MULTI`, `EXEC` and the keys
//! `geocast:history*`; for presence `EVAL`, `TIME`, `ZADD`, `ZSCORE`, `ZRANGE`, `ZRANGEBYSCORE`, `ZREM`, `HSET`, `HGET`,
//! `HDEL`, `HINCRBY`, `HSCAN`, `DEL`, `PEXPIRE`, `XADD`, `XRANGE`, `XREVRANGE` and the keys `{geocast:presence}*`; of the sentinels,
//! `SENTINEL GET-MASTER-ADDR-BY-NAME`, `SUBSCRIBE` and `PING`, and their channel `+switch-master`.

mod address;
mod backoff;
mod cluster;
mod commands;
mod connection;
mod dialer;
mod dialogue;
mod disconnected;
mod epochs;
mod errand;
mod event_flags;
mod histories;
mod inspector;
mod nature;
mod nodes;
mod notices;
mod opener;
mod presence_log;
mod probe;
mod pulse;
mod push_reader;
mod redis_store;
mod remedy;
mod request;
mod scan;
mod sentinel;
mod settings;
mod settling;
mod shards;
mod shared;
mod start_error;
mod stream_look;
mod stream_mark;
mod stream_reader;
mod streams;
mod subscriber;
mod subscriptions;
mod switch_watch;
mod tethers;
mod topology;
mod url;
mod watcher;
mod wire;
mod witnesses;

pub use inspector::{
    LackingRight, RedisInspector, RedisKind, RedisNode, RedisSentinel, RedisUse, RedisValue, ReplicaObstacle,
    SentinelAnswer, SentinelPeer, SentinelReplica, SentinelView, missing_key_events,
};
pub use nature::RedisNature;
pub(crate) use presence_log::PresenceLog;
pub use redis_store::RedisStore;
pub use settings::{RedisPublishing, RedisSettings};
pub use start_error::RedisStartError;
pub use url::{RedisUrl, RedisUrlError};

#[cfg(test)]
mod tests;
