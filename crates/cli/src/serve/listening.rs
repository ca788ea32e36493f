use std::{
    net::{IpAddr, TcpListener},
    path::PathBuf,
};

use anyhow::Context;
use geocast_server::{Listener, Tls, UnixSocket};

use super::bind::{Reuse, bind};
use crate::{
    arguments::{ListenOptions, MetricsAddress},
    config::ConfigError,
};

/// What is to be listened on.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    /// A port, unless only a unix socket is listened on.
    pub(crate) tcp: Option<Tcp>,
    /// The path of a unix socket.
    pub(crate) usock: Option<PathBuf>,
    /// Where metrics are read, if that is a port of their own.
    pub(crate) metrics: Option<MetricsAddress>,
}

/// A port.
#[derive(Debug, Clone)]
pub(crate) struct Tcp {
    /// Address or name.
    pub(crate) host: String,
    /// 0 for any that is free.
    pub(crate) port: u16,
    pub(crate) reuse: Reuse,
    pub(crate) certificate: Option<Certificate>,
}

/// Where the certificate of a port is from.
#[derive(Debug, Clone)]
pub(crate) enum Certificate {
    Files {
        certificate: PathBuf,
        key: PathBuf,
    },
    /// It is made, for tests.
    SelfSigned,
}

/// What is listened on.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) listeners: Vec<Listener>,
    pub(crate) metrics: Option<TcpListener>,
    /// What there is to say of the certificate.
    pub(crate) certificate: Option<String>,
}

impl Listening {
    /// Only a unix socket, where one is named and no port.
    pub(crate) fn new(
        host: Option<String>,
        port: Option<u16>,
        options: ListenOptions,
    ) -> Result<Self, ConfigError> {
        let ListenOptions { tls_cert, tls_key, dev_tls, usock, reuse_addr, reuse_port } = options;
        let certificate = match (tls_cert, tls_key, dev_tls.unwrap_or(false)) {
            (None, None, false) => None,
            (None, None, true) => Some(Certificate::SelfSigned),
            (Some(certificate), Some(key), false) => Some(Certificate::Files { certificate, key }),
            (Some(_), None, false) => {
                return Err(ConfigError::Lacking { given: "tls_cert", other: "tls_key" });
            }
            (None, Some(_), false) => {
                return Err(ConfigError::Lacking { given: "tls_key", other: "tls_cert" });
            }
            (Some(_), _, true) => {
                return Err(ConfigError::Exclusive { first: "tls_cert", second: "dev_tls" });
            }
            (None, Some(_), true) => {
                return Err(ConfigError::Exclusive { first: "tls_key", second: "dev_tls" });
            }
        };
        let has_port = usock.is_none() || host.is_some() || port.is_some();
        if certificate.is_some() && !has_port {
            return Err(ConfigError::TlsWithoutPort);
        }
        let tcp = has_port.then(|| Tcp {
            host: host.unwrap_or_else(|| HOST.to_owned()),
            port: port.unwrap_or(PORT),
            reuse: Reuse { address: reuse_addr.unwrap_or(true), port: reuse_port.unwrap_or(false) },
            certificate,
        });
        Ok(Self { tcp, usock, metrics: None })
    }

    /// The same, with metrics on a port of their own.
    pub(crate) fn with_metrics(self, metrics: Option<MetricsAddress>) -> Self {
        Self { metrics, ..self }
    }

    /// Begins to listen. A certificate that cannot be used is an error of the configuration.
    pub(crate) async fn open(&self) -> anyhow::Result<Opened> {
        let mut opened = Opened { listeners: Vec::new(), metrics: None, certificate: None };
        if let Some(tcp) = &self.tcp {
            // Before the port is taken, so that a server that is replaced goes on if this one cannot.
            let tls = tcp.certificate.as_ref().map(|certificate| certificate.load(&tcp.host)).transpose()?;
            let listener = bind("--port", &tcp.host, tcp.port, tcp.reuse).await?;
            opened.listeners.push(match tls {
                Some((tls, description)) => {
                    opened.certificate = Some(description);
                    Listener::tls(listener, tls)
                }
                None => Listener::tcp(listener),
            });
        }
        if let Some(path) = &self.usock {
            opened.listeners.push(Listener::unix(UnixSocket::bind(path)?));
        }
        if let Some(MetricsAddress { host, port }) = &self.metrics {
            opened.metrics =
                Some(bind("--metrics", host, *port, METRICS_REUSE).await.context("metrics cannot be shown")?);
        }
        Ok(opened)
    }

