//! In the text dialect.

use serde_json::{Value, json};

use super::follower::point;
use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    changes_come_in_envelopes,
    what_changes_is_collected,
    what_was_collected_comes_before_the_end_of_its_subscription,
);

async fn changes_come_in_envelopes(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", point("a", 5.0, 5.0)).await;
    let mut client = server.client().await;
    client.send_together(&["SUB map track", "BBOX 0 0 10 10"]).await;
    let text = client.next_text().await;
    let feature: Value = serde_json::from_str(&point("a", 5.0, 5.0)).expect("JSON");
    let start = r#"{"source":"map","content":{"change":"enter","key":"a","feature":"#;
    assert!(text.starts_with(start) && text.ends_with(r#","client_reference":null}"#), "{text}");
    let envelope: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(envelope["content"]["feature"], feature);
    server.put("map", "a", point("a", 15.0, 5.0)).await;
    assert_eq!(client.next_content().await, json!({ "change": "leave", "key": "a", "reason": "moved" }));
    client.send("BBOX 10 0 20 10").await;
    assert_eq!(client.next_content().await["change"], "enter");
    client.send("DEL map").await;
    client.settled().await;
    server.put("map", "a", point("a", 16.0, 5.0)).await;
    client.send("SUB map track maplibre").await;
    assert_eq!(client.next_content().await["add"][0]["id"], "a");
    client.send("SUB map track geojson").await;
    assert_eq!(client.next_error().await["content"]["error"]["code"], "bad_format");
}

async fn what_changes_is_collected(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    client.send("SUB map track").await;
    client.settled().await;
    client.send("BUFFER 0 3").await;
    client.settled().await;
    for (key, x) in [("a", 1.0), ("b", 2.0), ("a", 3.0), ("b", 4.0), ("a", 5.0)] {
        server.put("map", key, point(key, x, 5.0)).await;
    }
    let envelope = client.next().await;
    assert_eq!(envelope["source"], "buffer");
    let changes = |envelope: &Value| -> Vec<String> {
        let envelopes = envelope["content"].as_array().expect("envelopes");
        envelopes
            .iter()
            .map(|one| format!("{} {}", one["content"]["change"], one["content"]["key"]))
            .collect()
    };
    assert_eq!(changes(&envelope), [r#""enter" "a""#, r#""enter" "b""#, r#""update" "a""#]);
    // The last of them may still be on its way.
    server.heard().await;
    // What a viewport changes comes behind what was collected before.
    client.send("BBOX 0 0 4.5 10").await;
    assert_eq!(changes(&client.next().await), [r#""update" "b""#, r#""update" "a""#]);
    assert_eq!(client.next_content().await, json!({ "change": "leave", "key": "a", "reason": "viewport" }));
}

async fn what_was_collected_comes_before_the_end_of_its_subscription(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    client.send("SUB map track").await;
    client.settled().await;
    client.send("BUFFER 5000 100").await;
    client.settled().await;
    server.put("map", "a", point("a", 1.0, 5.0)).await;
    server.heard().await;
    client.send_together(&["DEL map", "PING"]).await;
    let collected = client.next().await;
    assert_eq!(collected["content"][0]["content"]["change"], "enter", "{collected}");
    assert_eq!(client.next_content().await, "PONG");
}
