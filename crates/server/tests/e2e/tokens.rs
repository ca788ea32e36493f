//! Signed tokens: what they open, on every way in, and what is refused without them.

use std::{
    fs,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use geocast_server::{Count, KeyFile, RateLimit, Secret, Settings, TokenSettings};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async_with_config,
    tungstenite::{client::IntoClientRequest, http::HeaderMap},
};

use crate::{
    caller::Caller,
    client::Client,
    http_client::{Response, request},
    server::{Backend, TestServer},
    signing::Signer,
    stores::on_both_stores,
};

mod refused;

on_both_stores!(
    a_token_opens_what_it_names_in_the_text_dialect,
    a_token_opens_what_it_names_in_json_rpc,
    a_token_opens_what_it_names_over_http,
    a_token_may_come_by_any_way,
    a_secret_alone_makes_tokens_possible,
    a_token_gives_nothing_outside_of_the_bound,
    a_key_and_a_token_may_come_together,
    a_connection_ends_when_its_token_expires,
    keys_are_read_again_on_reload,
    connections_with_one_token_share_its_rate,
    publications_with_a_token_keep_to_its_rate,
);

async fn connections_with_one_token_share_its_rate(backend: Backend) {
    let (server, _keys) = start(backend, |settings| {
        settings.limits.token_rate = Some(RateLimit { per_second: 20, burst: 10 });
    })
    .await;
    let token = Signer::Es256.token(&claims(&["team"], &[]));
    let start = Instant::now();
    let pinged = (0..4).map(|_| async {
        let mut client = text(&server, Some(&token)).await;
        client.send_together(&["PING"; 10]).await;
        for _ in 0..10 {
            assert_eq!(client.next_content().await, "PONG");
        }
    });
    futures_util::future::join_all(pinged).await;
    // Ten at once, one more that each had sent already, and the rest at twenty per second.
    assert!(start.elapsed() > Duration::from_millis(1_250), "{:?}", start.elapsed());
    let delayed = server.count(Count::CommandDelayed);
    assert!(delayed > 0);
    let other = Signer::Es256.token(&claims(&["team", "news"], &[]));
    for token in [Some(&*other), None] {
        let mut client = text(&server, token).await;
        for _ in 0..8 {
            client.settled().await;
        }
    }
    assert_eq!(server.count(Count::CommandDelayed), delayed, "others are not held up");
}

async fn publications_with_a_token_keep_to_its_rate(backend: Backend) {
    let (server, _keys) = start(backend, |settings| {
        settings.limits.token_rate = Some(RateLimit { per_second: 1, burst: 5 });
    })
    .await;
    let token = || bearer(&Signer::Es256.token(&claims(&["team"], &["team"])));
    let (hasty, other) = (token(), token());
    let publish =
        async |token: &str, path: &str| request(server.address, "POST", path, &[token], "1").await.status;
    let published = server.count(Count::Published);
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(publish(&hasty, "/api/publish/team").await);
    }
    assert_eq!(statuses[..5], [200; 5], "{statuses:?}");
    assert!(statuses[5..].iter().filter(|status| **status == 429).count() >= 3, "{statuses:?}");
    let taken = statuses.iter().filter(|status| **status == 200).count() as u64;
    assert_eq!(server.count(Count::Published) - published, taken);
    assert_eq!(publish(&hasty, "/channel/team/").await, 429);
    assert_eq!(publish(&other, "/api/publish/team").await, 200, "others are not held up");
}

/// A server on which nobody without a token may read anything but what begins with `open`, and its file of keys.
async fn start(
    backend: Backend,
    adjust: impl FnOnce(&mut Settings),
) -> (TestServer, tempfile::NamedTempFile) {
    let keys = tempfile::NamedTempFile::new().expect("a file");
    fs::write(keys.path(), Signer::jwks()).expect("it can be written");
    let server = TestServer::start_with(backend, |settings| {
        settings.channels = Some("open*".parse().expect("patterns"));
        let mut tokens = TokenSettings::new(vec![KeyFile::Jwks(keys.path().to_owned())]);
        tokens.issuer = Some("the office".to_owned());
        settings.tokens = Some(tokens);
        adjust(settings);
    });
    (server.await, keys)
}

