//! Signs tokens with the keys of the examples in RFC 7515 (appendix A) and RFC 8037 (appendix A), which everybody knows.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use serde_json::{Value, json};

/// Who signs: with which algorithm, and so with which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    Hs256,
    Rs256,
    Es256,
    EdDsa,
}

impl Signer {
    pub(crate) const ALL: [Self; 4] = [Self::Hs256, Self::Rs256, Self::Es256, Self::EdDsa];

    /// A token with these claims, whose header names the signer's algorithm and key.
    pub(crate) fn token(self, claims: &Value) -> String {
        self.token_under(&json!({ "typ": "JWT", "alg": self.algorithm(), "kid": self.id() }), claims)
    }

    /// A token with any header, signed as the signer does.
    pub(crate) fn token_under(self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The key by which its tokens are checked, as a set has it.
    pub(crate) fn jwk(self) -> Value {
        let (kid, alg) = (self.id(), self.algorithm());
        match self {
            Self::Hs256 => json!({ "kty": "oct", "kid": kid, "alg": alg, "k": SECRET }),
            Self::Rs256 => {
                json!({ "kty": "RSA", "kid": kid, "alg": alg, "use": "sig", "n": MODULUS, "e": "AQAB" })
            }
            Self::Es256 => {
                json!({ "kty": "EC", "kid": kid, "alg": alg, "crv": "P-256", "x": EC_X, "y": EC_Y })
            }
            Self::EdDsa => json!({ "kty": "OKP", "kid": kid, "alg": alg, "crv": "Ed25519", "x": ED_X }),
        }
    }

    /// A set of all their keys.
    pub(crate) fn jwks() -> String {
        json!({ "keys": Self::ALL.map(Self::jwk) }).to_string()
    }

    /// The secret of HS256, as a file of its own has it.
    pub(crate) fn secret() -> Vec<u8> {
        decode(SECRET)
    }

    pub(crate) fn algorithm(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn id(self) -> String {
        format!("key of {}", self.algorithm())
    }

    fn sign(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Hs256 => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &decode(SECRET)), message).as_ref().to_vec()
            }
            Self::Rs256 => {
                let [p, q, dp, dq, qi] = PRIMES.map(decode);
                let public_key = rsa::PublicKeyComponents { n: decode(MODULUS), e: decode("AQAB") };
                let components =
                    rsa::KeyPairComponents { public_key, d: decode(RSA_D), p, q, dP: dp, dQ: dq, qInv: qi };
                let pair = RsaKeyPair::from_components(&components).expect("the key of the example");
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .expect("it signs");
                signature
            }
            Self::Es256 => {
                let (random, point) = (SystemRandom::new(), [vec![4], decode(EC_X), decode(EC_Y)].concat());
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &decode(EC_D),
                    &point,
                    &random,
                );
                pair.expect("the key of the example")
                    .sign(&random, message)
                    .expect("it signs")
                    .as_ref()
                    .to_vec()
            }
            Self::EdDsa => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(&decode(ED_D), &decode(ED_X));
                pair.expect("the key of the example").sign(message).as_ref().to_vec()
            }
        }
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).expect("the examples are base64url")
}

/// RFC 7515 A.1.
const SECRET: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

/// RFC 7515 A.2.
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL\
-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2C\
apHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RSA_D: &str = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46\
sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjud\
U2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";
const PRIMES: [&str; 5] = [
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGB\
     Y5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-\
     njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34\
     MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNl\
     xAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0\
     ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
];

/// RFC 7515 A.3.
const EC_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const EC_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const EC_D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

/// RFC 8037 A.1.
const ED_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const ED_D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
