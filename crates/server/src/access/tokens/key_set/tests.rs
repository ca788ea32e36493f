use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::access::tokens::Signer;

fn file(folder: &TempDir, content: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = folder.path().join("keys");
    fs::write(&path, content).unwrap();
    path
}

fn set(keys: &Value) -> Result<KeySet, KeyError> {
    let folder = tempfile::tempdir().unwrap();
    KeySet::load(&[KeyFile::Jwks(file(&folder, json!({ "keys": keys }).to_string()))])
}

/// The examples of RFC 7515 (A.1, A.2, A.3) and RFC 8037 (A.4), signed by others.
#[test]
fn signatures_of_the_examples_are_admitted() {
    let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let examples = [
        format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        format!(
            "eyJhbGciOiJSUzI1NiJ9.{payload}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4\
             Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPv\
             kSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOY\
             EUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        ),
        format!(
            "eyJhbGciOiJFUzI1NiJ9.{payload}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfK\
             TUJqPP3-Kg6NU1Q"
        ),
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhij\
         cNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
            .to_owned(),
    ];
    let keys = set(&json!(Signer::ALL.map(Signer::jwk))).unwrap();
    for example in examples {
        keys.admit(&Compact::read(&example).unwrap()).unwrap_or_else(|error| panic!("{error}: {example}"));
        let (signed, _) = example.rsplit_once('.').unwrap();
        let other = format!("{signed}.{}", "A".repeat(86));
        let error = keys.admit(&Compact::read(&other).unwrap()).unwrap_err();
        assert!(matches!(error, TokenError::Signature), "{error}");
    }
}

#[test]
fn the_secret_of_a_file_has_no_name_and_no_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "correct horse battery staple; and more";
    let path = file(&folder, format!("{secret}\r\n"));
    let keys = KeySet::load(&[KeyFile::Secret(path)]).unwrap();
    assert_eq!(keys.0[0].id(), None);
    let signature =
        ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes()), b"text");
    assert!(keys.0[0].admits(b"text", signature.as_ref()));
    assert!(!format!("{keys:?}").contains("horse"));
}

/// Whoever mixes up the options must not make a secret of what is public.
#[test]
fn public_keys_are_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    for content in [Signer::jwks(), format!("-----BEGIN PUBLIC KEY-----\n{}\n", "A".repeat(400))] {
        let error = KeySet::load(&[KeyFile::Secret(file(&folder, content))]).unwrap_err();
        assert!(matches!(error, KeyError::NoSecret { .. }), "{error}");
    }
}

#[test]
fn a_name_chooses_among_keys_and_a_key_keeps_to_its_algorithm() {
    let keys = set(&json!(Signer::ALL.map(Signer::jwk))).unwrap();
    let header = |alg: &str, kid: &str| {
        let token = Signer::Hs256.token_under(&json!({ "alg": alg, "kid": kid }), &json!({}));
        let admitted = keys.admit(&Compact::read(&token).unwrap());
        admitted.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(header("HS256", "key of HS256"), Ok(()));
    let swapped = header("HS256", "key of RS256").unwrap_err();
    assert_eq!(
        swapped,
        "the token is signed with HS256, but the key `key of RS256` is for another algorithm"
    );
    assert_eq!(header("HS256", "?\n").unwrap_err(), "there is no key `?\\n` for HS256");
    assert!(header("RS256", "key of HS256").unwrap_err().contains("another algorithm"));
}

#[test]
fn keys_of_other_kinds_are_passed_over() {
    let mut keys = vec![
        json!({ "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA" }),
        json!({ "kty": "OKP", "crv": "X25519", "x": "AA" }),
        json!({ "kty": "quantum" }),
        json!({ "kty": "RSA", "use": "enc", "n": "AA", "e": "AQAB" }),
        json!({ "kty": "RSA", "alg": "PS256", "n": "AA", "e": "AQAB" }),
        json!({ "kty": "oct", "key_ops": ["encrypt"], "k": "AA" }),
    ];
    assert!(set(&json!(keys)).unwrap_err().to_string().contains("has no key for HS256"));
    keys.push(Signer::Es256.jwk());
    assert_eq!(set(&json!(keys)).unwrap().0.len(), 1);
}

#[test]
fn a_broken_key_is_named() {
    for (key, said) in [
        (json!({ "kty": "oct" }), "`k` is missing"),
        (json!({ "kty": "oct", "k": "c2hvcnQ" }), "32 bytes"),
        (json!({ "kty": "oct", "k": "not=base64url" }), "not base64url"),
        (json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }), "2048 to 8192 bits"),
        (json!({ "kty": "RSA", "n": "AA".repeat(300), "e": "AQAB" }), "2048 to 8192 bits"),
        (json!({ "kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB" }), "32 bytes"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": "AQAB" }), "32 bytes"),
    ] {
        let error = set(&json!([Signer::Es256.jwk(), key])).unwrap_err().to_string();
        assert!(error.starts_with("key 2 in ") && error.contains(said), "{error}");
    }
    let many = vec![Signer::Es256.jwk(); MOST_KEYS + 1];
    assert!(set(&json!(many)).unwrap_err().to_string().contains("33 keys"));
}

