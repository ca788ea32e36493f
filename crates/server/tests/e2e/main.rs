//! The server over real sockets, on both stores.

mod client;
mod redis_server;
mod server;
mod stores;
mod subscribing;
