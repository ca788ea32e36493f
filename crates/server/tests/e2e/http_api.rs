//! HTTP on the port of the WebSockets.

use geocast_server::{ChannelRule, Count, Secret, Settings};
use serde_json::{Value, json};

use crate::{
    client::Client,
    http_client::{Response, get, request},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_publication_reaches_subscribers_byte_for_byte,
    putting_sets_state_and_publishes_in_one_step,
    deleting_removes_state_and_tells_subscribers,
    a_feature_goes_by_the_id_by_which_it_came,
    what_looks_like_a_mistake_is_hinted_at_and_published,
    what_cannot_be_published_is_refused_with_a_reason,
    a_publication_has_a_largest_size,
    a_publish_key_is_demanded,
    a_channel_that_is_not_allowed_cannot_be_written,
    the_server_says_that_it_lives_and_is_ready,
    the_page_says_what_there_is,
    a_websocket_path_asks_for_an_upgrade,
    unknown_addresses_and_methods_are_refused,
);

const KEY: &[&str] = &["Authorization: Bearer open sesame"];

/// With Redis, publishing over HTTP needs a key.
fn with_key(settings: &mut Settings) {
    settings.publish_key = Some(Secret::new("open sesame"));
}

fn expect_error(response: &Response, status: u16, what: &str) {
    assert_eq!(response.status, status, "{what}: {response:?}");
    let error = response.json()["error"].take();
    for part in ["code", "message"] {
        assert!(error[part].as_str().is_some_and(|text| !text.is_empty()), "{what}: {response:?}");
    }
}

