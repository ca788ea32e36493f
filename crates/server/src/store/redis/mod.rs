//! Redis as the store: a hash per channel holds its state, PUBLISH carries its messages.
//!
//! | File | Holds |
//! |---|---|
//! | `url`, `settings` | what an operator says |
//! | `redis_store` | the [`Store`](super::Store) itself |
//! | `commands`, `scan` | reading and writing through a pool of connections |
//! | `subscriber`, `connection` | the task that keeps the one connection that messages arrive on |
//! | `push_reader`, `request` | what goes over that connection, as bytes |
//! | `dialogue`, `subscriptions`, `probe`, `backoff` | its decisions, free of sockets and clocks |
//! | `watcher`, `notices`, `event_flags` | hashes whose changes are pushed |
//! | `shared` | what the store and the task both see |
//!
//! A Redis user needs: `SUBSCRIBE`, `UNSUBSCRIBE`, `PING`, `CLIENT SETNAME`, `UNWATCH` (sent by the pool), `HSTRLEN`,
//! `HGET`, `HSCAN`, `PUBLISH`, for writing over HTTP `EVAL`, `HSET` and `HDEL`, for broadcasts `MULTI`, `EXEC` and
//! `DISCARD`, for watched hashes `SCAN` and `CONFIG GET`; the keys and channels that are to be served, the channels
//! `__geocast_probe:*`, and for watched hashes `__keyevent@*`.

mod backoff;
mod commands;
mod connection;
mod dialogue;
mod disconnected;
mod event_flags;
mod notices;
mod probe;
mod push_reader;
mod redis_store;
mod request;
mod scan;
mod settings;
mod shared;
mod subscriber;
mod subscriptions;
mod url;
mod watcher;

pub use redis_store::{RedisStartError, RedisStore};
pub use settings::RedisSettings;
pub use url::{RedisUrl, RedisUrlError};

#[cfg(test)]
mod tests;
