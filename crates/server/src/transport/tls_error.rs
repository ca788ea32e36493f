use std::{io, path::PathBuf};

use thiserror::Error;
use tokio_rustls::rustls;

/// What is wrong with a certificate or its key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no certificate.
    #[error("there is no certificate in {place}: a PEM file with BEGIN CERTIFICATE is expected")]
    NoCertificate {
        /// The file, or a word for what was given otherwise.
        place: String,
    },
    /// There is something that is called a certificate and is none.
    #[error("the certificate in {place} is broken: {reason}")]
    BrokenCertificate {
        /// The file, or a word for what was given otherwise.
        place: String,
        /// What the reader stumbled over.
        reason: String,
    },
    /// There is no key.
    #[error(
        "there is no private key in {place}: a PEM file with BEGIN PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY is expected"
    )]
    NoKey {
        /// The file, or a word for what was given otherwise.
        place: String,
    },
    /// The key has a passphrase, and there is nobody to ask for it.
    #[error(
        "the private key in {place} is encrypted: remove its passphrase, for example with `openssl pkey`"
    )]
    EncryptedKey {
        /// The file, or a word for what was given otherwise.
        place: String,
    },
    /// The key cannot be read or is of a kind that is not supported.
    #[error("the private key in {place} cannot be used: {reason}")]
    BrokenKey {
        /// The file, or a word for what was given otherwise.
        place: String,
        /// What the reader stumbled over.
        reason: String,
    },
    /// Certificate and key are not a pair.
    #[error("the private key in {key} does not belong to the certificate in {certificate}")]
    Mismatch {
        /// Where the certificate is from.
        certificate: String,
        /// Where the key is from.
        key: String,
    },
    /// There is no certificate that could vouch for a server.
    #[error("there is no certificate to trust{reason}: name a file that has one")]
    NobodyTrusted {
        /// What was stumbled over, in parentheses after a space, or nothing.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}