/// Claims of somebody who may read and publish to channels of these patterns for an hour.
fn claims(sub: &[&str], publish: &[&str]) -> Value {
    json!({ "iss": "the office", "exp": now() + 3600, "channels": { "sub": sub, "pub": publish } })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970").as_secs()
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

/// A client of the text dialect, which has taken the greeting.
async fn text(server: &TestServer, token: Option<&str>) -> Client {
    let path = token.map_or_else(|| "/ws".to_owned(), |token| format!("/ws?key=x&token={token}"));
    let mut client = Client::connect_raw(server.address, &path).await;
    assert_eq!(client.next().await["content"]["status"], "open");
    client
}

async fn rpc(server: &TestServer, token: Option<&str>) -> Caller {
    let path = token.map_or_else(|| "/rpc".to_owned(), |token| format!("/rpc?access_token={token}"));
    Caller { client: Client::connect_raw(server.address, &path).await, next: 0 }
}

/// The code of an answer that is an error.
fn code(response: &Response) -> (u16, String) {
    (response.status, response.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
}

/// Publishes, sets and deletes over HTTP; the answers.
async fn write(server: &TestServer, channel: &str, headers: &[&str]) -> [Response; 3] {
    let state = format!("/api/state/{channel}/1");
    [
        request(server.address, "POST", &format!("/api/publish/{channel}"), headers, "1").await,
        request(server.address, "PUT", &state, headers, "2").await,
        request(server.address, "DELETE", &state, headers, "").await,
    ]
}

async fn a_token_opens_what_it_names_in_the_text_dialect(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    server.put("secret/a", "1", "\"there\"").await;
    let right = Signer::Es256.token(&claims(&["secret/*"], &[]));
    let other = Signer::Es256.token(&claims(&["other"], &["secret/*"]));
    for (token, readable) in [(Some(&right), true), (Some(&other), false), (None, false)] {
        let mut client = text(&server, token.map(String::as_str)).await;
        let refused = server.count(Count::ChannelRefused);
        for command in
            ["GET secret/a", "GET secret/a 1", "PGET secret/a", "PGET secret/a 1 7 projection=epsg:3857"]
        {
            client.send(command).await;
            let expected = if readable { json!("there") } else { Value::Null };
            assert_eq!(client.next_content().await, expected, "{command} {token:?}");
        }
        client.send("SUB secret/a").await;
        client.settled().await;
        server.publish("secret/a", "\"news\"").await;
        if readable {
            assert_eq!(client.next_content().await, "news");
        } else {
            client.expect_nothing(&server).await;
        }
        let counted = server.count(Count::ChannelRefused) - refused;
        assert_eq!(counted, if readable { 0 } else { 5 }, "{token:?}");
        // What anybody may read, everybody may.
        client.send("GET open").await;
        assert_eq!(client.next().await["source"], "open");
        assert_eq!(server.count(Count::ChannelRefused) - refused, counted);
    }
}

async fn a_token_opens_what_it_names_in_json_rpc(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    server.put("secret", "1", "\"there\"").await;
    let right = Signer::Rs256.token(&claims(&["secret"], &["secret"]));
    let mut caller = rpc(&server, Some(&right)).await;
    caller.call("subscribe", json!(["secret"])).await;
    assert_eq!(caller.call("get", json!(["secret", "1"])).await["values"], json!(["there"]));
    caller.next += 1;
    let publication =
        json!({ "jsonrpc": "2.0", "id": caller.next, "method": "publish", "params": ["secret", 7] });
    caller.client.send(publication.to_string()).await;
    // The acknowledgement and the push may come in either order.
    let both = [caller.client.next().await, caller.client.next().await];
    assert!(both.iter().any(|said| said["result"]["channel"] == "secret"), "{both:?}");
    assert!(both.iter().any(|said| said["params"]["content"] == 7), "{both:?}");
    let mut witness = text(&server, Some(&right)).await;
    witness.send("SUB secret").await;
    witness.settled().await;
    let other = Signer::Rs256.token(&claims(&["other"], &["other"]));
    let reader = Signer::Rs256.token(&claims(&["*"], &[]));
    for (token, reads) in [(Some(&other), false), (None, false), (Some(&reader), true)] {
        let mut caller = rpc(&server, token.map(String::as_str)).await;
        for (method, params) in [
            ("subscribe", json!(["secret"])),
            ("get", json!(["secret"])),
            ("get", json!(["secret", "1"])),
            ("get", json!({ "channel": "secret", "key": "1", "projection": "epsg:3857" })),
        ] {
            let reply = caller.ask(method, params.clone()).await;
            assert_eq!(reply.get("result").is_some(), reads, "{method} {params}: {reply}");
        }
        for params in [json!(["secret", 1]), json!({ "channel": "secret", "data": 1, "key": "1" })] {
            let (code, _, message) = caller.refused("publish", params).await;
            assert!((-32099..=-32000).contains(&code), "{code} {message}");
        }
    }
    witness.expect_nothing(&server).await;
    witness.send("GET secret 1").await;
    assert_eq!(witness.next_content().await, "there");
}

async fn a_token_opens_what_it_names_over_http(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let reader = Signer::EdDsa.token(&claims(&["secret"], &[]));
    let mut witness = text(&server, Some(&reader)).await;
    witness.send("SUB secret").await;
    witness.settled().await;
    let other = Signer::EdDsa.token(&claims(&["*"], &["other"]));
    for token in [&reader, &other] {
        for response in write(&server, "secret", &[&bearer(token)]).await {
            assert_eq!(code(&response), (403, "channel_refused".to_owned()), "{response:?}");
        }
    }
    for response in write(&server, "secret", &[]).await {
        let expected = match backend {
            // An embedded store on this machine is open as far as `channels` goes.
            Backend::Embedded => (403, "channel_refused".to_owned()),
            Backend::Redis => (401, "token_missing".to_owned()),
        };
        assert_eq!(code(&response), expected, "{response:?}");
    }
    witness.expect_nothing(&server).await;
    let right = Signer::EdDsa.token(&claims(&[], &["sec?et"]));
    for response in write(&server, "secret", &[&bearer(&right)]).await {
        assert_eq!(response.status, 200, "{response:?}");
    }
    assert_eq!(witness.next_content().await, 1);
    assert_eq!(witness.next_content().await, 2);
    assert_eq!(witness.next_content().await["deleted"], true);
}

async fn a_token_may_come_by_any_way(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    server.put("secret", "1", "\"there\"").await;
    for signer in Signer::ALL {
        let token = signer.token(&claims(&["secret"], &["secret"]));
        for (query, name, value) in [
            (format!("?token={token}"), None, String::new()),
            (format!("?access_token={token}&tenant=sbb"), None, String::new()),
            (String::new(), Some("authorization"), format!("Bearer {token}")),
            (String::new(), Some("sec-websocket-protocol"), format!("geocast.text, bearer.{token}")),
        ] {
            let mut request =
                format!("ws://{}/ws{query}", server.address).into_client_request().expect("a request");
            let headers: &mut HeaderMap = request.headers_mut();
            name.map(|name| headers.insert(name, value.parse().expect("a value")));
            let (socket, response) =
                connect_async_with_config(request, None, true).await.expect("the server takes connections");
            assert!(!format!("{response:?}").contains(&token), "a token is not sent back");
            let mut client = Client::from(socket);
            client.next().await;
            client.send("GET secret 1").await;
            assert_eq!(client.next_content().await, "there", "{signer:?} {query} {name:?}");
        }
        let path = format!("/api/publish/secret?access_token={token}");
        assert_eq!(request(server.address, "POST", &path, &[], "1").await.status, 200);
    }
}

async fn a_secret_alone_makes_tokens_possible(backend: Backend) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), [&*Signer::secret(), b"\n"].concat()).expect("it can be written");
    let keys = KeyFile::Secret(file.path().to_owned());
    let (server, _unused) = start(backend, |settings| {
        let mut tokens = TokenSettings::new(vec![keys]);
        tokens.audience = Some("maps".to_owned());
        settings.tokens = Some(tokens);
    })
    .await;
    for (claims, status) in [
        (json!({ "aud": "maps", "sub": "somebody", "pub": ["secret"] }), 200),
        (json!({ "aud": ["other", "maps"], "sub": ["*"], "pub": ["secret"] }), 200),
        (json!({ "aud": "maps", "sub": ["secret"] }), 403),
        (json!({ "aud": "other", "pub": ["secret"] }), 401),
        (json!({ "pub": ["secret"] }), 401),
    ] {
        let unnamed = Signer::Hs256.token_under(&json!({ "alg": "HS256" }), &claims);
        let response =
            request(server.address, "POST", "/api/publish/secret", &[&bearer(&unnamed)], "1").await;
        assert_eq!(response.status, status, "{claims}: {response:?}");
    }
}

