use std::{fmt, fs, path::Path, sync::Arc};

use parking_lot::RwLock;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, ring as provider},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

use super::TlsError;

/// What TLS is spoken with to a server: whom to trust, and who is here. Clones share it, also when it is read again.
///
/// TLS 1.2 and 1.3 are spoken. A name that a certificate does not hold is refused.
#[derive(Clone)]
pub struct ClientTls(Arc<RwLock<Current>>);

/// Held only to take or to replace references.
struct Current {
    trusted: Arc<Known>,
    config: Arc<ClientConfig>,
}

impl ClientTls {
    /// Trusts whom the certificates in this PEM file vouch for, and servers that have one of them.
    ///
    /// # Errors
    /// [`TlsError`], which names the file and what is wrong with it.
    pub fn from_file(certificates: &Path) -> Result<Self, TlsError> {
        Self::trusting(read(certificates)?)
    }

    /// Trusts whom this machine trusts. What cannot be read of its certificates is left out.
    ///
    /// # Errors
    /// [`TlsError::NobodyTrusted`] if it trusts nobody.
    pub fn system() -> Result<Self, TlsError> {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let reason = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(TlsError::NobodyTrusted { reason });
        }
        Self::trusting(found.certs)
    }

    /// The same, and shows a certificate to servers that ask for one. Both files are PEM; those of its issuers may stand
    /// behind it.
    ///
    /// # Errors
    /// [`TlsError`], which names the file and what is wrong with it.
    pub fn identified(&self, certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let place = || key.display().to_string();
        let own = read(certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&bytes(key)?)
            .map_err(|error| TlsError::BrokenKey { place: place(), reason: error.to_string() })?;
        let trusted = Arc::clone(&self.0.read().trusted);
        let config = Arc::new(trusted.builder()?.with_client_auth_cert(own, key)?);
        Ok(Self::from(Current { trusted, config }))
    }

    /// What a connection begins with.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0.read().config)
    }

    /// Speaks as another from the next connection on, wherever it is shared.
    pub(crate) fn become_as(&self, other: &Self) {
        if Arc::ptr_eq(&self.0, &other.0) {
            return;
        }
        let (trusted, config) = {
            let other = other.0.read();
            (Arc::clone(&other.trusted), Arc::clone(&other.config))
        };
        *self.0.write() = Current { trusted, config };
    }

    fn trusting(certificates: Vec<CertificateDer<'static>>) -> Result<Self, TlsError> {
        let trusted = Arc::new(Known::new(certificates)?);
        let config = Arc::new(trusted.builder()?.with_no_client_auth());
        Ok(Self::from(Current { trusted, config }))
    }
}

impl From<Current> for ClientTls {
    fn from(current: Current) -> Self {
        Self(Arc::new(RwLock::new(current)))
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trusted = self.0.read().trusted.certificates.len();
        formatter.debug_struct("ClientTls").field("trusted", &trusted).finish_non_exhaustive()
    }
}

/// Trusts whom certificates vouch for, and servers that have one of them.
#[derive(Debug)]
struct Known {
    certificates: Vec<CertificateDer<'static>>,
    issuers: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
}

impl Known {
    fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, TlsError> {
        let provider = Arc::new(provider::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        let issuers =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        let issuers = issuers.map_err(|error| TlsError::NobodyTrusted { reason: format!(" ({error})") })?;
        Ok(Self { certificates, issuers, provider })
    }

    fn builder(
        self: &Arc<Self>,
    ) -> Result<
        tokio_rustls::rustls::ConfigBuilder<ClientConfig, tokio_rustls::rustls::client::WantsClientCert>,
        TlsError,
    > {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?;
        let verifier: Arc<dyn ServerCertVerifier> = Arc::<Self>::clone(self);
        Ok(builder.dangerous().with_custom_certificate_verifier(verifier))
    }
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.issuers.verify_server_cert(own, others, name, ocsp, now);
        // OpenSSL makes a self-signed certificate that of an authority, which may not be a server's (RFC 5280 §4.2.1.9). Who
        // names it means this server. Its time has been checked before that.
        match verified {
            Err(Error::InvalidCertificate(CertificateError::Other(reason)))
                if format!("{reason:?}").contains("CaUsedAsEndEntity") && self.certificates.contains(own) =>
            {
                verify_server_name(&ParsedCertificate::try_from(own)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.issuers.verify_tls12_signature(message, own, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.issuers.verify_tls13_signature(message, own, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.issuers.supported_verify_schemes()
    }
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let place = || file.display().to_string();
    let found = CertificateDer::pem_slice_iter(&bytes(file)?).collect::<Result<Vec<_>, _>>();
    let found =
        found.map_err(|error| TlsError::BrokenCertificate { place: place(), reason: error.to_string() })?;
    if found.is_empty() { Err(TlsError::NoCertificate { place: place() }) } else { Ok(found) }
}

fn bytes(file: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(file).map_err(|source| TlsError::Read { path: file.to_owned(), source })
}
