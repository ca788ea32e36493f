use std::{io, net::TcpListener};

use socket2::SockRef;

#[cfg(feature = "simulation")]
use crate::simulation::SimulatedListener;

use super::{Arrival, ListenAddress, Peer, Tls, UnixSocket, unix_socket::SocketFile};

/// Something that clients can connect to. HTTP and WebSockets are spoken on each.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Tls(TcpListener, Tls),
    Unix(UnixSocket),
    #[cfg(feature = "simulation")]
    Simulated(SimulatedListener),
}

/// All listeners of a server.
#[derive(Debug)]
pub struct Listeners(Vec<Listener>);

/// A listener at work.
#[derive(Debug)]
pub(crate) enum Accepting {
    Tcp(tokio::net::TcpListener),
    Tls(tokio::net::TcpListener, Tls),
    Unix {
        /// Goes just before the listener.
        _file: SocketFile,
        listener: tokio::net::UnixListener,
    },
    #[cfg(feature = "simulation")]
    Simulated(SimulatedListener),
}

impl Listener {
    /// Plain TCP.
    pub fn tcp(listener: TcpListener) -> Self {
        Self(Kind::Tcp(listener))
    }

    /// TCP on which TLS is spoken, and nothing else.
    pub fn tls(listener: TcpListener, tls: Tls) -> Self {
        Self(Kind::Tls(listener, tls))
    }

    /// A unix socket.
    pub fn unix(socket: UnixSocket) -> Self {
        Self(Kind::Unix(socket))
    }

    /// One of a simulated network.
    #[cfg(feature = "simulation")]
    pub fn simulated(listener: SimulatedListener) -> Self {
        Self(Kind::Simulated(listener))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<ListenAddress> {
        Ok(match &self.0 {
            Kind::Tcp(listener) => ListenAddress::Tcp(listener.local_addr()?),
            Kind::Tls(listener, _) => ListenAddress::Tls(listener.local_addr()?),
            Kind::Unix(socket) => ListenAddress::Unix(socket.path().to_owned()),
            #[cfg(feature = "simulation")]
            Kind::Simulated(listener) => ListenAddress::Tcp(listener.local_addr()?),
        })
    }

    /// The TLS that is spoken on it.
    pub(crate) fn certificate(&self) -> Option<&Tls> {
        match &self.0 {
            Kind::Tls(_, tls) => Some(tls),
            Kind::Tcp(_) | Kind::Unix(_) => None,
            #[cfg(feature = "simulation")]
            Kind::Simulated(_) => None,
        }
    }

    /// Lets it be used in a runtime.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        match &self.0 {
            Kind::Tcp(listener) | Kind::Tls(listener, _) => {
                listener.set_nonblocking(true)?;
                // Accepted sockets inherit it. Frames are small and sent the moment they are due.
                SockRef::from(listener).set_tcp_nodelay(true)
            }
            Kind::Unix(socket) => socket.listener().set_nonblocking(true),
            #[cfg(feature = "simulation")]
            Kind::Simulated(_) => Ok(()),
        }
    }

    /// Begins to accept, in this runtime.
    pub(crate) fn open(self) -> io::Result<Accepting> {
        Ok(match self.0 {
            Kind::Tcp(listener) => Accepting::Tcp(tokio::net::TcpListener::from_std(listener)?),
            Kind::Tls(listener, tls) => Accepting::Tls(tokio::net::TcpListener::from_std(listener)?, tls),
            Kind::Unix(socket) => {
                let (listener, file) = socket.into_parts();
                Accepting::Unix { listener: tokio::net::UnixListener::from_std(listener)?, _file: file }
            }
            #[cfg(feature = "simulation")]
            Kind::Simulated(listener) => Accepting::Simulated(listener),
        })
    }
}

impl Accepting {
    /// The next connection.
    pub(crate) async fn accept(&self) -> io::Result<(Arrival, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Arrival::Tcp(stream.into_std()?), Peer::Network(peer)))
            }
            Self::Tls(listener, tls) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Arrival::Tls(stream.into_std()?, tls.current()), Peer::Network(peer)))
            }
            Self::Unix { listener, .. } => {
                let (stream, _unnamed) = listener.accept().await?;
                Ok((Arrival::Unix(stream.into_std()?), Peer::Local))
            }
            #[cfg(feature = "simulation")]
            Self::Simulated(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Arrival::Simulated(stream), Peer::Network(peer)))
            }
        }
    }
}

impl Listeners {
    pub(crate) fn into_vec(self) -> Vec<Listener> {
        self.0
    }
}

impl From<Listener> for Listeners {
    fn from(listener: Listener) -> Self {
        Self(vec![listener])
    }
}

impl From<TcpListener> for Listeners {
    fn from(listener: TcpListener) -> Self {
        Listener::tcp(listener).into()
    }
}

impl From<UnixSocket> for Listeners {
    fn from(socket: UnixSocket) -> Self {
        Listener::unix(socket).into()
    }
}

impl From<Vec<Listener>> for Listeners {
    fn from(listeners: Vec<Listener>) -> Self {
        Self(listeners)
    }
}
