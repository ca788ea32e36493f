//! Payloads with a mark for their type, published by somebody who knows no aiows.

use std::num::NonZeroUsize;

use geocast_server::{Count, Overflow, Secret, Settings};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    http_client::request,
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    what_is_marked_arrives_as_what_it_is,
    what_http_accepts_is_delivered,
    what_is_marked_is_no_state_of_a_feature,
);

const FEATURE: &str =
    r#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[50,50]},"properties":{}}"#;

fn keyed(settings: &mut Settings) {
    settings.publish_key = Some(Secret::new("k"));
}

/// Payloads, and what subscribers of the text dialect and of aiows are sent.
fn marked() -> Vec<(Vec<u8>, Value, Message)> {
    let deep = ["[".repeat(40), "]".repeat(40)].concat();
    let strange = b"\xfftext\n\xfe".to_vec();
    let texts = [FEATURE, &deep, "7", "plain"]
        .map(|text| ([&b"\xfftext\n"[..], text.as_bytes()].concat(), Value::from(text), Message::text(text)));
    let bytes = [("7", "Nw=="), ("[1]", "WzFd"), ("", "")].map(|(bytes, base64)| {
        let marked = [&b"\xffbytes\n"[..], bytes.as_bytes()].concat();
        (marked, json!({ "base64": base64 }), Message::binary(bytes.as_bytes().to_vec()))
    });
    let unmarked = (strange.clone(), json!({ "base64": "/3RleHQK/g==" }), Message::binary(strange));
    texts.into_iter().chain(bytes).chain([unmarked]).collect()
}

async fn what_is_marked_arrives_as_what_it_is(backend: Backend) {
    let server = TestServer::start(backend).await;
    // A box passes what is nowhere, so also what only looks like a feature elsewhere.
    let mut aiows = server.aiows("map").await;
    let mut text = server.subscriber("map", &["BBOX 0 0 10 10", "PROJECTION epsg:3857"]).await;
    for (payload, content, message) in marked() {
        let shown = String::from_utf8_lossy(&payload).into_owned();
        assert_eq!(server.brings(&mut text, "map", [payload]).await, [content], "{shown}");
        while aiows.next_message().await != message {}
    }
    assert_eq!(server.count(Count::WithheldTooDeep) + server.count(Count::WithheldOutside), 0);
}

async fn what_http_accepts_is_delivered(backend: Backend) {
    let server = TestServer::start_with(backend, keyed).await;
    let mut client = server.subscriber("map", &[]).await;
    let deep = [[b'['; 40], [b']'; 40]].concat();
    let bearer = "Authorization: Bearer k";
    for (payload, content, _) in marked() {
        let shown = String::from_utf8_lossy(&payload).into_owned();
        for (method, path) in [("POST", "/api/publish/map"), ("PUT", "/api/state/map/a")] {
            let response = request(server.address, method, path, &[bearer], &payload).await;
            assert_eq!(response.status, 200, "{method} {shown}: {response:?}");
            assert_eq!(client.next_content().await, content, "{method} {shown}");
        }
        client.send("GET map a").await;
        assert_eq!(client.next_content().await, content, "GET {shown}");
    }
    for (method, path) in [("POST", "/api/publish/map"), ("PUT", "/api/state/map/a")] {
        assert_eq!(request(server.address, method, path, &[bearer], &deep).await.status, 422, "{method}");
    }
    assert_eq!(server.count(Count::WithheldTooDeep), 0);
}

async fn what_is_marked_is_no_state_of_a_feature(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        // The reader sets the pace, of its own worker: on another one, the other client's events might still be on their way.
        settings.workers = NonZeroUsize::MIN;
        settings.limits.overflow = Overflow::Latest;
        settings.limits.outbox = 64 * 1024;
    })
    .await;
    let filling = "x".repeat(10_000);
    let feature = format!(r#"{{"type":"Feature","id":7,"geometry":null,"properties":{{"x":"{filling}"}}}}"#);
    let mut reader = server.subscriber("map", &[]).await;
    let mut pausing = RawClient::connect(server.address).await;
    pausing.next_frame().await.expect("the greeting");
    for command in ["SUB map", "GET settled"] {
        pausing.send(frame(TEXT, command.as_bytes())).await;
    }
    pausing.next_frame().await.expect("the answer");
    // Whatever the kernel takes for a client that does not read, the outbox is full after this.
    for mark in [&b"\xfftext\n"[..], b"\xffbytes\n"] {
        for _ in 0..500 {
            server.publish("map", [mark, feature.as_bytes()].concat()).await;
            reader.next().await;
        }
    }
    assert!(server.count(Count::WithheldSlow) > 0);
    assert_eq!(server.count(Count::WithheldReplaced), 0);
    for _ in 0..100 {
        server.publish("map", feature.clone()).await;
        reader.next().await;
    }
    assert!(server.count(Count::WithheldReplaced) > 0, "without a mark it is a state");
}
