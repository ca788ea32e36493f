//! The server over real sockets, on both stores.

mod client;
mod mobility_toolbox;
mod redis_server;
mod redis_store;
mod server;
mod stores;
mod subscribing;
