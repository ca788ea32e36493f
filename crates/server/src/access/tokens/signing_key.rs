use std::path::Path;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use geocast_protocol::envelope::Timestamp;
use ring::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Map, Value, json};
use tokio_rustls::rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};

use super::{
    AcceptedToken, Algorithm, Key, KeyError, KeySet, RefusedToken, TokenSettings, key_set, verifier::Verifier,
};

/// A key that tokens are signed with, for the tools of operators: a server has only what tokens are checked with.
#[derive(Debug)]
pub struct SigningKey {
    id: Option<String>,
    material: Material,
}

enum Material {
    Secret(Vec<u8>),
    Ed25519(Ed25519KeyPair),
}

impl std::fmt::Debug for Material {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("…")
    }
}

impl SigningKey {
    /// Reads a private key of Ed25519 in PEM (RFC 8410), as `openssl genpkey -algorithm ed25519` makes it, or else the secret of
    /// HS256, as [`KeyFile::Secret`](crate::KeyFile) has it. `id` is what tokens call the key (`kid`).
    ///
    /// # Errors
    /// [`KeyError`] names the file and what is wrong with it.
    pub fn read(path: &Path, id: Option<String>) -> Result<Self, KeyError> {
        let bytes = key_set::read(path)?;
        if !bytes.starts_with(b"-----BEGIN ") {
            return Ok(Self { id, material: Material::Secret(key_set::secret_in(path, bytes)?) });
        }
        let pair = PrivatePkcs8KeyDer::from_pem_slice(&bytes).ok();
        let pair = pair
            .and_then(|der| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).ok())
            .ok_or_else(|| KeyError::NotEd25519(path.to_owned()))?;
        Ok(Self { id, material: Material::Ed25519(pair) })
    }

    /// The name of the algorithm, as tokens give it: `HS256` or `EdDSA`.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Secret(_) => "HS256",
            Material::Ed25519(_) => "EdDSA",
        }
    }

    /// A token with these claims.
    #[must_use]
    pub fn sign(&self, claims: &Map<String, Value>) -> String {
        let mut header = json!({ "typ": "JWT", "alg": self.algorithm() });
        if let Some(id) = &self.id {
            header["kid"] = json!(id);
        }
        let [header, claims] = [header, Value::Object(claims.clone())]
            .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = match &self.material {
            Material::Secret(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes()).as_ref().to_vec()
            }
            Material::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// What a server says of a token, if it has this key and these settings but for their keys.
    ///
    /// # Errors
    /// [`RefusedToken`]: it would not accept it.
    pub fn examine(
        &self,
        settings: &TokenSettings,
        token: &str,
        now: Timestamp,
    ) -> Result<AcceptedToken, RefusedToken> {
        let key = match &self.material {
            Material::Secret(secret) => Key::hs256(self.id.clone(), secret),
            Material::Ed25519(pair) => Key::ed25519(self.id.clone(), pair.public_key().as_ref().to_vec()),
        };
        let keys = key.map_or_else(|_too_short| KeySet::default(), KeySet::of);
        Verifier::of(settings.clone(), keys).examine(token, now)
    }

    /// The JSON Web Key Set (RFC 7517, RFC 8037) by which a server checks what this key signs. `None` for a secret: whoever has
    /// it can sign.
    #[must_use]
    pub fn public_set(&self) -> Option<Value> {
        let Material::Ed25519(pair) = &self.material else { return None };
        let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": Algorithm::EdDsa.to_string(), "use": "sig", "x": x });
        if let Some(id) = &self.id {
            key["kid"] = json!(id);
        }
        Some(json!({ "keys": [key] }))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;
    use crate::KeyFile;

    const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
                       MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                       -----END PRIVATE KEY-----\n";

    fn read(text: &str) -> Result<SigningKey, KeyError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        SigningKey::read(file.path(), Some("first".to_owned()))
    }

    #[test]
    fn what_is_signed_is_accepted_by_a_server_with_the_public_set() {
        let key = read(PEM).unwrap();
        let set = key.public_set().unwrap();
        // The key of RFC 8037, appendix A.
        assert_eq!(set["keys"][0]["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let claims =
            json!({ "exp": 1000, "channels": { "sub": ["a*"], "pub": ["b"] }, "geo": { "max_area": 5 } });
        let token = key.sign(claims.as_object().unwrap());
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), set.to_string()).unwrap();
        let settings = TokenSettings::new(vec![KeyFile::Jwks(file.path().to_owned())]);
        let at = |seconds| Timestamp::since_epoch(Duration::from_secs(seconds));
        let accepted = settings.examine(&token, at(5)).unwrap().unwrap();
        assert!(accepted.reads(&"ab".parse().unwrap()) && accepted.publishes(&"b".parse().unwrap()));
        assert!(!accepted.reads(&"b".parse().unwrap()) && accepted.is_limited());
        let refused = settings.examine(&token, at(2000)).unwrap().unwrap_err();
        assert_eq!((refused.code, refused.reason.as_str()), ("token_expired", "the token has expired"));
        assert!(
            read("another secret of thirty-two bytes").unwrap().examine(&settings, &token, at(5)).is_err()
        );
    }

    #[test]
    fn secrets_sign_too_and_others_say_why_not() {
        let key = read("a secret of more than thirty-two bytes\n").unwrap();
        assert!(key.public_set().is_none() && key.algorithm() == "HS256");
        let token = key.sign(json!({ "sub": ["a"] }).as_object().unwrap());
        let settings = TokenSettings::new(Vec::new());
        assert!(key.examine(&settings, &token, Timestamp::since_epoch(Duration::ZERO)).is_ok());
        assert!(read("short").unwrap_err().to_string().contains("32"));
        let error =
            read("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n").unwrap_err();
        assert!(error.to_string().contains("openssl genpkey -algorithm ed25519"), "{error}");
        assert!(!format!("{key:?}").contains("secret of"), "{key:?}");
    }
}
