use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::IgnoredAny};

use super::{Algorithm, TokenError};
use crate::access::excerpt;

/// A token taken apart (RFC 7515 §3.1): nothing in it is to be believed before its signature has been checked.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    pub(super) algorithm: Algorithm,
    /// By which name the signer knows the key.
    pub(super) key_id: Option<String>,
    /// What was signed: header and payload as they were sent.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
    payload: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515 §4.1.11). None is, so that even an empty list is wrong.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

impl<'a> Compact<'a> {
    /// Takes a token apart.
    pub(super) fn read(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > LARGEST_TOKEN {
            return Err(TokenError::TooLong(token.len()));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Parts)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Parts)?;
        if payload.contains('.') {
            return Err(TokenError::Parts);
        }
        let header: Header = serde_json::from_slice(&decode(header, "header")?)
            .map_err(|error| TokenError::Header(excerpt(error.to_string().as_bytes())))?;
        if header.crit {
            return Err(TokenError::Critical);
        }
        let algorithm = header.alg.parse();
        let algorithm =
            algorithm.map_err(|_unknown| TokenError::Algorithm(excerpt(header.alg.as_bytes())))?;
        Ok(Self {
            algorithm,
            key_id: header.kid,
            signed: signed.as_bytes(),
            signature: decode(signature, "signature")?,
            payload,
        })
    }

    /// What was signed about its bearer, as JSON.
    pub(super) fn payload(&self) -> Result<Vec<u8>, TokenError> {
        decode(self.payload, "payload")
    }
}

fn decode(part: &str, name: &'static str) -> Result<Vec<u8>, TokenError> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|source| TokenError::Base64 { part: name, source })
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_any| true)
}

/// A token with this header and payload, signed with HS256.
#[cfg(any(test, fuzzing))]
pub(in crate::access) fn signed_with(header: &str, payload: &str, secret: &[u8]) -> String {
    use ring::hmac;

    let [header, payload] = [header, payload].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    let signed = format!("{header}.{payload}");
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

/// Bytes of a token: half of what the header of an HTTP request may have.
pub(super) const LARGEST_TOKEN: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        let [header, payload] = [header, payload].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        format!("{header}.{payload}.c2ln")
    }

    #[test]
    fn a_token_has_three_parts_and_a_header_that_is_understood() {
        let sound = token(r#"{"typ":"JWT","alg":"ES256","kid":"a"}"#, "{}");
        let compact = Compact::read(&sound).unwrap();
        assert_eq!((compact.algorithm, compact.key_id.as_deref()), (Algorithm::Es256, Some("a")));
        assert_eq!((&*compact.signature, &*compact.payload().unwrap()), (&b"sig"[..], &b"{}"[..]));
        assert_eq!(compact.signed, sound.strip_suffix(".c2ln").unwrap().as_bytes());
        let header = |header: &str| Compact::read(&token(header, "{}")).unwrap_err().to_string();
        for name in ["none", "None", "NONE", "hs256", "HS512", "RS384", "PS256", "ES384", ""] {
            let said = header(&format!(r#"{{"alg":"{name}"}}"#));
            assert!(said.contains(&format!("`{name}`")), "{said}");
        }
        for wrong in ["", "[]", "{}", r#"{"alg":null}"#, r#"{"alg":"HS256","alg":"none"}"#, "\u{1}"] {
            assert!(header(wrong).starts_with("the token's header"), "{wrong}");
        }
        for critical in [r#""crit":["b64"],"b64":false"#, r#""crit":[]"#, r#""crit":null"#] {
            assert!(header(&format!(r#"{{"alg":"HS256",{critical}}}"#)).contains("crit"), "{critical}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let sound = token(r#"{"alg":"HS256"}"#, "{}");
        for wrong in ["", "a", "a.b", "a.b.c.d", "..", "é.é.é", &format!("{sound}.a"), &format!("{sound}=")]
        {
            assert!(Compact::read(wrong).is_err(), "{wrong}");
        }
        let long = format!("{}.{}.a", "a".repeat(LARGEST_TOKEN), "b");
        assert!(Compact::read(&long).unwrap_err().to_string().contains("8196 bytes"));
    }
}
