//! A program's own access policy, on every way in.

use std::{fs, net::TcpListener, sync::Arc};

use geocast_server::{
    AccessPolicy, Channel, Count, Denial, KeyFile, Settings, TokenSettings, Visitor,
    pipeline::{Body, Context, Filter, FilterError},
};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async_with_config, tungstenite::client::IntoClientRequest};

use crate::{
    caller::Caller,
    client::Client,
    http_client::{refused_upgrade, request},
    pipeline::with_ready,
    redis_server::RedisServer,
    server::{Backend, TestServer},
    signing::Signer,
    stores::on_both_stores,
};

on_both_stores!(
    the_text_dialect_asks,
    a_viewport_asks_for_its_channels,
    json_rpc_asks_and_says_why,
    rohrpost_asks,
    aiows_asks,
    http_asks_and_says_why,
    filters_ask_where_they_publish,
    it_only_refuses,
);

/// Lets nobody in who is not known by the badge in the header, or by the claim in the token, to what is closed; and panics when
/// asked about what is odd.
#[derive(Debug)]
struct Doorman;

impl Doorman {
    fn stumble(name: &str) {
        assert!(!name.starts_with("odd"), "a policy with a fault");
    }

    fn decide(channel: &Channel, visitor: &Visitor<'_>) -> Result<(), Denial> {
        let name = channel.as_str();
        Self::stumble(name);
        if !visitor.address().is_some_and(|address| address.ip().is_loopback() && address.port() > 0) {
            return Err(format!("not from {:?}", visitor.address()).into());
        }
        let staff = visitor.header("X-Badge") == Some("staff")
            || visitor.claim("role").and_then(Value::as_str) == Some("staff");
        if name.starts_with("closed") && !staff {
            return Err(format!("no badge at {}", visitor.path()).into());
        }
        Ok(())
    }
}

impl AccessPolicy for Doorman {
    fn may_read(&self, channel: &Channel, visitor: &Visitor<'_>) -> Result<(), Denial> {
        Self::decide(channel, visitor)
    }

    fn may_publish(&self, channel: &Channel, visitor: &Visitor<'_>) -> Result<(), Denial> {
        Self::decide(channel, visitor)
    }
}

