use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::Deserialize;
use serde_json::{Map, Value, error::Category};

use super::{
    Algorithm, Compact, Jwk, Key, KeyError, KeyFile, TokenError, grant::Signature, key::SHORTEST_SECRET,
};
use crate::access::excerpt;

/// The keys that tokens may be signed with.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

impl KeySet {
    /// Reads files.
    pub(super) fn load(files: &[KeyFile]) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for file in files {
            match file {
                KeyFile::Secret(path) => keys.push(secret(path)?),
                KeyFile::Jwks(path) => keys.extend(jwks(path)?),
            }
        }
        Ok(Self(keys))
    }

    /// One key.
    pub(super) fn of(key: Key) -> Self {
        Self(vec![key])
    }

    /// One secret without a name.
    #[cfg(any(test, fuzzing))]
    pub(super) fn of_secret(secret: &[u8]) -> Self {
        Self(vec![Key::hs256(None, secret).expect("the secret is long enough")])
    }

    /// Checks that the token was signed with one of the keys, for the algorithm that it gives: with one of the name that it
    /// gives, or else with one that has no name. A token that gives no name may be signed with any, as long as there are
    /// few: checking takes time, and strangers can have it taken.
    pub(super) fn admit(&self, token: &Compact<'_>) -> Result<Signature, TokenError> {
        let id = token.key_id.as_deref();
        let fitting = self.fitting(token.algorithm, id)?;
        let admitting = fitting.iter().find(|key| key.admits(token.signed, &token.signature));
        let key = admitting.ok_or(TokenError::Signature)?;
        Ok(Signature { algorithm: token.algorithm, key_id: id.map(Into::into), key: key.print() })
    }

    /// Whether a token that was admitted before would be now.
    pub(super) fn still_admits(&self, signature: &Signature) -> bool {
        let fitting = self.fitting(signature.algorithm, signature.key_id.as_deref());
        fitting.is_ok_and(|keys| keys.iter().any(|key| key.print() == signature.key))
    }

    /// The keys that a token may be signed with.
    fn fitting(&self, algorithm: Algorithm, id: Option<&str>) -> Result<Vec<&Key>, TokenError> {
        let of_algorithm = || self.0.iter().filter(|key| key.algorithm() == algorithm);
        let mut fitting: Vec<&Key> = of_algorithm().filter(|key| id.is_none() || key.id() == id).collect();
        if fitting.is_empty() {
            fitting.extend(of_algorithm().filter(|key| key.id().is_none()));
        }
        match fitting.len() {
            0 => Err(self.none_for(algorithm, id)),
            1..=MOST_TRIED => Ok(fitting),
            count => Err(TokenError::Ambiguous { algorithm, count }),
        }
    }

    fn none_for(&self, algorithm: Algorithm, id: Option<&str>) -> TokenError {
        let known = id.is_some() && self.0.iter().any(|key| key.id() == id);
        let id = excerpt(id.unwrap_or_default().as_bytes());
        if known {
            TokenError::OtherAlgorithm { algorithm, id }
        } else {
            TokenError::UnknownKey { algorithm, id }
        }
    }
}

fn secret(path: &Path) -> Result<Key, KeyError> {
    let secret = secret_in(path, read(path)?)?;
    let short = |_reason| KeyError::ShortSecret { path: path.to_owned(), length: secret.len() };
    Key::hs256(None, &secret).map_err(short)
}

/// The secret that a file with these bytes holds, if it is one that HS256 takes.
pub(super) fn secret_in(path: &Path, mut secret: Vec<u8>) -> Result<Vec<u8>, KeyError> {
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    if serde_json::from_slice::<Map<String, Value>>(&secret).is_ok() {
        return Err(KeyError::NoSecret { path: path.to_owned(), what: "JSON" });
    }
    if secret.starts_with(b"-----BEGIN ") {
        return Err(KeyError::NoSecret { path: path.to_owned(), what: "a key or certificate in PEM form" });
    }
    if secret.len() < SHORTEST_SECRET {
        return Err(KeyError::ShortSecret { path: path.to_owned(), length: secret.len() });
    }
    Ok(secret)
}

fn jwks(path: &Path) -> Result<Vec<Key>, KeyError> {
    let bytes = read(path)?;
    let set: JwkSet = serde_json::from_slice(&bytes).map_err(|error| KeyError::Syntax {
        path: path.to_owned(),
        // The library's own words may quote a key.
        what: match error.classify() {
            _ if bytes.starts_with(b"-----BEGIN ") => "this is PEM, to be converted into a JSON Web Key,",
            Category::Data if is_single_key(&bytes) => {
                "this is a single key, which belongs into {\"keys\":[…]},"
            }
            Category::Data => "a member is missing or has another type",
            Category::Io | Category::Syntax | Category::Eof => "this is not JSON",
        },
        line: error.line(),
        column: error.column(),
    })?;
    if set.keys.len() > MOST_KEYS {
        return Err(KeyError::TooMany { path: path.to_owned(), count: set.keys.len() });
    }
    let mut keys = Vec::new();
    for (index, jwk) in set.keys.into_iter().enumerate() {
        let key = jwk.read();
        keys.extend(key.map_err(|reason| KeyError::Key {
            path: path.to_owned(),
            number: index + 1,
            reason,
        })?);
    }
    if keys.is_empty() { Err(KeyError::Empty(path.to_owned())) } else { Ok(keys) }
}

fn is_single_key(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(bytes).is_ok_and(|members| members.contains_key("kty"))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| KeyError::Read { path: path.to_owned(), source })?;
    if bytes.len() as u64 > LARGEST_FILE { Err(KeyError::TooLarge(path.to_owned())) } else { Ok(bytes) }
}

/// Bytes of a file with keys: that many keys with certificates need less.
pub(super) const LARGEST_FILE: u64 = 1024 * 1024;

/// Keys of one set.
pub(super) const MOST_KEYS: usize = 32;

/// Keys that one token is checked with: the old one and the new one, for two issuers.
pub(super) const MOST_TRIED: usize = 4;

#[cfg(test)]
mod tests;
