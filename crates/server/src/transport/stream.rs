use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

use super::{Arrival, plain_http};

/// A client's connection while it speaks HTTP.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    /// On the heap, so that the others need no room for it.
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
    #[cfg(feature = "simulation")]
    Simulated(turmoil::net::TcpStream),
}

/// Why there is no stream.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("no TLS handshake: {0}")]
    Handshake(io::Error),
    #[error("plain HTTP was spoken where TLS is expected")]
    PlainHttp,
}

impl Stream {
    /// Makes a stream in this runtime. For TLS, this takes the handshake; the time for it is the caller's to bound.
    pub(crate) async fn open(arrival: Arrival) -> Result<Self, OpenError> {
        Ok(match arrival {
            Arrival::Tcp(stream) => Self::Tcp(TcpStream::from_std(stream)?),
            Arrival::Unix(stream) => Self::Unix(UnixStream::from_std(stream)?),
            #[cfg(feature = "simulation")]
            Arrival::Simulated(stream) => Self::Simulated(stream),
            // On the heap: a handshake needs much more room than anything else of a connection that waits.
            Arrival::Tls(stream, config) => {
                Self::Tls(Box::new(Box::pin(handshake(TcpStream::from_std(stream)?, config)).await?))
            }
        })
    }
}

async fn handshake(stream: TcpStream, config: Arc<ServerConfig>) -> Result<TlsStream<TcpStream>, OpenError> {
    if plain_http::is_spoken(&stream).await? {
        plain_http::refuse(stream).await?;
        return Err(OpenError::PlainHttp);
    }
    let accepted = TlsAcceptor::from(config)
        .accept_with(stream, |session| session.set_buffer_limit(Some(SESSION_BUFFER)))
        .await;
    accepted.map_err(OpenError::Handshake)
}

/// Calls a method of whichever stream it is.
macro_rules! delegate {
    ($stream:expr, $method:ident($($argument:expr),*)) => {
        match $stream.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).$method($($argument),*),
            Stream::Unix(stream) => Pin::new(stream).$method($($argument),*),
            #[cfg(feature = "simulation")]
            Stream::Simulated(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        delegate!(self, poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_shutdown(context))
    }
}

/// Bytes that a TLS session may hold, encrypted, while its socket takes none: four of the longest records
/// (RFC 8446 §5.1), so that a burst is few calls to the kernel.
const SESSION_BUFFER: usize = 64 * 1024;
