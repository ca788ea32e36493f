use std::{fmt, net, net::SocketAddr, os::unix, sync::Arc};

use tokio_rustls::rustls::ServerConfig;

/// A connection on its way to a worker, which makes a [`Stream`](super::Stream) of it.
#[derive(Debug)]
pub(crate) enum Arrival {
    Tcp(net::TcpStream),
    /// With the certificate that holds now.
    Tls(net::TcpStream, Arc<ServerConfig>),
    Unix(unix::net::UnixStream),
    #[cfg(feature = "simulation")]
    Simulated(turmoil::net::TcpStream),
}

/// Who connected, for log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Network(SocketAddr),
    /// Through a unix socket.
    Local,
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => address.fmt(formatter),
            Self::Local => formatter.write_str("unix"),
        }
    }
}
