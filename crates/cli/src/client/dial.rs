use std::{io, time::Duration};

use anyhow::Context;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{self, CertificateError, pki_types::ServerName},
};

use super::{server_url::Place, trust};
use crate::{arguments::Server, unreachable::Unreachable};

/// What carries HTTP and WebSockets.
pub(super) type Stream = Box<dyn Duplex>;

/// Both ways at once.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Connects to a server, through TLS where its URL says so.
pub(super) async fn dial(server: &Server) -> anyhow::Result<Stream> {
    let unreachable = |error: io::Error| unreachable(server, &error);
    let connecting = async {
        Ok(match server.url.place() {
            Place::Socket(path) => Box::new(UnixStream::connect(path).await.map_err(unreachable)?) as Stream,
            Place::Port { tls, host, port, .. } => {
                let config = tls.then(|| trust::config(server)).transpose()?;
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
                // Commands are small, and answers are waited for.
                stream.set_nodelay(true).map_err(unreachable)?;
                match config {
                    None => Box::new(stream) as Stream,
                    Some(config) => {
                        let name = ServerName::try_from(host.clone())
                            .with_context(|| format!("{host:?} is no name that a certificate can have"))?;
                        let connector = TlsConnector::from(config);
                        Box::new(connector.connect(name, stream).await.map_err(unreachable)?)
                    }
                }
            }
        })
    };
    timeout(PATIENCE, connecting).await.unwrap_or_else(|_elapsed| {
        let reason = format!("no answer within {PATIENCE:?}");
        Err(Unreachable::server(&server.url.to_string(), reason).into())
    })
}

/// Says what can be done about it, where the usual advice would lead astray.
fn unreachable(server: &Server, error: &io::Error) -> Unreachable {
    let (url, reason) = (server.url.to_string(), error.to_string());
    let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) else {
        return Unreachable::server(&url, reason);
    };
    let hint = match error {
        // A bad signature is that of another issuer of the same name.
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature | CertificateError::Other(_),
        ) => {
            "this machine does not know who signed its certificate: --ca FILE names a certificate to trust, \
             --insecure connects whoever answers"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "its certificate is for another name: use that one in --url, or --insecure to connect whoever answers"
        }
        rustls::Error::InvalidCertificate(_) => {
            "its operator has to renew the certificate; --insecure connects whoever answers"
        }
        rustls::Error::InvalidMessage(_) => "it seems to speak no TLS there: try ws:// instead of wss://",
        _ => "TLS 1.2 and 1.3 are spoken here",
    };
    Unreachable::with_hint(&url, reason, hint)
}

/// How long a server may take to take a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
