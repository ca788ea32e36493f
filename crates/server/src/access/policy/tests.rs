use std::{fs, sync::LazyLock, time::Duration};

use axum::http::{HeaderMap, HeaderValue, Uri};
use geocast_protocol::{Channel, envelope::Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{KeyFile, Secret, TokenSettings, access::tokens::Signer, store::RedisSettings};

mod model;

fn settings(redis: bool, channels: Option<&str>, key: Option<&str>) -> Settings {
    let mut settings = Settings::default();
    if redis {
        settings.store =
            StoreSettings::Redis(RedisSettings::new("redis://localhost".parse().expect("a URL")));
    }
    settings.channels = channels.map(|list| list.parse().expect("patterns"));
    settings.publish_key = key.map(Secret::new);
    settings
}

fn with_tokens(mut settings: Settings, bound: Option<&str>) -> Access {
    static KEYS: LazyLock<tempfile::NamedTempFile> = LazyLock::new(|| {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), Signer::jwks()).expect("it can be written");
        file
    });
    let mut tokens = TokenSettings::new(vec![KeyFile::Jwks(KEYS.path().to_owned())]);
    tokens.channels = bound.map(|list| list.parse().expect("patterns"));
    settings.tokens = Some(tokens);
    let access = Access::new(&settings, Exposure::Network);
    access.replace(access.prepare(&settings).expect("the keys are sound"));
    access
}

fn at(second: u64) -> Timestamp {
    Timestamp::since_epoch(Duration::from_secs(second))
}

fn identify(access: &Access, uri: &str, bearer: Option<&str>) -> Result<Identity, &'static str> {
    let mut headers = HeaderMap::new();
    if let Some(bearer) = bearer {
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {bearer}")).expect("a field"));
    }
    access
        .identify(Peer::Local, &uri.parse::<Uri>().expect("an address"), &headers, at(100))
        .map_err(|error| error.said().0)
}

fn publishes(access: &Access, uri: &str, bearer: Option<&str>, channel: &str) -> Result<(), PublishRefused> {
    let identity = identify(access, uri, bearer).expect("no token, or a sound one");
    access.publishes(&identity, &channel.parse().expect("a channel"), at(100))
}

#[test]
fn only_an_embedded_store_on_loopback_is_open() {
    let channel: Channel = "news".parse().expect("a channel");
    for (redis, exposure, channels, reads) in [
        (false, Exposure::Loopback, None, true),
        (false, Exposure::Network, None, false),
        (true, Exposure::Loopback, None, false),
        (true, Exposure::Loopback, Some("news*"), true),
        (false, Exposure::Loopback, Some("sport"), false),
    ] {
        let access = Access::new(&settings(redis, channels, None), exposure);
        let found = access.reads(&Identity::ANYBODY, &channel, at(0)).is_ok();
        assert_eq!(found, reads, "{redis} {exposure:?} {channels:?}");
        assert_eq!(access.advice().is_some(), channels.is_none() && !reads);
    }
    assert_eq!(with_tokens(settings(true, None, None), None).advice(), None);
}

#[test]
fn what_a_token_says_is_kept_for_a_policy_alone() {
    #[derive(Debug)]
    struct Anything;
    impl AccessPolicy for Anything {}
    let token = Signer::Es256.token(&json!({ "tenant": "t", "geo": { "max_area": 5 } }));
    let keeps = |access: &Access| {
        let identity = identify(access, "/", Some(&token)).expect("a sound token");
        assert!(identity.rights().is_some());
        Visitor::new(&identity).claim("tenant").is_some()
    };
    assert!(!keeps(&with_tokens(settings(false, None, None), None)));
    assert!(keeps(&with_tokens(settings(false, None, None), None).asking(Some(Arc::new(Anything)))));
}

