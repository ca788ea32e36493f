use std::fmt;

use ring::{
    digest, hmac,
    signature::{self, UnparsedPublicKey, VerificationAlgorithm},
};

use super::Algorithm;

/// A key, bound to the one algorithm it is for (RFC 8725 §3.1), so that a token cannot choose how it is checked.
pub(super) struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    print: KeyPrint,
    material: Material,
}

/// By which a key is known again: SHA-256 of what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyPrint([u8; 32]);

enum Material {
    Secret(hmac::Key),
    Rsa(signature::RsaPublicKeyComponents<Vec<u8>>),
    Point(UnparsedPublicKey<Vec<u8>>),
}

impl Key {
    /// A secret for HS256.
    pub(super) fn hs256(id: Option<String>, secret: &[u8]) -> Result<Self, &'static str> {
        if secret.len() < SHORTEST_SECRET {
            return Err("the secret of HS256 has 32 bytes at least (RFC 7518 §3.2)");
        }
        let material = Material::Secret(hmac::Key::new(hmac::HMAC_SHA256, secret));
        let print = KeyPrint::of(&[secret]);
        Ok(Self { id, algorithm: Algorithm::Hs256, print, material })
    }

    /// A public key for RS256, of two big-endian numbers.
    pub(super) fn rs256(id: Option<String>, modulus: &[u8], exponent: &[u8]) -> Result<Self, &'static str> {
        // Some programs write a zero in front of a number whose first bit is set.
        let [n, e] = [modulus, exponent].map(|number| {
            number.iter().position(|byte| *byte != 0).map_or(&[][..], |first| &number[first..]).to_vec()
        });
        if !(SHORTEST_MODULUS..=LONGEST_MODULUS).contains(&n.len()) {
            return Err("the modulus of RS256 has 2048 to 8192 bits (RFC 7518 §3.3)");
        }
        if e.is_empty() {
            return Err("the exponent is zero");
        }
        let print = KeyPrint::of(&[&n, &e]);
        let material = Material::Rsa(signature::RsaPublicKeyComponents { n, e });
        Ok(Self { id, algorithm: Algorithm::Rs256, print, material })
    }

    /// A public key for ES256: the coordinates of a point.
    pub(super) fn es256(id: Option<String>, x: &[u8], y: &[u8]) -> Result<Self, &'static str> {
        if x.len() != COORDINATE || y.len() != COORDINATE {
            return Err("coordinates on P-256 have 32 bytes (RFC 7518 §6.2.1.2)");
        }
        // 4 announces a point with both coordinates (SEC 1 §2.3.3).
        let point = [&[4], x, y].concat();
        Ok(Self::point(id, Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED, point))
    }

    /// A public key for EdDSA on Ed25519.
    pub(super) fn ed25519(id: Option<String>, point: Vec<u8>) -> Result<Self, &'static str> {
        if point.len() != COORDINATE {
            return Err("a public key of Ed25519 has 32 bytes (RFC 8032 §5.1.5)");
        }
        Ok(Self::point(id, Algorithm::EdDsa, &signature::ED25519, point))
    }

    fn point(
        id: Option<String>,
        algorithm: Algorithm,
        verification: &'static dyn VerificationAlgorithm,
        point: Vec<u8>,
    ) -> Self {
        let print = KeyPrint::of(&[&point]);
        let material = Material::Point(UnparsedPublicKey::new(verification, point));
        Self { id, algorithm, print, material }
    }

    /// What it is called in the headers of tokens.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// By which it is known again.
    pub(super) fn print(&self) -> KeyPrint {
        self.print
    }

    /// Whether this is the signature of this key.
    pub(super) fn admits(&self, signed: &[u8], signature: &[u8]) -> bool {
        let outcome = match &self.material {
            Material::Secret(key) => hmac::verify(key, signed, signature),
            Material::Rsa(key) => key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, signature),
            Material::Point(key) => key.verify(signed, signature),
        };
        outcome.is_ok()
    }
}

impl KeyPrint {
    /// Of numbers, the first of which may not pass for the beginning of the second.
    fn of(parts: &[&[u8]]) -> Self {
        let mut print = digest::Context::new(&digest::SHA256);
        for part in parts {
            print.update(&(part.len() as u64).to_be_bytes());
            print.update(part);
        }
        Self(print.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({:?}, {}, …)", self.id, self.algorithm)
    }
}

/// Bytes of the shortest secret: those of its hash.
pub(super) const SHORTEST_SECRET: usize = 32;
const SHORTEST_MODULUS: usize = 2048 / 8;
const LONGEST_MODULUS: usize = 8192 / 8;
const COORDINATE: usize = 32;
