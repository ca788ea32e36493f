use serde_json::json;

use super::*;
use crate::access::tokens::{Algorithm, Key};

const NOW: f64 = 1_700_000_000.0;

fn grant(claims: &Value, issuer: Option<&str>, audience: Option<&str>) -> Result<Grant, String> {
    let mut settings = TokenSettings::new(Vec::new());
    settings.issuer = issuer.map(str::to_owned);
    settings.audience = audience.map(str::to_owned);
    let now = Timestamp::since_epoch(Duration::from_secs_f64(NOW));
    let key = Key::hs256(None, &[0; 32]).unwrap().print();
    let signature = Signature { algorithm: Algorithm::Hs256, key_id: None, key };
    let claims = Claims::read(claims.to_string().as_bytes());
    claims
        .and_then(|claims| claims.grant(&settings, &KnownRights::default(), signature, now))
        .map_err(|error| error.said().0.to_owned())
}

fn patterns(claims: &Value) -> Result<(Vec<String>, Vec<String>), String> {
    let list = |patterns: &Patterns| patterns.iter().map(str::to_owned).collect();
    grant(claims, None, None).map(|grant| (list(&grant.read), list(&grant.publish)))
}

#[test]
fn patterns_stand_in_channels_or_in_lists_of_their_own() {
    for (claims, sub, publish) in [
        (json!({}), &[][..], &[][..]),
        (json!({ "channels": { "sub": ["a", "b*"], "pub": ["c"] } }), &["a", "b*"], &["c"]),
        (json!({ "channels": { "sub": ["a,b"] } }), &["a,b"], &[]),
        (json!({ "channels": {} }), &[], &[]),
        (json!({ "sub": ["a"], "pub": ["b"] }), &["a"], &["b"]),
        (json!({ "sub": "somebody", "pub": ["b"] }), &[], &["b"]),
        (json!({ "sub": "somebody", "channels": { "sub": ["a"] } }), &["a"], &[]),
        // Where there is `channels`, it alone counts.
        (json!({ "sub": ["x"], "pub": ["y"], "channels": { "sub": ["a"] } }), &["a"], &[]),
        (json!({ "sub": 7 }), &[], &[]),
    ] {
        let expected = (
            sub.iter().map(|s| (*s).to_owned()).collect(),
            publish.iter().map(|s| (*s).to_owned()).collect(),
        );
        assert_eq!(patterns(&claims), Ok(expected), "{claims}");
    }
}

#[test]
fn what_has_another_type_is_refused_and_not_passed_over() {
    for claims in [
        json!({ "channels": ["a"] }),
        json!({ "channels": null }),
        json!({ "channels": { "sub": "a" } }),
        json!({ "channels": { "pub": [7] } }),
        json!({ "sub": [7] }),
        json!({ "pub": "a" }),
        json!({ "pub": null }),
        json!({ "sub": ["[a"] }),
        json!({ "sub": vec!["a"; 129] }),
        json!({ "channels": { "sub": vec!["a"; 65], "pub": vec!["a"; 64] } }),
        json!({ "exp": "9999999999" }),
        json!({ "exp": null }),
        json!({ "nbf": "0" }),
        json!({ "nbf": [] }),
        json!({ "iss": 7 }),
        json!({ "aud": 7 }),
        json!([]),
        json!(7),
    ] {
        assert_eq!(patterns(&claims), Err("token_refused".to_owned()), "{claims}");
    }
    for text in [
        "",
        "{",
        "{\"exp\":1e999}",
        "{\"geo\":{\"max_area\":1},\"geo\":{\"max_area\":2}}",
        "{\"exp\":1,\"exp\":9999999999}",
        "\u{0}",
    ] {
        assert!(Claims::read(text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn a_token_has_its_time() {
    for (claims, said) in [
        (json!({ "exp": NOW + 1.0, "nbf": NOW - 1.0 }), None),
        (json!({ "exp": NOW - 29.5 }), None),
        (json!({ "exp": NOW - 30.0 }), Some("token_expired")),
        (json!({ "exp": 0 }), Some("token_expired")),
        (json!({ "exp": -1e300 }), Some("token_expired")),
        (json!({ "exp": 1e300 }), None),
        (json!({ "exp": u64::MAX }), None),
        (json!({ "nbf": NOW + 30.0 }), None),
        (json!({ "nbf": NOW + 30.5 }), Some("token_not_yet_valid")),
        (json!({ "nbf": 1e300 }), Some("token_not_yet_valid")),
        (json!({ "nbf": -1e300 }), None),
        (json!({ "iat": "never read" }), None),
    ] {
        assert_eq!(grant(&claims, None, None).err().as_deref(), said, "{claims}");
    }
    let expires = grant(&json!({ "exp": NOW + 5.25 }), None, None).unwrap().expires().unwrap();
    assert_eq!(expires.millis(), (NOW + 35.25) * 1000.0);
    assert!(grant(&json!({}), None, None).unwrap().expires().is_none());
}

#[test]
fn issuer_and_audience_are_compared_where_they_are_set() {
    let (a, b) = (Some("a"), Some("b"));
    for (claims, issuer, audience, accepted) in [
        (json!({ "iss": "a" }), None, None, true),
        (json!({ "iss": "a" }), a, None, true),
        (json!({ "iss": "a" }), b, None, false),
        (json!({ "iss": "A" }), a, None, false),
        (json!({}), a, None, false),
        (json!({ "aud": "a" }), None, a, true),
        (json!({ "aud": ["b", "a"] }), None, a, true),
        (json!({ "aud": ["b"] }), None, a, false),
        (json!({ "aud": [] }), None, a, false),
        (json!({}), None, a, false),
        // Meant for somebody, and this server does not know that it is the one.
        (json!({ "aud": "a" }), None, None, false),
        (json!({ "aud": [] }), None, None, false),
    ] {
        assert_eq!(grant(&claims, issuer, audience).is_ok(), accepted, "{claims} {issuer:?} {audience:?}");
    }
}

#[test]
fn the_examples_of_the_documentation_are_accepted() {
    let page = include_str!("../../../../../../docs/access.md");
    let examples = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut count = 0;
    for example in examples {
        let claims: Value = serde_json::from_str(example).unwrap();
        let (issuer, audience) = (claims["iss"].as_str(), claims["aud"].is_array().then_some("maps"));
        let grant = grant(&claims, issuer, audience).unwrap_or_else(|code| panic!("{code}: {example}"));
        assert!(grant.reads(&"news".parse().unwrap()), "{example}");
        count += 1;
    }
    assert_eq!(count, 3);
}
