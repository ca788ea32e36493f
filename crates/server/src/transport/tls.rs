use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use parking_lot::RwLock;
use tokio_rustls::rustls::{
    self, CertificateError, ServerConfig,
    crypto::{CryptoProvider, ring as provider},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    sign::{CertifiedKey, SingleCertAndKey},
};

use super::{TlsError, validity::Validity};

/// What TLS is spoken with: a certificate and its key, which can be read again while a server runs. Clones share them.
///
/// TLS 1.2 and 1.3 are spoken, and HTTP/1.1 is agreed on (RFC 7301), as WebSockets need it.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    files: Option<Files>,
    current: RwLock<Current>,
}

/// Where a certificate and its key are from.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

struct Current {
    config: Arc<ServerConfig>,
    /// SHA-256 of the server's own certificate, in DER.
    fingerprint: [u8; 32],
    validity: Option<Validity>,
}

impl Tls {
    /// Reads a certificate, with those of its issuers behind it, and its private key from PEM files.
    ///
    /// # Errors
    /// [`TlsError`], which names the file and what is wrong with it.
    pub fn from_files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, TlsError> {
        let files = Files { certificate: certificate.into(), key: key.into() };
        let current = RwLock::new(files.read()?);
        Ok(Self(Arc::new(Shared { files: Some(files), current })))
    }

    /// Takes a certificate, with those of its issuers behind it, and its private key as PEM.
    ///
    /// # Errors
    /// [`TlsError`], which says what is wrong.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let current = Current::new(Pem::new("the given PEM", certificate), Pem::new("the given PEM", key))?;
        Ok(Self(Arc::new(Shared { files: None, current: RwLock::new(current) })))
    }

    /// Reads the files again. New connections get what they hold now; open ones go on. What was given as PEM stays as it
    /// is. Reads files: not for a thread that must not wait.
    ///
    /// # Errors
    /// [`TlsError`]; then nothing has changed.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.prepare().map(|take_up| take_up())
    }

    /// The same in two steps: what has been read is taken up by what is returned.
    pub(crate) fn prepare(&self) -> Result<impl FnOnce() + Send + 'static, TlsError> {
        let read = self.0.files.as_ref().map(Files::read).transpose()?;
        let shared = Arc::clone(&self.0);
        Ok(move || {
            if let Some(read) = read {
                *shared.current.write() = read;
            }
        })
    }

    /// SHA-256 of the server's own certificate as clients show it: 32 bytes in hexadecimal, with colons.
    pub fn fingerprint(&self) -> String {
        let fingerprint = self.0.current.read().fingerprint;
        fingerprint.map(|byte| format!("{byte:02X}")).join(":")
    }

    /// Until when the server's own certificate is valid, if it says so.
    pub(crate) fn expires(&self) -> Option<SystemTime> {
        self.0.current.read().validity.map(Validity::until)
    }

    /// Whether there are files that can be read again.
    pub(crate) fn has_files(&self) -> bool {
        self.0.files.is_some()
    }

    /// What holds for a connection that begins now.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.current.read().config)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

impl Files {
    fn read(&self) -> Result<Current, TlsError> {
        let read =
            |path: &Path| fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source });
        let (certificate, key) = (read(&self.certificate)?, read(&self.key)?);
        let (certificate_place, key_place) =
            (self.certificate.display().to_string(), self.key.display().to_string());
        Current::new(Pem::new(&certificate_place, &certificate), Pem::new(&key_place, &key))
    }
}

/// The text of a file, and what to call it.
#[derive(Clone, Copy)]
struct Pem<'a> {
    place: &'a str,
    text: &'a [u8],
}

impl<'a> Pem<'a> {
    fn new(place: &'a str, text: &'a [u8]) -> Self {
        Self { place, text }
    }

    fn certificates(self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let certificates = CertificateDer::pem_slice_iter(self.text).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|error| self.broken_certificate(&error))?;
        if certificates.is_empty() {
            return Err(TlsError::NoCertificate { place: self.place.to_owned() });
        }
        Ok(certificates)
    }

    fn key(self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let place = || self.place.to_owned();
        PrivateKeyDer::from_pem_slice(self.text).map_err(|error| match error {
            pem::Error::NoItemsFound if memory_holds(self.text, b"ENCRYPTED PRIVATE KEY") => {
                TlsError::EncryptedKey { place: place() }
            }
            pem::Error::NoItemsFound => TlsError::NoKey { place: place() },
            error => TlsError::BrokenKey { place: place(), reason: error.to_string() },
        })
    }

    fn broken_certificate(self, reason: &impl ToString) -> TlsError {
        TlsError::BrokenCertificate { place: self.place.to_owned(), reason: reason.to_string() }
    }
}

impl Current {
    fn new(certificate: Pem<'_>, key: Pem<'_>) -> Result<Self, TlsError> {
        let certificates = certificate.certificates()?;
        let validity = Validity::of(&certificates[0]);
        let trouble = validity.and_then(|validity| validity.trouble(SystemTime::now()));
        if let Some(trouble) = trouble {
            tracing::warn!(
                event = "certificate_validity",
                "the certificate in {} {trouble}",
                certificate.place
            );
        }
        let fingerprint = ring::digest::digest(&ring::digest::SHA256, &certificates[0]);
        let provider = Arc::new(provider::default_provider());
        let certified = certified(certificates, certificate, key, &provider)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Clients that all come back after a restart of the network resume, and the server keeps nothing of them.
        config.ticketer = provider::Ticketer::new()?;
        let fingerprint = fingerprint.as_ref().try_into().expect("SHA-256 has 32 bytes");
        Ok(Self { config: Arc::new(config), fingerprint, validity })
    }
}

fn certified(
    certificates: Vec<CertificateDer<'static>>,
    certificate: Pem<'_>,
    key: Pem<'_>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let signing = provider
        .key_provider
        .load_private_key(key.key()?)
        .map_err(|error| TlsError::BrokenKey { place: key.place.to_owned(), reason: error.to_string() })?;
    let certified = CertifiedKey::new(certificates, signing);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
            Err(TlsError::Mismatch { certificate: certificate.place.to_owned(), key: key.place.to_owned() })
        }
        // A key that does not say which public key it has cannot be compared.
        Err(rustls::Error::InconsistentKeys(_)) => Ok(certified),
        Err(rustls::Error::InvalidCertificate(CertificateError::BadEncoding)) => {
            Err(certificate.broken_certificate(&"what is in the PEM block is no X.509 certificate"))
        }
        Err(error) => Err(certificate.broken_certificate(&error)),
    }
}

fn memory_holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests;