#[test]
fn publishing_needs_the_key_where_there_is_one() {
    let open = Access::new(&settings(false, None, None), Exposure::Loopback);
    assert_eq!(publishes(&open, "/", None, "news"), Ok(()));
    let closed = Access::new(&settings(true, Some("*"), None), Exposure::Loopback);
    assert_eq!(publishes(&closed, "/", None, "news"), Err(PublishRefused::Closed));
    let keyed = Access::new(&settings(true, Some("news"), Some("k 1&")), Exposure::Network);
    for (uri, bearer, outcome) in [
        ("/", None, Err(PublishRefused::KeyMissing)),
        ("/", Some("k2"), Err(PublishRefused::KeyWrong)),
        ("/", Some("k 1&"), Ok(())),
        ("/?pwd=k+1%26", None, Ok(())),
        ("/?pwd=k2", None, Err(PublishRefused::KeyWrong)),
        ("/?pwd=", None, Err(PublishRefused::KeyWrong)),
        ("/?pwd=k2", Some("k 1&"), Ok(())),
        // Without keys for tokens, they are passed over.
        ("/?token=a.b.c", None, Err(PublishRefused::KeyMissing)),
        ("/", Some("a.b.c"), Err(PublishRefused::KeyWrong)),
    ] {
        assert_eq!(publishes(&keyed, uri, bearer, "news"), outcome, "{uri} {bearer:?}");
    }
    let other = "sport".parse().expect("a channel");
    assert_eq!(publishes(&keyed, "/", Some("k 1&"), "sport"), Err(PublishRefused::Channel(other)));
}

#[test]
fn a_bearer_is_a_key_or_a_token() {
    let keyed = with_tokens(settings(true, Some("news"), Some("k1")), None);
    let unkeyed = with_tokens(settings(true, Some("news"), None), None);
    let token = Signer::EdDsa.token(&json!({ "pub": ["sport"] }));
    for access in [&keyed, &unkeyed] {
        for uri in [format!("/?token={token}"), format!("/ws?a&access_token={token}")] {
            assert_eq!(publishes(access, &uri, None, "sport"), Ok(()));
            assert_eq!(identify(access, &uri, Some(&token)).expect_err("two"), "token_ambiguous");
        }
        assert_eq!(publishes(access, "/", Some(&token), "sport"), Ok(()));
        assert_eq!(identify(access, "/", Some("a.b.c")).expect_err("none"), "token_refused");
        assert_eq!(identify(access, "/?token=x", None).expect_err("none"), "token_refused");
        let refused = PublishRefused::Token("news".parse().expect("a channel"));
        assert_eq!(publishes(access, "/", Some(&token), "news"), Err(refused));
    }
    assert_eq!(publishes(&keyed, &format!("/?token={token}"), Some("k1"), "news"), Ok(()));
    assert_eq!(publishes(&keyed, &format!("/?token={token}"), Some("k1"), "sport"), Ok(()));
    assert_eq!(publishes(&keyed, &format!("/?token={token}&pwd=k1"), None, "news"), Ok(()));
    assert_eq!(publishes(&keyed, "/", Some("k2"), "news"), Err(PublishRefused::KeyWrong));
    assert_eq!(publishes(&unkeyed, "/", None, "news"), Err(PublishRefused::TokenMissing));
    assert_eq!(identify(&unkeyed, "/", Some("k1")).expect_err("no token"), "token_refused");
}

#[test]
fn a_token_is_the_identity_of_one_request_where_a_dialect_asks() {
    let access = with_tokens(settings(true, None, None), None);
    let token = Signer::Rs256.token(&json!({ "sub": ["a"], "exp": 200 }));
    let channel = "a".parse().expect("a channel");
    let identity = access.identify_token(&token, &Identity::ANYBODY, at(100)).expect("it is sound");
    assert_eq!(access.reads(&identity, &channel, at(100)), Ok(()));
    assert_eq!(identity.expires(), Some(at(230)));
    assert!(access.identify_token(&token, &Identity::ANYBODY, at(230)).is_err());
    let without = Access::new(&settings(true, None, None), Exposure::Network);
    assert!(matches!(without.identify_token(&token, &Identity::ANYBODY, at(100)), Err(TokenError::Unused)));
}
