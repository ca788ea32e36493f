//! What carries HTTP and WebSockets: TCP, TLS over TCP, unix sockets.

mod address;
mod arrival;
mod client_tls;
mod listener;
mod plain_http;
mod stream;
mod tls;
mod tls_error;
mod unix_socket;
mod validity;

pub use address::ListenAddress;
pub use client_tls::ClientTls;
pub use listener::{Listener, Listeners};
pub use tls::Tls;
pub use tls_error::TlsError;
pub use unix_socket::{UnixSocket, UnixSocketError};

pub(crate) use arrival::{Arrival, Peer};
pub(crate) use listener::Accepting;
pub(crate) use stream::{OpenError, Stream};
