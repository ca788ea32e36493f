use std::{io, path::PathBuf};

use thiserror::Error;

use super::{key::SHORTEST_SECRET, key_set};

/// Why keys cannot be used. Nothing of a key is repeated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the key file {path} cannot be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is larger than any with keys.
    #[error("the key file {path} has more than {max} bytes", path = .0.display(), max = key_set::LARGEST_FILE)]
    TooLarge(PathBuf),
    /// The secret could be guessed.
    #[error(
        "the secret in {path} has {length} bytes, but HS256 needs {SHORTEST_SECRET} at least (RFC 7518 §3.2); \
         `openssl rand -base64 48` makes one",
        path = path.display()
    )]
    ShortSecret {
        /// The file.
        path: PathBuf,
        /// Bytes of the secret.
        length: usize,
    },
    /// The file holds keys of another form, public ones perhaps: as a secret, they would let anybody sign.
    #[error("{path} holds no secret but {what}, which others may know: a set of public keys belongs into `jwks_file`", path = path.display())]
    NoSecret {
        /// The file.
        path: PathBuf,
        /// What it holds.
        what: &'static str,
    },
    /// The file holds a key in PEM form that nothing is signed with here.
    #[error(
        "{path} holds no private key of Ed25519, the only kind in PEM form that tokens are signed with here; \
         `openssl genpkey -algorithm ed25519` makes one",
        path = .0.display()
    )]
    NotEd25519(PathBuf),
    /// The file is no JSON Web Key Set.
    #[error("{path} is no JSON Web Key Set: {what} at line {line}, column {column}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
        /// Counted from one.
        line: usize,
        /// Counted from one.
        column: usize,
    },
    /// A key of the set is of a supported kind and cannot be used.
    #[error("key {number} in {path} cannot be used: {reason}", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Which of its keys, counted from one.
        number: usize,
        /// Why not.
        reason: &'static str,
    },
    /// There is no key that tokens could be checked with.
    #[error("{path} has no key for HS256, RS256, ES256 or EdDSA signatures", path = .0.display())]
    Empty(PathBuf),
    /// There are more keys than one server needs.
    #[error("{path} has {count} keys, more than the {max} there may be", path = path.display(), max = key_set::MOST_KEYS)]
    TooMany {
        /// The file.
        path: PathBuf,
        /// Its keys.
        count: usize,
    },
}
