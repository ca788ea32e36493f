use std::{fs, path::Path, time::Duration};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::access::tokens::{KeyFile, Signer, signing::encode};

fn verifier(path: &Path) -> Verifier {
    Verifier::new(TokenSettings::new(vec![KeyFile::Jwks(path.to_owned())]))
}

fn loaded() -> Verifier {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    fs::write(&path, Signer::jwks()).unwrap();
    let verifier = verifier(&path);
    verifier.load().unwrap();
    verifier
}

fn now() -> Timestamp {
    Timestamp::since_epoch(Duration::from_secs(1_700_000_000))
}

fn refused(verifier: &Verifier, token: &str) -> String {
    verifier.read(token, now()).expect_err(token).to_string()
}

#[test]
fn every_algorithm_is_accepted_and_nothing_that_was_changed() {
    let verifier = loaded();
    for signer in Signer::ALL {
        let token = signer.token(&json!({ "sub": ["news"] }));
        let grant = verifier.read(&token, now()).unwrap_or_else(|error| panic!("{signer:?}: {error}"));
        assert!(grant.reads(&"news".parse().unwrap()) && !grant.publishes(&"news".parse().unwrap()));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        let forged = format!("{header}.{}.{signature}", encode(r#"{"sub":["*"]}"#));
        assert!(refused(&verifier, &forged).contains("signature"), "{signer:?}");
        assert!(refused(&verifier, &format!("{signed}.")).contains("signature"), "{signer:?}");
    }
}

/// A key without a name is tried whatever the token calls it.
#[test]
fn several_files_make_one_set() {
    let folder = tempfile::tempdir().unwrap();
    let [secret, set] = ["secret", "keys.json"].map(|name| folder.path().join(name));
    fs::write(&secret, Signer::secret()).unwrap();
    fs::write(&set, json!({ "keys": [Signer::Es256.jwk()] }).to_string()).unwrap();
    let verifier = Verifier::new(TokenSettings::new(vec![KeyFile::Secret(secret), KeyFile::Jwks(set)]));
    verifier.load().unwrap();
    for (signer, accepted) in
        [(Signer::Hs256, true), (Signer::Es256, true), (Signer::Rs256, false), (Signer::EdDsa, false)]
    {
        let outcome = verifier.read(&signer.token(&json!({})), now());
        assert_eq!(outcome.is_ok(), accepted, "{signer:?}");
        let unnamed = signer.token_under(&json!({ "alg": signer.algorithm() }), &json!({}));
        assert_eq!(verifier.read(&unnamed, now()).is_ok(), accepted, "{signer:?}");
    }
}

/// A token without `kid` is tried with all keys of its algorithm, and with those only.
#[test]
fn a_swapped_algorithm_is_refused() {
    let verifier = loaded();
    let claims = json!({ "sub": ["*"] });
    for signer in Signer::ALL {
        for other in Signer::ALL.into_iter().filter(|other| *other != signer) {
            let header = json!({ "alg": other.algorithm(), "kid": signer.jwk()["kid"] });
            let said = refused(&verifier, &signer.token_under(&header, &claims));
            assert!(said.contains("another algorithm"), "{signer:?} {other:?}: {said}");
            let said = refused(&verifier, &signer.token_under(&json!({ "alg": other.algorithm() }), &claims));
            assert!(said.contains("signature"), "{signer:?} {other:?}: {said}");
        }
        for none in ["none", "None", "nOnE"] {
            let header = json!({ "alg": none, "kid": signer.jwk()["kid"] });
            assert!(refused(&verifier, &signer.token_under(&header, &claims)).contains("algorithm"));
        }
    }
    // The classical one: the public key as if it were a secret.
    let header = encode(r#"{"alg":"HS256","kid":"key of RS256"}"#);
    let signed = format!("{header}.{}", encode(claims.to_string()));
    for public in [Signer::Rs256.jwk()["n"].to_string(), Signer::Rs256.jwk().to_string()] {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public.as_bytes());
        let signature = encode(ring::hmac::sign(&key, signed.as_bytes()));
        assert!(refused(&verifier, &format!("{signed}.{signature}")).contains("another algorithm"));
    }
}

#[test]
fn keys_are_replaced_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let verifier = verifier(&path);
    let [first, second] = [Signer::Es256, Signer::EdDsa].map(|signer| signer.token(&json!({ "sub": ["a"] })));
    let accepted = || [&first, &second].map(|token| verifier.read(token, now()).is_ok());
    assert!(verifier.load().is_err());
    assert_eq!(accepted(), [false, false]);
    fs::write(&path, json!({ "keys": [Signer::Es256.jwk()] }).to_string()).unwrap();
    verifier.load().unwrap();
    assert_eq!(accepted(), [true, false]);
    for broken in ["", "{}", r#"{"keys":[]}"#, &Signer::jwks()[1..]] {
        fs::write(&path, broken).unwrap();
        assert!(verifier.load().is_err(), "{broken}");
        assert_eq!(accepted(), [true, false], "{broken}");
    }
    fs::write(&path, json!({ "keys": [Signer::EdDsa.jwk()] }).to_string()).unwrap();
    verifier.load().unwrap();
    assert_eq!(accepted(), [false, true]);
}

proptest! {
    #[test]
    fn no_text_is_a_token_by_chance(text in "\\PC{0,60}|[A-Za-z0-9_.-]{0,200}") {
        prop_assert!(loaded().read(&text, now()).is_err());
    }

    /// One character of a token changed: by whomever, it is no token any more, or it is the same one.
    #[test]
    fn no_character_can_be_changed(signer in 0..4_usize, at in any::<prop::sample::Index>(), with in "[A-Za-z0-9_-]") {
        let token = Signer::ALL[signer].token(&json!({ "sub": ["news"], "exp": 1_800_000_000 }));
        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &with);
        prop_assert_eq!(loaded().read(&changed, now()).is_ok(), changed == token);
    }
}
