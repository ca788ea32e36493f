//! A server behind TLS, and a client that trusts it.

use std::{fs, net::TcpListener, sync::Arc};

use geocast_server::{Listener, Settings, Tls};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls};

use crate::server::TestServer;

/// A certificate for `localhost` and its key, in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("PEM")
    }
}

/// A server whose certificate stands in files.
pub(crate) struct Secure {
    pub(crate) server: TestServer,
    /// What it began with.
    pub(crate) pair: Pair,
    folder: tempfile::TempDir,
}

impl Secure {
    pub(crate) async fn start(adjust: impl FnOnce(&mut Settings)) -> Self {
        let (folder, pair) = (tempfile::tempdir().expect("a folder"), Pair::new());
        write(&folder, &pair.certificate, &pair.key);
        let tls = Tls::from_files(folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
        let listener = Listener::tls(listener, tls.expect("a pair"));
        let server = TestServer::start_listening(listener, None, adjust).await;
        Self { server, pair, folder }
    }

    /// Replaces certificate and key in their files.
    pub(crate) fn write(&self, pair: &Pair) {
        self.write_text(&pair.certificate, &pair.key);
    }

    pub(crate) fn write_text(&self, certificate: &str, key: &str) {
        write(&self.folder, certificate, key);
    }

    /// A connection that trusts the first certificate.
    pub(crate) async fn connect(&self) -> TlsStream<TcpStream> {
        self.connect_with(&rustls::version::TLS13).await
    }

    pub(crate) async fn connect_with(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.pair.der()).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .expect("the provider has all versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        self.shake_hands(config).await.expect("the certificate is the trusted one")
    }

    /// The certificate that a new client is shown, whether it trusts it or not.
    pub(crate) async fn served(&self) -> CertificateDer<'static> {
        let seen = Arc::new(trust::Everything::default());
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has all versions")
            .dangerous()
            .with_custom_certificate_verifier(seen)
            .with_no_client_auth();
        let stream = self.shake_hands(config).await.expect("everything is trusted");
        let certificates = stream.get_ref().1.peer_certificates().expect("a certificate");
        certificates[0].clone().into_owned()
    }

    async fn shake_hands(&self, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4().expect("there are sockets");
        // Small, so that a client that does not read is soon full.
        socket.set_recv_buffer_size(4096).expect("a buffer may be small");
        let stream = socket.connect(self.server.address).await.expect("the server listens");
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

fn write(folder: &tempfile::TempDir, certificate: &str, key: &str) {
    fs::write(folder.path().join("cert.pem"), certificate).expect("a file");
    fs::write(folder.path().join("key.pem"), key).expect("a file");
}

mod trust {
    //! A client that only wants to see the certificate.

    use super::rustls::{
        DigitallySignedStruct, Error, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        pki_types::{CertificateDer, ServerName, UnixTime},
    };

    #[derive(Debug, Default)]
    pub(super) struct Everything {}

    impl ServerCertVerifier for Everything {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ECDSA_NISTP256_SHA256]
        }
    }
}
