//! The geocast gateway as a library: sessions, sockets, HTTP and stores around the hub.
//!
//! ```no_run
//! use std::net::TcpListener;
//!
//! use geocast_server::{Server, Settings};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::start(TcpListener::bind("127.0.0.1:8765")?, Settings::default())?;
//! println!("ws://{}/ws", server.address());
//! server.run(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
//! # Ok(())
//! # }
//! ```

mod access;
mod broker;
mod clock;
mod connection;
mod counters;
mod event;
mod http;
mod interest;
mod node;
mod rendering;
mod server;
mod session;
mod settings;
mod store;
mod worker;

pub use access::{Origin, OriginError, OriginPolicy, PatternError, Patterns, Secret};
pub use broker::Broker;
pub use connection::CloseCode;
pub use counters::{Count, Counters};
pub use event::Event;
pub use server::{Server, StartError};
pub use settings::{AbsentClientReference, Limits, Settings, StoreSettings, Timeouts};
pub use store::{
    EmbeddedStore, RedisSettings, RedisStartError, RedisStore, RedisUrl, RedisUrlError, Store, StoreError,
};

use access::Access;