async fn a_token_gives_nothing_outside_of_the_bound(backend: Backend) {
    let bound = |settings: &mut Settings| {
        let tokens = settings.tokens.as_mut().expect("there are keys");
        tokens.channels = Some("team_*".parse().expect("patterns"));
    };
    let (server, _keys) = start(backend, bound).await;
    for channel in ["team_a", "secret", "open"] {
        server.put(channel, "1", "\"there\"").await;
    }
    let token = Signer::Hs256.token(&claims(&["*"], &["*"]));
    let mut client = text(&server, Some(&token)).await;
    for (channel, expected) in [("team_a", json!("there")), ("secret", Value::Null), ("open", json!("there"))]
    {
        client.send(format!("GET {channel}")).await;
        assert_eq!(client.next_content().await, expected, "{channel}");
    }
    for (channel, status) in [("team_a", 200), ("secret", 403)] {
        for response in write(&server, channel, &[&bearer(&token)]).await {
            assert_eq!(response.status, status, "{channel}: {response:?}");
        }
    }
}

async fn a_key_and_a_token_may_come_together(backend: Backend) {
    let (server, _keys) =
        start(backend, |settings| settings.publish_key = Some(Secret::new("pass & word"))).await;
    let token = Signer::Hs256.token(&claims(&[], &["secret"]));
    let url = |channel: &str, query: &str| format!("/api/publish/{channel}?{query}");
    for (path, headers, status) in [
        (url("open", "pwd=pass+%26%20word"), vec![], 200),
        (url("open", "pwd=pass"), vec![], 403),
        (url("open", ""), vec![], 401),
        (url("secret", "pwd=pass+%26%20word"), vec![], 403),
        (url("open", "x"), vec!["Authorization: Bearer pass & word".to_owned()], 200),
        (url("secret", "pwd=pass+%26%20word"), vec![bearer(&token)], 200),
        (url("open", "pwd=pass+%26%20word"), vec![bearer(&token)], 200),
        (url("open", ""), vec![bearer(&token)], 403),
        (url("open", &format!("token={token}")), vec!["Authorization: Bearer pass & word".to_owned()], 200),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let response = request(server.address, "POST", &path, &headers, "1").await;
        assert_eq!(response.status, status, "{path} {headers:?}: {response:?}");
        assert!(!response.body.contains("pass"), "{response:?}");
    }
    // The same word opens publishing on a WebSocket.
    let path = "/rpc?pwd=pass+%26%20word";
    let mut caller = Caller { client: Client::connect_raw(server.address, path).await, next: 0 };
    caller.call("publish", json!(["open", 1])).await;
    caller.refused("publish", json!(["secret", 1])).await;
}

