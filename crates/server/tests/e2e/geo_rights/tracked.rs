//! Tracked subscriptions: what leaves the area leaves the client.

use serde_json::{Value, json};

use super::{OUTSIDE, mixed, outside, point, rpc, start, text, within};
use crate::{
    caller::Caller,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_key_leaves_with_the_area,
    a_pan_shows_nothing_that_is_outside,
    the_text_dialect_says_so_as_well,
    without_a_viewport_there_is_nothing_where_its_size_is_limited,
);

/// What was told until now, in short.
pub(super) async fn told(server: &TestServer, caller: &mut Caller) -> Vec<String> {
    server.heard().await;
    caller.next += 1;
    let id = caller.next;
    caller.client.send(json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }).to_string()).await;
    let mut told = Vec::new();
    loop {
        let message = caller.client.next().await;
        if message["id"] == id {
            told.sort();
            return told;
        }
        assert!(!message.to_string().contains(OUTSIDE), "{message}");
        let params = &message["params"];
        let reason = params["reason"].as_str().map(|reason| format!(" {reason}")).unwrap_or_default();
        let key = params["key"].as_str().unwrap_or("-");
        told.push(format!("{} {key}{reason}", message["method"].as_str().expect("a method")));
    }
}

async fn a_key_leaves_with_the_area(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    for payload in outside() {
        let id = serde_json::from_str::<Value>(&payload)
            .ok()
            .and_then(|value| Some(value["id"].as_str()?.to_owned()));
        server.put("map", id.as_deref().unwrap_or("x"), payload).await;
    }
    server.put("map", "a", point("a", 1.0)).await;
    server.put("map", "b", point("b", 20.125)).await;
    for (bbox, reason) in
        [(None, "access"), (Some([0, 0, 10, 10]), "access"), (Some([0, 0, 90, 10]), "access")]
    {
        let mut caller = rpc(&server, &within()).await;
        if let Some(bbox) = bbox {
            caller.call("viewport", json!({ "bbox": bbox })).await;
        }
        caller.call("subscribe", json!({ "channel": "map", "track": true })).await;
        assert_eq!(told(&server, &mut caller).await, ["enter a"]);
        server.put("map", "a", point("a", 20.125)).await;
        assert_eq!(told(&server, &mut caller).await, [format!("leave a {reason}")]);
        server.put("map", "a", point("a", 21.125)).await;
        server.put("map", "b", point("b", 2.0)).await;
        assert_eq!(told(&server, &mut caller).await, ["enter b"]);
        for payload in outside().into_iter().chain([mixed()]) {
            server.publish("map", payload).await;
        }
        server.put("map", "b", point("b", 3.0)).await;
        server.put("map", "a", point("a", 1.0)).await;
        let told = told(&server, &mut caller).await;
        assert!(
            told.starts_with(&["enter a".to_owned()]) && told.ends_with(&["update b".to_owned()]),
            "{told:?}"
        );
        // The collection has no key, so it is a message; what is outside of it is not in it.
        assert_eq!(told.len(), 3, "{told:?}");
        server.put("map", "b", point("b", 20.125)).await;
    }
}

async fn a_pan_shows_nothing_that_is_outside(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    for (key, x) in [("a", 1.0), ("b", 9.0), ("c", 20.125)] {
        server.put("map", key, point(key, x)).await;
    }
    let mut caller = rpc(&server, &within()).await;
    caller.call("viewport", json!({ "bbox": [0, 0, 5, 5] })).await;
    caller.call("subscribe", json!({ "channel": "map", "track": true })).await;
    assert_eq!(told(&server, &mut caller).await, ["enter a"]);
    for (bbox, expected) in [
        (json!([0, 0, 30, 5]), vec!["enter b"]),
        (json!([8, 0, 30, 5]), vec!["leave a viewport"]),
        (json!([15, 0, 30, 5]), vec!["leave b viewport"]),
        (json!([0, 0, 30, 5]), vec!["enter a", "enter b"]),
        (Value::Null, vec![]),
    ] {
        let params = if bbox.is_null() { json!({}) } else { json!({ "bbox": bbox }) };
        caller.call("viewport", params).await;
        assert_eq!(told(&server, &mut caller).await, expected, "{bbox}");
    }
    caller.call("projection", json!({ "crs": "EPSG:3857" })).await;
    assert_eq!(told(&server, &mut caller).await, ["update a", "update b"]);
}

async fn the_text_dialect_says_so_as_well(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    server.put("map", "a", point("a", 1.0)).await;
    server.put("map", "b", point("b", 20.125)).await;
    for (command, entered, left) in [
        ("SUB map track", "feature", json!({ "change": "leave", "key": "a", "reason": "access" })),
        ("SUB map track maplibre", "add", json!({ "remove": ["a"] })),
    ] {
        let mut client = text(&server, &within()).await;
        client.send(command).await;
        let content = client.next_content().await;
        assert!(content.get(entered).is_some(), "{content}");
        server.put("map", "a", point("a", 20.125)).await;
        assert_eq!(client.next_content().await, left);
        client.expect_nothing(&server).await;
        server.put("map", "a", point("a", 1.0)).await;
        assert!(client.next_content().await.get(entered).is_some());
    }
}

async fn without_a_viewport_there_is_nothing_where_its_size_is_limited(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    server.put("map", "a", point("a", 1.0)).await;
    server.put("map", "b", point("b", 20.125)).await;
    let mut caller = rpc(&server, &json!({ "max_area": 20_000 })).await;
    caller.call("subscribe", json!({ "channel": "map", "track": true })).await;
    assert_eq!(told(&server, &mut caller).await, [""; 0]);
    server.put("map", "a", point("a", 1.5)).await;
    assert_eq!(told(&server, &mut caller).await, [""; 0]);
    caller.call("viewport", json!({ "bbox": [1, 0.5, 2, 1.5] })).await;
    assert_eq!(told(&server, &mut caller).await, ["enter a"]);
    caller.refused("viewport", json!({ "bbox": [0, 0, 90, 90] })).await;
    assert_eq!(told(&server, &mut caller).await, [""; 0]);
    server.put("map", "a", point("a", 1.75)).await;
    assert_eq!(told(&server, &mut caller).await, ["update a"], "the old one stays");
    caller.call("viewport", json!({ "bbox": [1.25, 0.5, 2.25, 1.5] })).await;
    assert_eq!(told(&server, &mut caller).await, [""; 0]);
    caller.call("viewport", json!({})).await;
    assert_eq!(told(&server, &mut caller).await, ["leave a viewport"]);
}
