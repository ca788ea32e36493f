//! Faults that a review found.

use std::time::Duration;

use geocast_server::{ChannelRule, Count};
use serde_json::{Value, json};

use super::follower::{Follower, point};
use crate::{
    caller::Caller,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_batch_is_answered_before_what_it_brings,
    what_is_collected_holds_up_nobody_who_is_behind,
    what_expires_together_is_told_one_by_one,
    a_view_that_was_asked_for_since_outlives_one_that_fails,
    what_has_no_room_any_more_is_not_shown_where_it_was,
);

async fn a_batch_is_answered_before_what_it_brings(backend: Backend) {
    let server = TestServer::start(backend).await;
    for x in 0..20 {
        let key = format!("{x:02}");
        server.put("map", &key, point(&key, f64::from(x) + 0.5, 5.0)).await;
    }
    let mut caller = Caller::connect(&server).await;
    let call = |id: u32, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let view = |id: u32, left: u32| call(id, "viewport", json!({ "bbox": [left, 0, left + 5, 10] }));
    let batch =
        json!([view(1, 0), call(2, "subscribe", json!({ "channel": "map", "track": true })), view(3, 5)]);
    caller.client.send(batch.to_string()).await;
    let replies = caller.client.next().await;
    assert_eq!(replies.as_array().map(Vec::len), Some(3), "{replies}");
    let mut told = async |number: usize| {
        let mut told = Vec::new();
        for _ in 0..number {
            let push = caller.client.next().await;
            told.push(format!("{} {}", push["method"], push["params"]["key"]).replace('"', ""));
        }
        told.sort();
        let batch = json!([view(4, 7), call(5, "ping", json!([]))]);
        caller.client.send(batch.to_string()).await;
        let replies = caller.client.next().await;
        assert_eq!(replies.as_array().map(Vec::len), Some(2), "{replies}");
        told
    };
    assert_eq!(told(5).await, ["enter 05", "enter 06", "enter 07", "enter 08", "enter 09"]);
    assert_eq!(told(4).await, ["enter 10", "enter 11", "leave 05", "leave 06"]);
}

async fn what_is_collected_holds_up_nobody_who_is_behind(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.outbox = 256 * 1024).await;
    let mut client = server.client().await;
    client.send_together(&["SUB map track", "BUFFER 1000 10000"]).await;
    client.settled().await;
    let filled = |key: &str| {
        let geometry = json!({ "type": "Point", "coordinates": [5, 5] });
        json!({ "type": "Feature", "id": key, "geometry": geometry, "properties": { "x": "x".repeat(1_000) } })
            .to_string()
    };
    // More than may wait when somebody is sent what is missing, and less than is sent early.
    for key in 0..24 {
        let key = key.to_string();
        server.put("map", &key, filled(&key)).await;
    }
    server.heard().await;
    client.send("PROJECTION EPSG:3857").await;
    let mut updates = 0;
    while updates < 24 {
        let envelope = client.next().await;
        let is_update = |envelope: &Value| usize::from(envelope["content"]["change"] == "update");
        match envelope["content"].as_array() {
            Some(envelopes) => updates += envelopes.iter().map(is_update).sum::<usize>(),
            None => updates += is_update(&envelope),
        }
    }
}

async fn what_expires_together_is_told_one_by_one(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.outbox = 128 * 1024;
        let age = |_: &str| Ok::<_, &str>(Duration::from_millis(1_500));
        settings.stale_after = vec![ChannelRule::parse("map=1500ms", age).expect("a rule")];
    })
    .await;
    let mut follower = Follower::start(&server, None).await;
    for key in 0..1_000 {
        let key = key.to_string();
        server.publish("map", point(&key, 5.0, 5.0)).await;
    }
    let before = server.count(Count::WithheldReplaced);
    let mut expired = 0;
    // On a slow machine the first expire before the last have come.
    while expired < 1_000 {
        let told = follower.told().await;
        assert!(told.starts_with("enter ") || told.ends_with(" expired"), "{told}");
        expired += usize::from(told.ends_with(" expired"));
    }
    assert_eq!(server.count(Count::WithheldReplaced), before);
}

async fn a_view_that_was_asked_for_since_outlives_one_that_fails(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    let projection = |id: u32, crs: &str| {
        json!({ "jsonrpc": "2.0", "id": id, "method": "projection", "params": [crs] }).to_string()
    };
    caller.client.send_together(&[&projection(101, "EPSG:2218"), &projection(102, "EPSG:3857")]).await;
    assert_eq!(caller.client.next().await["error"]["data"]["reason"], "projection_failed");
    assert_eq!(caller.client.next().await["id"], 102);
    assert_eq!(caller.call("session", json!([])).await["crs"], "EPSG:3857");
}

async fn what_has_no_room_any_more_is_not_shown_where_it_was(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.tracked_bytes = 20_000).await;
    server.put("map", "a", point("a", 5.0, 5.0)).await;
    let mut follower = Follower::start(&server, None).await;
    let geometry = json!({ "type": "Point", "coordinates": [6, 5] });
    let large =
        json!({ "type": "Feature", "id": "a", "geometry": geometry, "properties": "x".repeat(20_000) });
    server.put("map", "a", large.to_string()).await;
    assert_eq!(follower.told().await, "leave a deleted");
    server.put("map", "a", point("a", 7.0, 5.0)).await;
    assert_eq!(follower.told().await, "enter a");
}
