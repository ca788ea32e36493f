use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{Algorithm, Key};

/// A key as a set has it (RFC 7517 §4). Members that are not needed are passed over.
#[derive(Deserialize)]
pub(super) struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    k: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    /// The key; none if it is of a kind that is not supported, or not for signatures, as sets may hold any kinds (RFC 7517
    /// §5). A key without `alg` is for the one algorithm here that fits its kind.
    ///
    /// # Errors
    /// Why a key of a supported kind cannot be used.
    pub(super) fn read(self) -> Result<Option<Key>, &'static str> {
        let Some(algorithm) = self.algorithm() else { return Ok(None) };
        let id = self.kid;
        match algorithm {
            Algorithm::Hs256 => Key::hs256(id, &decode(self.k, "`k` is missing")?),
            Algorithm::Rs256 => {
                Key::rs256(id, &decode(self.n, "`n` is missing")?, &decode(self.e, "`e` is missing")?)
            }
            Algorithm::Es256 => {
                Key::es256(id, &decode(self.x, "`x` is missing")?, &decode(self.y, "`y` is missing")?)
            }
            Algorithm::EdDsa => Key::ed25519(id, decode(self.x, "`x` is missing")?),
        }
        .map(Some)
    }

    /// What its kind, its curve and its purpose make it fit for.
    fn algorithm(&self) -> Option<Algorithm> {
        let fit = match (self.kty.as_str(), self.crv.as_deref()) {
            ("oct", _) => Algorithm::Hs256,
            ("RSA", _) => Algorithm::Rs256,
            ("EC", Some("P-256")) => Algorithm::Es256,
            ("OKP", Some("Ed25519")) => Algorithm::EdDsa,
            _ => return None,
        };
        let declared = self.alg.as_ref().is_none_or(|name| name.parse() == Ok(fit));
        let signs = self.purpose.as_ref().is_none_or(|purpose| purpose == "sig");
        let verifies = self
            .key_ops
            .as_ref()
            .is_none_or(|uses| uses.iter().any(|what| what == "verify" || what == "sign"));
        (declared && signs && verifies).then_some(fit)
    }
}

fn decode(value: Option<String>, missing: &'static str) -> Result<Vec<u8>, &'static str> {
    let value = value.ok_or(missing)?;
    BASE64_URL_SAFE_NO_PAD.decode(value).map_err(|_cause| "a value is not base64url without padding")
}