async fn a_publication_reaches_subscribers_byte_for_byte(backend: Backend) {
    let server = TestServer::start_with(backend, with_key).await;
    let mut client = server.subscriber("nachrichten/é", &[]).await;
    for body in [r#"{ "b":7.10, "n":12345678901234567890123 }"#, "1", "\"text\"", r#"{"type":"Feature"}"#] {
        let path = "/api/publish/nachrichten%2F%C3%A9";
        let response = request(server.address, "POST", path, KEY, body).await;
        assert_eq!(response.status, 200, "{response:?}");
        let text = client.next_text().await;
        assert!(
            text.starts_with(&format!(r#"{{"source":"nachrichten/é","content":{body},"timestamp":"#)),
            "{text}"
        );
    }
    let response =
        request(server.address, "POST", "/api/publish/nachrichten%2F%C3%A9", KEY, "plain text").await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(client.next_content().await, "plain text");
    assert_eq!(server.count(Count::Published), 5);
    let mut other = server.client().await;
    other.send("GET nachrichten/é").await;
    assert_eq!(other.next_content().await, Value::Null, "what is only published is no state");
}

async fn putting_sets_state_and_publishes_in_one_step(backend: Backend) {
    let server = TestServer::start_with(backend, with_key).await;
    let mut client = server.subscriber("cars", &[]).await;
    for number in 0..20 {
        let response = request(server.address, "PUT", "/api/state/cars/a:1", KEY, number.to_string()).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(client.next_content().await, number);
        client.send("GET cars a:1").await;
        assert_eq!(client.next_content().await, number);
    }
    client.send("GET cars").await;
    assert_eq!(client.next_content().await, 19);
    client.expect_nothing(&server).await;
}

async fn deleting_removes_state_and_tells_subscribers(backend: Backend) {
    let server = TestServer::start_with(backend, with_key).await;
    server.put("cars", "1", "1").await;
    server.put("cars", "2", "2").await;
    let mut client = server.subscriber("cars", &[]).await;
    // A feature of that id which is nowhere: it passes every viewport.
    client.send("BBOX 0 0 1 1").await;
    client.settled().await;
    let response = request(server.address, "DELETE", "/api/state/cars/1", KEY, "").await;
    assert_eq!(response.status, 200, "{response:?}");
    let notice = client.next_content().await;
    assert_eq!((&notice["type"], &notice["id"]), (&json!("Feature"), &json!("1")), "{notice}");
    assert_eq!((&notice["geometry"], &notice["deleted"]), (&Value::Null, &json!(true)), "{notice}");
    client.send("GET cars 1").await;
    assert_eq!(client.next_content().await, Value::Null);
    let response = request(server.address, "DELETE", "/api/state/cars/1", KEY, "").await;
    expect_error(&response, 404, "a key that is not there");
    client.expect_nothing(&server).await;
    client.send("GET cars").await;
    assert_eq!(client.next_content().await, 2);
}

async fn a_feature_goes_by_the_id_by_which_it_came(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        with_key(settings);
        settings.track_keys =
            vec![ChannelRule::parse("trains=train", |name| Ok::<_, String>(name.into())).expect("a rule")];
    })
    .await;
    let put = async |path: &str, feature: &str| {
        let response = request(server.address, "PUT", path, KEY, feature).await;
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["hint"].as_str().map(ToOwned::to_owned)
    };
    let mut client = server.client().await;
    for channel in ["cars", "trains"] {
        client.send(&format!("SUB {channel} track")).await;
    }
    client.settled().await;
    let other = r#"{"type":"Feature","id":"x","geometry":null,"properties":null}"#;
    let hint = put("/api/state/cars/4", other).await.expect("the key is not the id");
    assert!(hint.contains(r#"as "x""#) && hint.contains(r#"key "4""#), "{hint}");
    assert_eq!(put("/api/state/cars/x", other).await, None);
    let train = r#"{"type":"Feature","geometry":null,"properties":{"train":5}}"#;
    assert!(put("/api/state/trains/6", train).await.is_some());
    let changes = async |client: &mut Client, expected: &[(&str, Value)]| {
        for (change, key) in expected {
            let content = client.next_content().await;
            assert_eq!((&content["change"], &content["key"]), (&json!(change), key), "{content}");
        }
    };
    changes(&mut client, &[("enter", json!("x")), ("update", json!("x")), ("enter", json!(5))]).await;
    for path in ["/api/state/cars/4", "/api/state/trains/6"] {
        let response = request(server.address, "DELETE", path, KEY, "").await;
        assert_eq!(response.status, 200, "{response:?}");
    }
    changes(&mut client, &[("leave", json!("x")), ("leave", json!(5))]).await;
}

async fn what_looks_like_a_mistake_is_hinted_at_and_published(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        with_key(settings);
        settings.channel_crs = vec!["swiss*=epsg:2056".parse().expect("a rule")];
    })
    .await;
    let mut client = server.subscriber("cars", &[]).await;
    let feature = |position: &str| {
        format!(r#"{{"type":"Feature","id":7,"geometry":{{"type":"Point","coordinates":[{position}]}}}}"#)
    };
    let hint = async |method: &str, path: &str, body: &str| {
        let response = request(server.address, method, path, KEY, body).await;
        assert_eq!(response.status, 200, "{method} {path} {body}: {response:?}");
        response.json()["hint"].as_str().unwrap_or_default().to_owned()
    };
    let twice = Value::from(feature("8.5,47.4")).to_string();
    for (body, content, expected) in [
        (feature("8.5,47.4"), None, None),
        (feature("951000,6002000"), None, Some("[951000, 6002000], which is not in degrees")),
        (feature("47.4,151.2"), None, Some("151.2 is no latitude")),
        (twice, None, Some("encoded twice")),
        (
            r#"{"id":7,}"#.to_owned(),
            Some(r#"{"id":7,}"#),
            Some("sent as text like any other: key must be a string at line 1 column 9"),
        ),
        ("late".to_owned(), Some("late"), None),
    ] {
        let content = content.map_or_else(|| serde_json::from_str(&body).expect("JSON"), Value::from);
        for (method, path) in [("POST", "/api/publish/cars"), ("PUT", "/api/state/cars/7")] {
            let hint = hint(method, path, &body).await;
            assert!(hint.contains(expected.unwrap_or_default()), "{method} {body}: {hint}");
            assert_eq!(hint.is_empty(), expected.is_none(), "{method} {body}: {hint}");
            assert_eq!(client.next_content().await, content, "{method} {body}");
        }
    }
    let both = hint("PUT", "/api/state/cars/8", &feature("8.5,447.4")).await;
    assert!(
        both.contains("447.4") && both.contains(r#"; tracked subscriptions know this feature as "7""#),
        "{both}"
    );
    for (method, path) in [("POST", "/api/publish/swiss"), ("PUT", "/api/state/swiss/7")] {
        assert_eq!(hint(method, path, &feature("2683000,1248000")).await, "", "{method}");
    }
}

async fn what_cannot_be_published_is_refused_with_a_reason(backend: Backend) {
    let server = TestServer::start_with(backend, with_key).await;
    let mut client = server.subscriber("news", &[]).await;
    let deep = format!("{}1{}", "[".repeat(33), "]".repeat(33));
    let vertices = format!(r#"{{"type":"MultiPoint","coordinates":[{}]}}"#, vec!["[0,0]"; 100_001].join(","));
    let cases = [
        ("POST", "/api/publish/a*b", "1", 400),
        ("POST", "/api/publish/a%20b", "1", 400),
        ("POST", "/api/publish/a%0D%0Ab", "1", 400),
        ("POST", "/api/publish/%00", "1", 400),
        ("POST", "/api/publish/%ff", "1", 400),
        ("PUT", "/api/state/a%5B/1", "1", 400),
        ("PUT", "/api/state/news/%00", "1", 400),
        ("PUT", "/api/state/news/a%20b", "1", 400),
        ("DELETE", "/api/state/a%3F/1", "1", 400),
        ("POST", "/api/publish/news", &deep, 422),
        ("PUT", "/api/state/news/1", &deep, 422),
        ("POST", "/api/publish/news", &vertices, 422),
        ("POST", "/api/publish/news", "", 400),
        ("PUT", "/api/state/news/1", "", 400),
    ];
    for (method, path, body, status) in cases {
        expect_error(&request(server.address, method, path, KEY, body).await, status, path);
    }
    let long = format!("/api/publish/{}", "x".repeat(256));
    expect_error(&request(server.address, "POST", &long, KEY, "1").await, 400, "a long channel name");
    client.expect_nothing(&server).await;
    client.send("GET news").await;
    assert_eq!(client.next_content().await, Value::Null);
    assert_eq!(server.count(Count::Published), 0);
    assert_eq!(server.count(Count::PublishRefused), 15);
}

async fn a_publication_has_a_largest_size(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        with_key(settings);
        settings.limits.publication = 1_000;
    })
    .await;
    let mut client = server.subscriber("news", &[]).await;
    for (method, path) in [("POST", "/api/publish/news"), ("PUT", "/api/state/news/1")] {
        let response = request(server.address, method, path, KEY, "1".repeat(1_001)).await;
        expect_error(&response, 413, "a byte too many");
        let response = request(server.address, method, path, KEY, "1".repeat(1_000)).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert!(client.next_text().await.contains(&"1".repeat(1_000)));
    }
    client.expect_nothing(&server).await;
}

async fn a_publish_key_is_demanded(backend: Backend) {
    let server = TestServer::start_with(backend, with_key).await;
    let mut client = server.subscriber("news", &[]).await;
    let wrong: [(&[&str], u16); 7] = [
        (&[], 401),
        (&["Authorization: Basic b3BlbiBzZXNhbWU="], 401),
        (&["Authorization: open sesame"], 401),
        (&["Authorization: Bearer open sesam"], 403),
        (&["Authorization: Bearer open sesame!"], 403),
        (&["Authorization: Bearer OPEN SESAME"], 403),
        (&["Authorization: Bearer x"], 403),
    ];
    for (headers, status) in wrong {
        for (method, path) in
            [("POST", "/api/publish/news"), ("PUT", "/api/state/news/1"), ("DELETE", "/api/state/news/1")]
        {
            let response = request(server.address, method, path, headers, "1").await;
            expect_error(&response, status, &format!("{method} {headers:?}"));
            assert!(!response.body.contains("sesam"), "{response:?}");
        }
    }
    client.expect_nothing(&server).await;
    let response = request(server.address, "POST", "/api/publish/news?key=x", KEY, "1").await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(client.next_content().await, 1);
}

async fn a_channel_that_is_not_allowed_cannot_be_written(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        with_key(settings);
        settings.channels = Some("news_*".parse().expect("patterns"));
    })
    .await;
    for (method, path) in
        [("POST", "/api/publish/secret"), ("PUT", "/api/state/secret/1"), ("DELETE", "/api/state/secret/1")]
    {
        expect_error(&request(server.address, method, path, KEY, "1").await, 403, path);
    }
    assert_eq!(request(server.address, "POST", "/api/publish/news_de", KEY, "1").await.status, 200);
    // With Redis and no key set, nobody publishes over HTTP; an embedded store on this machine is open.
    let server = TestServer::start(backend).await;
    let response = request(server.address, "POST", "/api/publish/news", &[], "1").await;
    match backend {
        Backend::Embedded => assert_eq!(response.status, 200, "{response:?}"),
        Backend::Redis => assert!([401, 403].contains(&response.status), "{response:?}"),
    }
}

