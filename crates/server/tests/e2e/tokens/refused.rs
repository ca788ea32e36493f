//! Tokens that are none, and that nobody may do anything with, wherever they are presented.

use geocast_server::{Secret, Server, TokenSettings};
use ring::hmac;
use serde_json::json;

use super::*;
use crate::{http_client::refused_upgrade, signing::encode};

on_both_stores!(
    a_connection_with_a_bad_token_is_refused,
    a_publication_with_a_bad_token_is_refused,
    a_bad_token_is_refused_beside_a_publish_key,
    tokens_are_passed_over_where_there_are_no_keys,
);

/// What is wrong with it, the token, and the code of the answer to it.
fn bad() -> Vec<(&'static str, String, &'static str)> {
    let refused = "token_refused";
    let sound = claims(&["*"], &["*"]);
    let with = |name: &str, value: Value| {
        let mut claims = sound.clone();
        claims[name] = value;
        Signer::Es256.token(&claims)
    };
    let under = |signer: Signer, alg: &str, kid: &str| {
        signer.token_under(&json!({ "typ": "JWT", "alg": alg, "kid": kid }), &sound)
    };
    let unsigned = |alg: &str| {
        format!(
            "{}.{}.",
            encode(json!({ "alg": alg, "kid": "key of RS256" }).to_string()),
            encode(sound.to_string())
        )
    };
    let genuine = Signer::Es256.token(&sound);
    let (signed, signature) = genuine.rsplit_once('.').expect("three parts");
    let (header, payload) = signed.split_once('.').expect("three parts");
    // The public key of another algorithm, taken for a secret.
    let header_of_secret = encode(json!({ "alg": "HS256", "kid": "key of RS256" }).to_string());
    let by_public_key = format!("{header_of_secret}.{payload}");
    let public_key = hmac::Key::new(hmac::HMAC_SHA256, Signer::Rs256.jwk().to_string().as_bytes());
    let by_public_key =
        format!("{by_public_key}.{}", encode(hmac::sign(&public_key, by_public_key.as_bytes())));
    vec![
        ("expired", with("exp", json!(now() - 3600)), "token_expired"),
        ("not valid yet", with("nbf", json!(now() + 3600)), "token_not_yet_valid"),
        ("an expiry that is no number", with("exp", json!("9999999999")), refused),
        ("another issuer", with("iss", json!("somebody")), refused),
        ("another audience", with("aud", json!("somebody")), refused),
        ("unreadable patterns", with("channels", json!({ "sub": ["[z"] })), refused),
        ("alg none", unsigned("none"), refused),
        ("alg nOnE", unsigned("nOnE"), refused),
        ("alg none, signed", under(Signer::Hs256, "none", "key of HS256"), refused),
        ("no signature", unsigned("RS256"), refused),
        ("a swapped algorithm", under(Signer::Hs256, "HS256", "key of RS256"), refused),
        ("a public key as secret", by_public_key, refused),
        ("a swapped key", under(Signer::Es256, "ES256", "key of EdDSA"), refused),
        ("an unknown key", under(Signer::Es256, "ES256", "another\u{1b}[31m"), refused),
        ("another signature", format!("{header}.{payload}.{}", encode([1; 64])), refused),
        (
            "other claims",
            format!("{header}.{}.{signature}", encode(r#"{"sub":["*"],"iss":"the office"}"#)),
            refused,
        ),
        ("no token", "x".to_owned(), refused),
        ("too few parts", signed.to_owned(), refused),
    ]
}

/// What a stranger is told says nothing about keys.
fn expect_refusal(response: &Response, expected: &str, what: &str) {
    assert_eq!(code(response), (401, expected.to_owned()), "{what}: {response:?}");
    assert!(response.head.contains("www-authenticate: Bearer"), "{what}: {response:?}");
    for secret in ["key", "issuer", "office", "signature", "algorithm", "audience"] {
        assert!(!response.body.contains(secret), "{what}: {response:?}");
    }
}

async fn a_connection_with_a_bad_token_is_refused(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    for (what, token, expected) in bad() {
        let (header, protocol) =
            (bearer(&token), format!("Sec-WebSocket-Protocol: geocast.text, bearer.{token}"));
        for (path, extra) in [
            (format!("/ws?token={token}"), None),
            (format!("/rpc?a=b&access_token={token}"), None),
            ("/ws".to_owned(), Some(&header)),
            ("/ws".to_owned(), Some(&protocol)),
        ] {
            let extra: Vec<&str> = extra.map(String::as_str).into_iter().collect();
            let refused = server.count(Count::ConnectionRefused);
            let response = refused_upgrade(server.address, &path, &extra).await;
            expect_refusal(&response, expected, what);
            assert!(!response.body.contains(&token), "{response:?}");
            assert_eq!(server.count(Count::ConnectionRefused), refused + 1, "{what}");
        }
    }
    let genuine = Signer::Es256.token(&claims(&["*"], &[]));
    let path = format!("/ws?token={genuine}&access_token={genuine}");
    let response = refused_upgrade(server.address, &path, &[]).await;
    assert_eq!(code(&response), (401, "token_ambiguous".to_owned()));
    let mut client = text(&server, Some(&genuine)).await;
    client.settled().await;
}

async fn a_publication_with_a_bad_token_is_refused(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    server.put("open", "1", "\"there\"").await;
    let mut witness = text(&server, Some(&Signer::Es256.token(&claims(&["*"], &[])))).await;
    witness.send("SUB open").await;
    witness.send("SUB secret").await;
    witness.settled().await;
    for (what, token, expected) in bad() {
        for channel in ["secret", "open"] {
            for response in write(&server, channel, &[&bearer(&token)]).await {
                expect_refusal(&response, expected, what);
            }
        }
        let path = format!("/api/publish/open?token={token}");
        expect_refusal(&request(server.address, "POST", &path, &[], "1").await, expected, what);
    }
    witness.expect_nothing(&server).await;
    witness.send("GET open 1").await;
    assert_eq!(witness.next_content().await, "there");
}

/// A right key does not make up for a wrong token, and a word that is no token is a wrong key.
async fn a_bad_token_is_refused_beside_a_publish_key(backend: Backend) {
    let (server, _keys) = start(backend, |settings| settings.publish_key = Some(Secret::new("sesame"))).await;
    for (what, token, expected) in bad() {
        let path = format!("/api/publish/open?pwd=sesame&token={token}");
        let response = request(server.address, "POST", &path, &[], "1").await;
        expect_refusal(&response, expected, what);
    }
    let response =
        request(server.address, "POST", "/api/publish/open", &["Authorization: Bearer x"], "1").await;
    assert_eq!(code(&response), (403, "key_wrong".to_owned()));
}

async fn tokens_are_passed_over_where_there_are_no_keys(backend: Backend) {
    let (server, _keys) = start(backend, |settings| settings.tokens = None).await;
    for (what, token, _) in bad() {
        let mut client = text(&server, Some(&token)).await;
        client.send("GET secret").await;
        assert_eq!(client.next_content().await, Value::Null, "{what}");
    }
}

#[tokio::test]
async fn a_server_does_not_start_without_its_keys() {
    let mut settings = Settings::default();
    settings.tokens = Some(TokenSettings::new(vec![KeyFile::Jwks("/nowhere/keys.json".into())]));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let error = Server::start(listener, settings).expect_err("there is no such file");
    assert_eq!(error.to_string(), "the key file /nowhere/keys.json cannot be read");
}
