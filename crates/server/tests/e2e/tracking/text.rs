//! In the text dialect.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::follower::point;
use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    changes_come_in_envelopes,
    boxes_that_replace_each_other_at_once_are_one,
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

/// A map that is dragged says many boxes. Those that another one replaces at once are neither shown nor counted.
async fn boxes_that_replace_each_other_at_once_are_one(backend: Backend) {
    const BOXES: usize = 60;
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.commands_per_second = 2;
        settings.limits.command_burst = 2;
    })
    .await;
    for number in 0..BOXES {
        let key = number.to_string();
        server.put("map", &key, point(&key, number as f64 + 0.5, 5.0)).await;
    }
    let mut client = server.client().await;
    client.send_together(&["SUB map track", "BBOX -10 0 -9 10"]).await;
    client.settled().await;
    let boxes: Vec<String> = (0..BOXES).map(|left| format!("BBOX {left} 0 {} 10", left + 1)).collect();
    let mut commands: Vec<&str> = boxes.iter().map(String::as_str).collect();
    commands.push("PING");
    let begin = Instant::now();
    client.send_together(&commands).await;
    let brought = [client.next_content().await, client.next_content().await];
    // One by one, two in a second, they take half a minute.
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(brought.contains(&json!("PONG")), "{brought:?}");
    let shown = brought.iter().find(|content| content.is_object()).expect("the last box shows something");
    assert_eq!((&shown["change"], &shown["key"]), (&json!("enter"), &json!("59")), "{brought:?}");
    client.expect_nothing(&server).await;
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
