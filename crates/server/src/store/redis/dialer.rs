use std::{io, time::Duration};

use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::{Instant, timeout_at},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{Error as TlsFault, pki_types::ServerName},
};

use super::address::Address;
use crate::ClientTls;

/// Opens connections: those that messages arrive on, those for commands, and those to sentinels.
#[derive(Debug, Clone)]
pub(super) struct Dialer {
    /// What it says is asked for each time: it may have been read anew.
    tls: Option<ClientTls>,
    patience: Duration,
}

/// What carries a connection.
pub(super) type Stream = Box<dyn Duplex>;

/// Both ways at once.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Dialer {
    /// With `tls`, everything but a socket of this machine is behind TLS. A connection may take `patience` to be there.
    pub(super) fn new(tls: Option<ClientTls>, patience: Duration) -> Self {
        Self { tls, patience }
    }

    /// How long a connection may take.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Connects, and shakes hands where TLS is spoken.
    pub(super) async fn dial(&self, address: &Address) -> Result<Stream, DialError> {
        let deadline = Instant::now() + self.patience;
        let late = |_elapsed| DialError::Late { address: address.clone(), after: self.patience };
        let failed = |source| DialError::Connect { address: address.clone(), source };
        let (host, stream) = match address {
            Address::Unix(path) => {
                let stream = timeout_at(deadline, UnixStream::connect(path)).await.map_err(late)?;
                return Ok(Box::new(stream.map_err(failed)?));
            }
            #[cfg(feature = "simulation")]
            Address::Tcp { host, port } if crate::simulation::is_running() => {
                let connecting = turmoil::net::TcpStream::connect((host.as_str(), *port));
                let stream = timeout_at(deadline, connecting).await.map_err(late)?;
                return Ok(Box::new(stream.map_err(failed)?));
            }
            Address::Tcp { host, port } => {
                let connecting = TcpStream::connect((host.as_str(), *port));
                (host, timeout_at(deadline, connecting).await.map_err(late)?.map_err(failed)?)
            }
        };
        // Commands are small, and answers are waited for.
        stream.set_nodelay(true).map_err(failed)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(host.clone())
            .map_err(|_not_a_name| DialError::Name { address: address.clone() })?;
        // A Redis without TLS waits for the end of what it takes for a command.
        let silent = |_elapsed| DialError::Silent { address: address.clone(), after: self.patience };
        let session = TlsConnector::from(tls.config()).connect(name, stream);
        let session = timeout_at(deadline, session).await.map_err(silent)?;
        Ok(Box::new(session.map_err(|error| DialError::tls(address, error))?))
    }
}

/// Why there is no connection.
#[derive(Debug, Error)]
pub(super) enum DialError {
    #[error("cannot connect to {address}: {source}")]
    Connect { address: Address, source: io::Error },
    #[error("no connection to {address} within {after:?}")]
    Late { address: Address, after: Duration },
    #[error("{address} is connected to but does not answer with TLS within {after:?}")]
    Silent { address: Address, after: Duration },
    #[error("{address} has no name that a certificate can hold")]
    Name { address: Address },
    #[error("the certificate of {address} is refused: {reason}")]
    Certificate { address: Address, reason: TlsFault },
    #[error("{address} does not speak TLS as it should: {source}")]
    Tls { address: Address, source: io::Error },
}

impl DialError {
    fn tls(address: &Address, error: io::Error) -> Self {
        let address = address.clone();
        let fault = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsFault>());
        match fault {
            Some(reason @ TlsFault::InvalidCertificate(_)) => {
                Self::Certificate { address, reason: reason.clone() }
            }
            _ => Self::Tls { address, source: error },
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn check(dialer: &Dialer, address: Address, expected: &str) {
        let Err(error) = dialer.dial(&address).await else { panic!("{address} was reached") };
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[tokio::test]
    async fn says_what_failed_and_where() {
        let patience = Duration::from_millis(300);
        let plain = Dialer::new(None, patience);
        check(
            &plain,
            Address::Unix("/none/redis.sock".into()),
            "cannot connect to /none/redis.sock: No such",
        )
        .await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let here = Address::Tcp { host: "127.0.0.1".to_owned(), port };
        assert!(plain.dial(&here).await.is_ok());
        let tls = ClientTls::system();
        // A machine that trusts nobody has no way to ask anybody.
        if let Ok(tls) = tls {
            let silent = Dialer::new(Some(tls), patience);
            check(&silent, here.clone(), &format!("{here} is connected to but does not answer with TLS"))
                .await;
        }
        drop(listener);
        check(&plain, here.clone(), &format!("cannot connect to {here}: Connection refused")).await;
    }
}
