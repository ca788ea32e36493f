use std::{fs, path::Path, time::Duration};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::access::tokens::{KeyFile, Signer, signing::encode};

fn verifier(path: &Path) -> Result<Verifier, KeyError> {
    Verifier::load(TokenSettings::new(vec![KeyFile::Jwks(path.to_owned())]), Arc::default())
}

fn loaded() -> Verifier {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    fs::write(&path, Signer::jwks()).unwrap();
    verifier(&path).unwrap()
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
    let settings = TokenSettings::new(vec![KeyFile::Secret(secret), KeyFile::Jwks(set)]);
    let verifier = Verifier::load(settings, Arc::default()).unwrap();
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

/// Whatever would be said of the token itself is said of what it was read to be.
#[test]
fn what_was_accepted_is_judged_by_other_keys_as_the_token_would_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let renamed = |signer: Signer, name: Option<&str>| {
        let mut jwk = signer.jwk();
        match name {
            Some(name) => jwk["kid"] = json!(name),
            None => drop(jwk.as_object_mut().unwrap().remove("kid")),
        }
        jwk
    };
    let mut other = Signer::Es256.jwk();
    other["x"] = Signer::EdDsa.jwk()["x"].clone();
    let sets = [
        Signer::ALL.map(|signer| signer.jwk()).to_vec(),
        vec![Signer::Es256.jwk()],
        vec![Signer::EdDsa.jwk(), Signer::Hs256.jwk()],
        Signer::ALL.map(|signer| renamed(signer, None)).to_vec(),
        Signer::ALL.map(|signer| renamed(signer, Some("another"))).to_vec(),
        vec![other],
        vec![renamed(Signer::Es256, None); 5],
        vec![renamed(Signer::Es256, Some("a")), Signer::Rs256.jwk()],
    ];
    let mut differ = [0, 0];
    let verifiers = sets.map(|keys| {
        fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
        verifier(&path).unwrap()
    });
    for (before, signer) in verifiers.iter().flat_map(|before| Signer::ALL.map(|signer| (before, signer))) {
        let unnamed = signer.token_under(&json!({ "alg": signer.algorithm() }), &json!({}));
        for token in [signer.token(&json!({})), unnamed] {
            let Ok(grant) = before.read(&token, now()) else { continue };
            for after in &verifiers {
                let accepted = after.read(&token, now()).is_ok();
                assert_eq!(after.still_accepts(&grant), accepted, "{signer:?} {:?}", after.keys);
                differ[usize::from(accepted)] += 1;
            }
        }
    }
    assert!(differ[0] > 50 && differ[1] > 50, "{differ:?}");
}

#[test]
fn what_was_accepted_is_judged_by_another_issuer_and_audience_as_the_token_would_be() {
    let secret = b"a secret that everybody may know";
    let verifiers =
        [(None, None), (Some("a"), None), (Some("b"), None), (None, Some("x")), (Some("a"), Some("y"))].map(
            |(issuer, audience)| {
                let mut settings = TokenSettings::new(Vec::new());
                settings.issuer = issuer.map(str::to_owned);
                settings.audience = audience.map(str::to_owned);
                Verifier::with_secret(settings, secret)
            },
        );
    for claims in [r#"{}"#, r#"{"iss":"a"}"#, r#"{"iss":"b","aud":"x"}"#, r#"{"iss":"a","aud":["x","y"]}"#] {
        let token = crate::access::tokens::signed_with(r#"{"alg":"HS256"}"#, claims, secret);
        for grant in verifiers.iter().filter_map(|verifier| verifier.read(&token, now()).ok()) {
            for after in &verifiers {
                assert_eq!(after.still_accepts(&grant), after.read(&token, now()).is_ok(), "{claims}");
            }
        }
    }
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