/// Clocks may differ by thirty seconds, so a token that is almost that old is over soon: when all has been asked for.
async fn a_connection_ends_when_its_token_expires(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    server.put("secret", "1", "\"there\"").await;
    let mut lasting = claims(&["secret"], &["secret"]);
    lasting["exp"] = json!(now() - 20);
    let token = Signer::Es256.token(&lasting);
    let mut client = text(&server, Some(&token)).await;
    let mut caller = rpc(&server, Some(&token)).await;
    client.send("GET secret 1").await;
    assert_eq!(client.next_content().await, "there");
    caller.call("publish", json!(["secret", 1])).await;
    for socket in [&mut client, &mut caller.client] {
        assert_eq!(u16::from(socket.next_close().await.code), 3010, "it may come back with another token");
    }
    assert_eq!(server.count(Count::ClosedExpired), 2);
}

async fn keys_are_read_again_on_reload(backend: Backend) {
    let (server, keys) = start(backend, |_| ()).await;
    server.put("secret", "1", "\"there\"").await;
    let [old, new] =
        [Signer::Es256, Signer::EdDsa].map(|signer| signer.token(&claims(&["secret"], &["secret"])));
    let mut connected = text(&server, Some(&old)).await;
    let publish = |token: &str| {
        let (address, header) = (server.address, bearer(token));
        async move { request(address, "POST", "/api/publish/secret", &[&header], "1").await.status }
    };
    for broken in ["", "{", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
        fs::write(keys.path(), broken).expect("it can be written");
        assert_eq!(server.reload.run(), 1, "{broken}");
        assert_eq!(publish(&old).await, 200, "{broken}");
    }
    fs::write(keys.path(), json!({ "keys": [Signer::EdDsa.jwk()] }).to_string()).expect("it can be written");
    assert_eq!(server.reload.run(), 0);
    assert_eq!((publish(&old).await, publish(&new).await), (401, 200));
    let close = connected.next_close().await;
    assert_eq!((u16::from(close.code), close.reason.as_str()), (3010, "token no longer accepted"));
}