async fn start(backend: Backend, adjust: impl FnOnce(&mut Settings)) -> TestServer {
    let redis = match backend {
        Backend::Embedded => None,
        Backend::Redis => Some(RedisServer::start(&[])),
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let open = |settings: &mut Settings| {
        settings.publish_key = Some(geocast_server::Secret::new("k"));
        adjust(settings);
    };
    TestServer::start_built(listener, redis, open, |builder| builder.access_policy(Doorman)).await
}

/// A client with a badge and the publish key.
async fn staff(server: &TestServer, path: &str) -> Client {
    let mut request = format!("ws://{}{path}", server.address).into_client_request().expect("a request");
    request.headers_mut().insert("x-badge", "staff".parse().expect("a value"));
    request.headers_mut().insert("authorization", "Bearer k".parse().expect("a value"));
    let connected = connect_async_with_config(request, None, true).await;
    Client::from(connected.expect("the server takes connections").0)
}

async fn the_text_dialect_asks(backend: Backend) {
    let server = start(backend, |_| ()).await;
    for channel in ["open", "closed", "odd"] {
        server.put(channel, "1", "\"there\"").await;
    }
    let mut knowing = staff(&server, "/ws").await;
    knowing.next().await;
    let mut client = server.client().await;
    let mut refused = 0;
    for channel in ["closed", "odd"] {
        for command in ["GET {}", "GET {} 1", "PGET {}", "PGET {} 1 7 projection=epsg:3857"] {
            let command = command.replace("{}", channel);
            client.send(&command).await;
            assert_eq!(client.next_content().await, Value::Null, "{command}");
            refused += 1;
            assert_eq!(server.count(Count::ChannelRefused), refused, "{command}");
            client.send(command.replace(channel, "open")).await;
            assert_eq!(client.next_content().await, "there", "{command}");
            if channel == "closed" {
                knowing.send(&command).await;
                assert_eq!(knowing.next_content().await, "there", "{command}");
            }
        }
        client.send(format!("SUB {channel}")).await;
        client.settled().await;
        refused += 1;
        assert_eq!(server.count(Count::ChannelRefused), refused, "SUB {channel}");
    }
    knowing.send("SUB closed").await;
    server.subscribed(&mut knowing, "closed").await;
    client.expect_nothing(&server).await;
}

async fn a_viewport_asks_for_its_channels(backend: Backend) {
    let server = start(backend, |settings| {
        settings.viewport_channels = ["open", "closed"].map(|name| name.parse().expect("a channel")).to_vec();
    })
    .await;
    let mut client = server.client().await;
    client.send("BBOX 0 0 1 1").await;
    server.subscribed(&mut client, "open").await;
    assert_eq!(server.count(Count::ChannelRefused), 1);
    server.publish("closed", "1").await;
    server.publish("open", "2").await;
    assert_eq!(client.next_content().await, 2);
}

async fn json_rpc_asks_and_says_why(backend: Backend) {
    let server = start(backend, |_| ()).await;
    let mut publisher = Caller::publisher(&server, "k").await;
    for (method, params) in [
        ("get", json!({ "channel": "closed" })),
        ("get", json!({ "channel": "closed", "key": "1" })),
        ("publish", json!({ "channel": "closed", "data": 1 })),
        ("publish", json!({ "channel": "closed", "data": 1, "key": "1" })),
        ("subscribe", json!({ "channel": "closed" })),
    ] {
        let (_, reason, message) = publisher.refused(method, params.clone()).await;
        assert_eq!(reason["reason"], "access_denied", "{method}");
        assert!(message.contains("`closed`") && message.ends_with(": no badge at /rpc"), "{message}");
        let odd = json!({ "channel": "odd", "data": 1, "key": "1" });
        let odd = if method == "publish" { odd } else { json!({ "channel": "odd" }) };
        let (_, _, message) = publisher.refused(method, odd).await;
        assert!(message.ends_with(": the access policy failed"), "{message}");
        let mut knowing = Caller { client: staff(&server, "/rpc").await, next: 0 };
        let result = knowing.call(method, params).await;
        assert!(result.is_object(), "{result}");
    }
    assert_eq!((server.count(Count::ChannelRefused), server.count(Count::PublishRefused)), (6, 4));
}

async fn rohrpost_asks(backend: Backend) {
    let keys = tempfile::NamedTempFile::new().expect("a file");
    fs::write(keys.path(), Signer::jwks()).expect("it can be written");
    let server = start(backend, |settings| {
        settings.tokens = Some(TokenSettings::new(vec![KeyFile::Jwks(keys.path().to_owned())]));
    })
    .await;
    let subscribe = |token: Option<String>| {
        let mut request = json!({ "id": 1, "type": "subscribe", "data": { "type": "closed", "id": 5 } });
        if let Some(token) = token {
            request["auth_jwt"] = json!(token);
        }
        request.to_string()
    };
    let denied = r#"{"id":1,"type":"subscribe","error":"ACCESS_DENIED"}"#;
    let mut client = Client::connect_raw(server.address, "/rohrpost/").await;
    assert_eq!(client.ask(&subscribe(None)).await, denied);
    let visitor = Signer::Es256.token(&json!({ "role": "visitor" }));
    assert_eq!(client.ask(&subscribe(Some(visitor))).await, denied);
    // The token of the request says who asks; the connection's request is still known.
    let token = Signer::Es256.token(&json!({ "role": "staff" }));
    let subscribed = r#"{"id":1,"type":"subscribe","data":{"group":"closed-5"}}"#;
    assert_eq!(client.ask(&subscribe(Some(token))).await, subscribed);
    let mut badge = staff(&server, "/rohrpost/").await;
    assert_eq!(badge.ask(&subscribe(None)).await, subscribed);
}

async fn aiows_asks(backend: Backend) {
    let server = start(backend, |_| ()).await;
    for (channel, reason) in [("closed", "no badge at /channel/closed/"), ("odd", "the access policy failed")]
    {
        let response = refused_upgrade(server.address, &format!("/channel/{channel}/"), &[]).await;
        let message = format!("channel `{channel}` may not be read: {reason}");
        assert_eq!(
            (response.status, response.json()),
            (403, json!({ "error": { "code": "channel_refused", "message": message } }))
        );
        let post = request(server.address, "POST", &format!("/channel/{channel}/?pwd=k"), &[], "x").await;
        assert_eq!((post.status, &*post.body), (403, r#""Not authorized""#));
    }
    let mut open = server.aiows("open").await;
    let both = r#"{"open":[{"text":"1"}],"closed":[{"text":"2"}]}"#;
    let broadcast = |headers: &'static [&'static str]| async {
        let answer = request(server.address, "POST", "/broadcast/?pwd=k", headers, both).await;
        (answer.status, answer.body)
    };
    assert_eq!(broadcast(&[]).await, (403, r#""Not authorized""#.to_owned()));
    let mut closed = staff(&server, "/channel/closed/").await;
    while closed.next_text_within(std::time::Duration::from_millis(50)).await.is_none() {
        server.publish("closed", "0").await;
    }
    assert_eq!(broadcast(&["X-Badge: staff"]).await, (201, r#""OK""#.to_owned()));
    assert_eq!(open.next_text().await, "1", "nothing came of the broadcast that was refused");
    while closed.next_text().await != "2" {}
    let post = request(server.address, "POST", "/channel/closed/?pwd=k", &["X-Badge: staff"], "3").await;
    assert_eq!(post.status, 201);
    assert_eq!(closed.next_text().await, "3");
}

async fn http_asks_and_says_why(backend: Backend) {
    let server = start(backend, |_| ()).await;
    let key = "Authorization: Bearer k";
    for (method, path, done) in [
        ("POST", "/api/publish/CHANNEL", 200),
        ("PUT", "/api/state/CHANNEL/1", 200),
        ("DELETE", "/api/state/CHANNEL/1", 200),
    ] {
        for channel in ["closed", "odd"] {
            let path = path.replace("CHANNEL", channel);
            let refused = request(server.address, method, &path, &[key], "1").await;
            let error = &refused.json()["error"];
            assert_eq!((refused.status, &error["code"]), (403, &json!("channel_refused")), "{refused:?}");
            let reason =
                if channel == "odd" { "the access policy failed" } else { &*format!("no badge at {path}") };
            let message = format!("publishing to channel `{channel}` is refused: {reason}");
            assert_eq!(error["message"], message);
        }
        let path = path.replace("CHANNEL", "closed");
        let allowed = request(server.address, method, &path, &[key, "x-badge: staff"], "1").await;
        assert_eq!(allowed.status, done, "{allowed:?}");
    }
    assert_eq!(server.count(Count::PublishRefused), 6);
}

/// Publishes what it is sent on the channel before the colon.
#[derive(Debug)]
struct Bridge;

impl Filter for Bridge {
    fn name(&self) -> &str {
        "bridge"
    }

    fn message(&self, context: &mut Context<'_>, message: &Body) -> Result<(), FilterError> {
        let (channel, text) = message.as_text().and_then(|text| text.split_once(':')).unwrap_or_default();
        let channel = channel.parse().map_err(|error| FilterError::Other(format!("{error}").into()))?;
        context.publish(channel, text)?;
        context.send("done")
    }
}

async fn filters_ask_where_they_publish(backend: Backend) {
    let server = start(backend, |settings| settings.filters = with_ready(&[Arc::new(Bridge)])).await;
    let mut listener = staff(&server, "/ws").await;
    listener.next().await;
    listener.send("SUB closed").await;
    server.subscribed(&mut listener, "closed").await;
    for (mut client, refused) in
        [(Client::connect_raw(server.address, "/pipeline").await, 2), (staff(&server, "/pipeline").await, 3)]
    {
        for message in ["closed:1", "odd:2", "open:3"] {
            assert_eq!(client.ask(message).await, "done");
        }
        assert_eq!(server.count(Count::PublishRefused), refused);
    }
    assert_eq!(listener.next_content().await, 1);
    listener.expect_nothing(&server).await;
}

async fn it_only_refuses(backend: Backend) {
    let server = start(backend, |settings| settings.channels = Some("open".parse().expect("patterns"))).await;
    let mut client = Caller { client: staff(&server, "/rpc").await, next: 0 };
    let (_, _, message) = client.refused("get", json!({ "channel": "closed" })).await;
    assert_eq!(message, "channel `closed` may not be read");
    let (_, _, message) = client.refused("publish", json!({ "channel": "closed", "data": 1 })).await;
    assert!(message.contains("the server's setting `channels`"), "{message}");
    client.call("get", json!({ "channel": "open" })).await;
}
