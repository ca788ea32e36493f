//! The rohrpost dialect, byte for byte.

use futures_util::{FutureExt, SinkExt, StreamExt};
use geocast_server::{Count, KeyFile, StoreSettings, TokenSettings};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::Client,
    redis_server::RedisServer,
    server::{Backend, TestServer, patient_redis},
    signing::Signer,
    stores::on_both_stores,
};

on_both_stores!(
    a_subscriber_is_sent_updates,
    a_subscription_ends_with_its_token,
    what_was_published_as_an_update_passes_as_it_is,
    two_ways_in_are_one_channel
);

const SUBSCRIBE: &str = r#"{"id":1,"type":"subscribe","data":{"type":"collection","id":5}}"#;
const SUBSCRIBED: &str = r#"{"id":1,"type":"subscribe","data":{"group":"collection-5"}}"#;

impl TestServer {
    /// A rohrpost client.
    pub(crate) async fn rohrpost(&self) -> Client {
        Client::connect_raw(self.address, "/rohrpost/").await
    }
}

impl Client {
    /// Sends a frame and takes one.
    pub(crate) async fn ask(&mut self, frame: &str) -> String {
        self.send(frame).await;
        self.next_text().await
    }

    /// The next update without its number, which is returned as well.
    pub(crate) async fn next_update(&mut self) -> (u64, String) {
        let update = self.next_text().await;
        let rest = update.strip_prefix(r#"{"id":"#).unwrap_or_else(|| panic!("no update: {update}"));
        let (number, rest) = rest.split_once(',').unwrap_or_else(|| panic!("no update: {update}"));
        (number.parse().expect("a number"), rest.to_owned())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_its_reply() {
    let server = TestServer::start(Backend::Embedded).await;
    for path in ["/rohrpost/", "/rohrpost", "/ws/rohrpost/", "/ws/rohrpost"] {
        let mut client = Client::connect_raw(server.address, path).await;
        for (frame, reply) in [
            ("", r#"{"error":"Received empty message."}"#),
            ("[1]", r#"{"error":"Expected a JSON object as message."}"#),
            ("5", r#"{"error":"Expected a JSON object as message."}"#),
            ("{}", r#"{"error":"Missing required field 'type'."}"#),
            (r#"{"id":1}"#, r#"{"error":"Missing required field 'type'."}"#),
            (r#"{"type":"ping"}"#, r#"{"error":"Missing required field 'id'."}"#),
            (r#"{"id":7,"type":"x"}"#, r#"{"id":7,"type":"x","error":"Unknown message type 'x'."}"#),
            (r#"{"id":7,"type":5}"#, r#"{"id":7,"type":5,"error":"Unknown message type '5'."}"#),
            (r#"{"id":7,"type":"ping"}"#, r#"{"id":7,"type":"pong"}"#),
            (r#"{"id":0,"type":"ping","data":{}}"#, r#"{"type":"pong"}"#),
            (r#"{"id":"","type":"ping","data":[1.0]}"#, r#"{"type":"pong","data":{"data":[1.0]}}"#),
            (r#"{"id":"a","type":"ping","data":{"b":1}}"#, r#"{"id":"a","type":"pong","data":{"b":1}}"#),
            (
                r#"{"id":7,"type":"subscribe"}"#,
                r#"{"id":7,"type":"subscribe","error":"Missing required field 'data'."}"#,
            ),
        ] {
            assert_eq!(client.ask(frame).await, reply, "{path} {frame}");
        }
        let reply = client.ask("{nonsense").await;
        assert!(reply.starts_with(r#"{"error":"Could not decode JSON message. Error: "#), "{reply}");
        client.socket.send(Message::binary(&b"{}"[..])).await.expect("the connection is open");
        assert_eq!(client.next_text().await, r#"{"error":"Received empty message."}"#);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_comes_unasked() {
    let server = TestServer::start(Backend::Embedded).await;
    let mut client = server.rohrpost().await;
    assert_eq!(client.ask(r#"{"id":1,"type":"ping"}"#).await, r#"{"id":1,"type":"pong"}"#);
    assert!(client.socket.next().now_or_never().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_read_is_denied() {
    let server = TestServer::start_with(Backend::Embedded, |settings| {
        settings.channels = Some("news-*".parse().expect("a pattern"));
        settings.limits.subscriptions = 1;
    })
    .await;
    let mut client = server.rohrpost().await;
    assert_eq!(client.ask(SUBSCRIBE).await, r#"{"id":1,"type":"subscribe","error":"ACCESS_DENIED"}"#);
    let with_token = SUBSCRIBE.replace(r#""data""#, r#""auth_jwt":"a.b.\u0007c","data""#);
    assert_eq!(client.ask(&with_token).await, r#"{"id":1,"type":"subscribe","error":"ACCESS_DENIED"}"#);
    let news = |id: u8| format!(r#"{{"id":{id},"type":"subscribe","data":{{"type":"news","id":"{id}"}}}}"#);
    assert_eq!(client.ask(&news(1)).await, r#"{"id":1,"type":"subscribe","data":{"group":"news-1"}}"#);
    assert_eq!(client.ask(&news(1)).await, r#"{"id":1,"type":"subscribe","data":{"group":"news-1"}}"#);
    let full = client.ask(&news(2)).await;
    assert!(full.starts_with(r#"{"id":2,"type":"subscribe","error":"channel `news-2` would be "#), "{full}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_the_identity_for_its_request() {
    let keys = tempfile::NamedTempFile::new().expect("there is a folder for temporary files");
    std::fs::write(keys.path(), Signer::jwks()).expect("it can be written");
    let server = TestServer::start_with(Backend::Embedded, |settings| {
        settings.channels = Some("open-*".parse().expect("a pattern"));
        settings.tokens = Some(TokenSettings::new(vec![KeyFile::Jwks(keys.path().to_owned())]));
    })
    .await;
    let mut client = server.rohrpost().await;
    let with = |claims: Value| {
        let token = Signer::EdDsa.token(&claims);
        SUBSCRIBE.replace(r#""data""#, &format!(r#""auth_jwt":"{token}","data""#))
    };
    let denied = r#"{"id":1,"type":"subscribe","error":"ACCESS_DENIED"}"#;
    assert_eq!(client.ask(SUBSCRIBE).await, denied);
    assert_eq!(client.ask(&with(json!({ "exp": 1, "channels": { "sub": ["*"] } }))).await, denied);
    assert_eq!(client.ask(&with(json!({ "channels": { "sub": ["open-*"] } }))).await, denied);
    assert_eq!(client.ask(&with(json!({ "channels": { "sub": ["collection-*"] } }))).await, SUBSCRIBED);
    let other = SUBSCRIBE.replace(":5", ":6");
    assert_eq!(client.ask(&other).await, denied, "the next request is nobody's again");
    server.publish("collection-5", "1").await;
    client.next_update().await;
    let forged = with(json!({})).replace("\"auth_jwt\":\"", "\"auth_jwt\":\"x");
    assert_eq!(
        client.ask(&forged.replace("collection", "open")).await,
        denied,
        "a bad token is not passed over"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_the_store_refuses_is_answered() {
    let redis = RedisServer::start(&[]);
    let rules = "ACL SETUSER map on >secret ~* resetchannels &open* &__geocast_probe:* +@all";
    assert_eq!(redis.cli(&rules.split(' ').collect::<Vec<_>>()), "OK");
    let url = redis.url().replace("redis://", "redis://map:secret@");
    let server = TestServer::start_on(Some(redis), |settings| {
        settings.store = StoreSettings::Redis(patient_redis(&url));
    })
    .await;
    let mut client = server.rohrpost().await;
    let answer = client.ask(SUBSCRIBE).await;
    let before = r#"{"id":1,"type":"subscribe","error":"the store refused: "#;
    assert!(answer.starts_with(before) && answer.contains("NOPERM"), "{answer}");
    let nameless = SUBSCRIBE.replace(r#""id":1"#, r#""id":"""#).replace(":5", ":6");
    let answer = client.ask(&nameless).await;
    assert!(answer.starts_with(r#"{"type":"subscribe","error":"the store refused: "#), "{answer}");
}

async fn a_subscriber_is_sent_updates(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.rohrpost().await;
    assert_eq!(client.ask(SUBSCRIBE).await, SUBSCRIBED);
    let mut last = 0;
    for (payload, object) in [
        (r#"{"n":7.10}"#, r#"{"n":7.10}"#),
        ("no JSON", r#""no JSON""#),
        (r#"{"type":"create","object":{}}"#, r#"{"type":"create","object":{}}"#),
    ] {
        server.publish("collection-5", payload).await;
        let (number, update) = client.next_update().await;
        assert!(number > last, "{number} follows {last}");
        last = number;
        assert_eq!(
            update,
            format!(
                r#""type":"subscription-update","data":{{"group":"collection-5","type":"update","object":{object}}}}}"#
            )
        );
    }
    let unsubscribe = SUBSCRIBE.replace("subscribe", "unsubscribe");
    let unsubscribed = SUBSCRIBED.replace("subscribe", "unsubscribe");
    assert_eq!(client.ask(&unsubscribe).await, unsubscribed);
    server.publish("collection-5", "1").await;
    server.heard().await;
    assert_eq!(client.ask(&unsubscribe).await, unsubscribed, "nothing came in between");
}

async fn what_was_published_as_an_update_passes_as_it_is(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.rohrpost().await;
    assert_eq!(client.ask(SUBSCRIBE).await, SUBSCRIBED);
    let data = r#"{"group":"collection-5", "type":"delete","object":{"id":1},"more":[]}"#;
    server.publish("collection-5", data).await;
    let (_, update) = client.next_update().await;
    assert_eq!(update, format!(r#""type":"subscription-update","data":{data}}}"#));
    let push = format!(r#"{{"id": 77,"type":"subscription-update","data":{data}}}"#);
    server.publish("collection-5", push.clone()).await;
    assert_eq!(client.next_text().await, push);
    let of_another = data.replace("collection-5", "other-1");
    server.publish("collection-5", of_another.clone()).await;
    let (_, update) = client.next_update().await;
    assert_eq!(
        update,
        format!(
            r#""type":"subscription-update","data":{{"group":"collection-5","type":"update","object":{of_another}}}}}"#
        )
    );
}

async fn two_ways_in_are_one_channel(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut text = server.subscriber("collection-5", &[]).await;
    let mut client = server.rohrpost().await;
    assert_eq!(client.ask(SUBSCRIBE).await, SUBSCRIBED);
    server.publish("collection-5", "7.10").await;
    assert!(text.next_text().await.starts_with(r#"{"source":"collection-5","content":7.10,"timestamp":"#));
    let (_, update) = client.next_update().await;
    assert!(update.ends_with(r#""object":7.10}}"#), "{update}");
}

/// The token of a request may be over before that of the connection, and takes with it what it has limited.
async fn a_subscription_ends_with_its_token(backend: Backend) {
    let keys = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(keys.path(), Signer::jwks()).expect("it can be written");
    let server = TestServer::start_with(backend, |settings| {
        settings.channels = Some("open-*".parse().expect("patterns"));
        settings.tokens = Some(TokenSettings::new(vec![KeyFile::Jwks(keys.path().to_owned())]));
    })
    .await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is past 1970");
    // Clocks may differ by thirty seconds, so this one is over in twelve, and the next one later.
    let token = |exp: u64| {
        let geo = json!({ "within": { "type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]] } });
        Signer::Es256.token(&json!({ "sub": ["secret-*"], "exp": exp, "geo": geo }))
    };
    let (short, long) = (token(now.as_secs() - 18), token(now.as_secs() + 3600));
    let mut client = server.rohrpost().await;
    let subscribe = |kind: &str, token: Option<&str>| {
        let mut request = json!({ "id": 1, "type": "subscribe", "data": { "type": kind, "id": 1 } });
        if let Some(token) = token {
            request["auth_jwt"] = json!(token);
        }
        request.to_string()
    };
    let subscriptions = [
        ("secret", Some(&short)),
        // Whoever asks again in time keeps it.
        ("secret-renewed", Some(&short)),
        ("secret-renewed", Some(&long)),
        ("open", Some(&short)),
        ("open-always", None),
    ];
    for (kind, token) in subscriptions {
        let answer = client.ask(&subscribe(kind, token.map(String::as_str))).await;
        assert!(answer.contains(&format!(r#""data":{{"group":"{kind}-1"}}"#)), "{answer}");
    }
    // What is nowhere is not for those who are limited to a place.
    for group in ["secret-1", "secret-renewed-1", "open-1", "open-always-1"] {
        server.publish(group, r#"{"speed":1}"#).await;
    }
    assert!(client.next_update().await.1.contains("open-always-1"));
    let mut ended = [client.next_update().await.1, client.next_update().await.1];
    ended.sort_unstable();
    let notice = |group: &str| {
        format!(r#""type":"subscription-update","data":{{"group":"{group}","error":"ACCESS_DENIED"}}}}"#)
    };
    assert_eq!(ended, [notice("open-1"), notice("secret-1")]);
    assert_eq!(server.count(Count::SubscriptionEnded), 2);
    // Who may have it without a token may ask for it, and has no limits then.
    let answer = client.ask(&subscribe("open", None)).await;
    assert!(answer.contains(r#""group":"open-1""#), "{answer}");
    let answer = client.ask(&subscribe("secret", Some(&short))).await;
    assert!(answer.contains("ACCESS_DENIED"), "{answer}");
    let inside =
        r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[0.5,0.5]},"properties":null}"#;
    for (group, payload) in [("secret-1", inside), ("secret-renewed-1", inside), ("open-1", r#"{"speed":2}"#)]
    {
        server.publish(group, payload).await;
    }
    for group in ["secret-renewed-1", "open-1"] {
        let (_, update) = client.next_update().await;
        assert!(update.contains(&format!(r#""group":"{group}""#)), "{update}");
    }
}