    /// What of it is free, and what is not, by name. Ports are taken for a moment, unix sockets only looked at.
    pub(crate) async fn examine(&self) -> Vec<(&'static str, anyhow::Result<String>)> {
        let (mut found, mut taken) = (Vec::new(), Vec::new());
        let free = |listener: TcpListener, taken: &mut Vec<TcpListener>| {
            let address = listener.local_addr()?;
            // Until the others are, too: each needs one of its own.
            taken.push(listener);
            Ok(format!("{address} is free"))
        };
        if let Some(Tcp { host, port, reuse, .. }) = &self.tcp {
            let bound = bind("--port", host, *port, *reuse).await;
            found.push(("port", bound.and_then(|listener| free(listener, &mut taken))));
        }
        if let Some(path) = &self.usock {
            let unused = UnixSocket::examine(path).map(|()| format!("{} is free", path.display()));
            found.push(("socket", unused.map_err(Into::into)));
        }
        if let Some(MetricsAddress { host, port }) = &self.metrics {
            let bound = bind("--metrics", host, *port, METRICS_REUSE).await;
            found.push(("metrics", bound.and_then(|listener| free(listener, &mut taken))));
        }
        found
    }

    /// The same exposure, but nothing that another server may have: any free port, no socket, no TLS.
    pub(crate) fn elsewhere(&self) -> Self {
        let host = self.tcp.as_ref().map_or(HOST, |tcp| &tcp.host).to_owned();
        let reuse = Reuse { address: true, port: false };
        Self { tcp: Some(Tcp { host, port: 0, reuse, certificate: None }), usock: None, metrics: None }
    }
}

impl Opened {
    /// Whether only this machine can connect.
    pub(crate) fn is_local(&self) -> std::io::Result<bool> {
        self.listeners.iter().try_fold(true, |local, listener| Ok(local && listener.address()?.is_local()))
    }
}

impl Certificate {
    /// The certificate, and what there is to say of it.
    pub(crate) fn load(&self, host: &str) -> anyhow::Result<(Tls, String)> {
        Ok(match self {
            Self::Files { certificate, key } => {
                let tls = Tls::from_files(certificate, key).map_err(ConfigError::from)?;
                let description = format!("{}, SHA-256 {}", certificate.display(), tls.fingerprint());
                (tls, description)
            }
            Self::SelfSigned => {
                let tls = self_signed(host).context("no certificate can be made")?;
                let description =
                    format!("self-signed for this run (--dev-tls), SHA-256 {}", tls.fingerprint());
                (tls, description)
            }
        })
    }
}

/// A certificate for this machine, and for the host that is listened on. Its key is nowhere but here.
fn self_signed(host: &str) -> anyhow::Result<Tls> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let host = host.trim_matches(['[', ']']);
    let is_everywhere = host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified());
    if !is_everywhere && !names.iter().any(|name| name == host) {
        names.push(host.to_owned());
    }
    let made = rcgen::generate_simple_self_signed(names)?;
    Ok(Tls::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes())?)
}

const HOST: &str = "127.0.0.1";
const PORT: u16 = 8765;
const METRICS_REUSE: Reuse = Reuse { address: true, port: false };

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(options: ListenOptions, port: Option<u16>) -> Result<Listening, String> {
        Listening::new(None, port, options).map_err(|error| error.to_string())
    }

    fn options(cert: bool, key: bool, dev: bool, usock: bool) -> ListenOptions {
        let file = |given: bool| given.then(|| PathBuf::from("file"));
        ListenOptions {
            tls_cert: file(cert),
            tls_key: file(key),
            dev_tls: Some(dev),
            usock: file(usock),
            reuse_addr: None,
            reuse_port: None,
        }
    }

    #[test]
    fn a_unix_socket_stands_alone_unless_a_port_is_named() {
        for (usock, port, expected) in [
            (false, None, (true, false)),
            (true, None, (false, true)),
            (true, Some(1), (true, true)),
            (false, Some(1), (true, false)),
        ] {
            let listening = listening(options(false, false, false, usock), port).unwrap();
            assert_eq!((listening.tcp.is_some(), listening.usock.is_some()), expected, "{usock} {port:?}");
        }
    }

    #[test]
    fn half_of_tls_is_refused_and_never_left_out() {
        for (cert, key, dev, usock, said) in [
            (true, false, false, false, "`tls_cert` needs `tls_key`"),
            (false, true, false, false, "`tls_key` needs `tls_cert`"),
            (true, true, true, false, "exclude each other"),
            (false, true, true, false, "exclude each other"),
            (false, false, true, true, "TLS is spoken on ports"),
        ] {
            let error = listening(options(cert, key, dev, usock), None).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        assert!(listening(options(false, false, true, true), Some(0)).is_ok());
    }

    #[test]
    fn a_certificate_can_be_made_for_any_host() {
        for host in ["127.0.0.1", "0.0.0.0", "::", "[::1]", "maps.example.org"] {
            let (tls, description) = Certificate::SelfSigned.load(host).unwrap();
            assert!(description.ends_with(&tls.fingerprint()), "{description}");
        }
    }
}