async fn the_server_says_that_it_lives_and_is_ready(backend: Backend) {
    let server = TestServer::start(backend).await;
    for path in ["/live", "/ready"] {
        let response = get(server.address, path).await;
        assert_eq!(response.status, 200, "{path}: {response:?}");
        assert!(response.json().is_object(), "{response:?}");
    }
}

async fn the_page_says_what_there_is(backend: Backend) {
    let server = TestServer::start(backend).await;
    let response = get(server.address, "/").await;
    assert_eq!(response.status, 200, "{response:?}");
    assert!(response.head.contains("content-type: text/html"), "{response:?}");
    for endpoint in ["geocast", "/ws", "/api/publish/", "/api/state/", "/live", "/ready"] {
        assert!(response.body.contains(endpoint), "{endpoint}: {}", response.body);
    }
}

async fn a_websocket_path_asks_for_an_upgrade(backend: Backend) {
    let server = TestServer::start(backend).await;
    for path in ["/ws", "/ws/"] {
        expect_error(&get(server.address, path).await, 426, path);
    }
    let broken = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    let response = request(server.address, "GET", "/ws", &broken, "").await;
    assert!([400, 426].contains(&response.status), "without a key: {response:?}");
}

async fn unknown_addresses_and_methods_are_refused(backend: Backend) {
    let server = TestServer::start_with(backend, with_key).await;
    let reading = "state is read over WebSocket: `GET CHANNEL`";
    let writing = "PUT /api/state/CHANNEL/KEY sets a key";
    for (method, path, said) in [
        ("POST", "/nope", "/api lists what there is"),
        ("POST", "/api/nope", "/api lists what there is"),
        ("POST", "/../etc/passwd", "/api lists what there is"),
        ("POST", "/live/x", "/api lists what there is"),
        ("POST", "/api/publish", writing),
        ("POST", "/api/publish/", writing),
        ("POST", "/api/publish/a/b", "a `/` within CHANNEL or KEY is written %2F"),
        ("POST", "/api/publish/news/", writing),
        ("POST", "/api/state/news", writing),
        ("PUT", "/api/state/news", writing),
        ("PUT", "/api/state/news/", writing),
        ("PUT", "/api/state/news/1/2", writing),
        ("DELETE", "/api/state/news", writing),
        ("GET", "/api/state/news", reading),
        ("GET", "/api/state/news/1/2", reading),
        ("GET", "/api/state", reading),
    ] {
        let response = request(server.address, method, path, KEY, "1").await;
        expect_error(&response, 404, path);
        assert!(response.body.contains(said), "{method} {path}: {response:?}");
    }
    for (method, path, said) in [
        ("GET", "/api/publish/news", writing),
        ("PUT", "/api/publish/news", writing),
        ("POST", "/api/state/news/1", writing),
        ("PATCH", "/api/state/news/1", writing),
        ("GET", "/api/state/news/1", reading),
        ("POST", "/live", "POST is not for this address"),
        ("DELETE", "/ready", "DELETE is not for this address"),
        ("POST", "/api", "POST is not for this address"),
        ("PUT", "/api/channels", "PUT is not for this address"),
    ] {
        let response = request(server.address, method, path, KEY, "1").await;
        expect_error(&response, 405, path);
        assert!(response.body.contains(said), "{method} {path}: {response:?}");
        let tells_what_is = response.body.contains("the header Allow says what is");
        assert_eq!(tells_what_is, said != reading, "{method} {path}: {response:?}");
        assert!(response.head.contains("\nallow: "), "{method} {path}: {response:?}");
    }
}