#[test]
fn a_file_that_is_none_is_named_and_never_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "x");
    let name = path.display().to_string();
    for content in
        ["sesame", r#"{"keys":"sesame"}"#, r#"["sesame"]"#, r#"{"keys":[{"kty":"oct","k":["sesame"]}]}"#, ""]
    {
        fs::write(&path, content).unwrap();
        let error = KeySet::load(&[KeyFile::Jwks(path.clone())]).unwrap_err().to_string();
        assert!(error.contains(&name) && error.contains("line") && !error.contains("sesame"), "{error}");
        let error = KeySet::load(&[KeyFile::Secret(path.clone())]).unwrap_err().to_string();
        assert!(error.contains(&name) && !error.contains("sesame"), "{error}");
    }
    for (content, said) in [
        (
            "-----BEGIN PUBLIC KEY-----\nsesame\n",
            "this is PEM, to be converted into a JSON Web Key, at line 1",
        ),
        (
            r#"{"kty":"EC","x":"sesame"}"#,
            r#"this is a single key, which belongs into {"keys":[…]}, at line 1"#,
        ),
    ] {
        fs::write(&path, content).unwrap();
        let error = KeySet::load(&[KeyFile::Jwks(path.clone())]).unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("sesame"), "{error}");
    }
    fs::write(&path, vec![b' '; 1024 * 1024 + 1]).unwrap();
    for file in [KeyFile::Jwks(path.clone()), KeyFile::Secret(path.clone())] {
        assert!(KeySet::load(&[file]).unwrap_err().to_string().contains("more than 1048576 bytes"));
    }
    fs::remove_file(&path).unwrap();
    let error = KeySet::load(&[KeyFile::Jwks(path)]).unwrap_err();
    assert_eq!(error.to_string(), format!("the key file {name} cannot be read"));
}

/// Every check costs as much as a signature does, and anybody can send a token.
#[test]
fn few_keys_are_tried_for_one_token() {
    let key = |id: Option<usize>| {
        let mut key = Signer::Es256.jwk();
        let members = key.as_object_mut().unwrap();
        members.remove("kid");
        if let Some(id) = id {
            members.insert("kid".to_owned(), json!(format!("k{id}")));
        }
        key
    };
    let token = |header: Value| Signer::Es256.token_under(&header, &json!({}));
    let (nameless, named) = (token(json!({"alg": "ES256"})), token(json!({"alg": "ES256", "kid": "k4"})));
    for (names, token, admitted) in [
        ([None; MOST_TRIED].to_vec(), &nameless, true),
        ([None; MOST_TRIED].to_vec(), &named, true),
        ([None; MOST_TRIED + 1].to_vec(), &nameless, false),
        ([None; MOST_TRIED + 1].to_vec(), &named, false),
        ((0..=MOST_TRIED).map(Some).collect(), &nameless, false),
        ((0..=MOST_TRIED).map(Some).collect(), &named, true),
        ([None; MOST_TRIED + 1].into_iter().chain([Some(4)]).collect(), &named, true),
    ] {
        let keys = set(&names.iter().map(|id| key(*id)).collect()).unwrap();
        let outcome = keys.admit(&Compact::read(token).unwrap());
        match outcome {
            Ok(_) => assert!(admitted, "{names:?}"),
            Err(error) => {
                assert!(!admitted && matches!(error, TokenError::Ambiguous { .. }), "{names:?} {error}")
            }
        }
    }
}
