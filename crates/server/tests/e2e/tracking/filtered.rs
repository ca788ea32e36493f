//! Chosen by properties.

use serde_json::{Value, json};

use super::follower::Follower;
use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_key_leaves_for_what_it_is_or_where_it_is,
    other_filters_send_the_difference,
    clients_share_nothing
);

fn train(id: &str, x: f64, delay: i32) -> String {
    let geometry = json!({ "type": "Point", "coordinates": [x, 5.0] });
    json!({ "type": "Feature", "id": id, "geometry": geometry, "properties": { "delay": delay } }).to_string()
}

fn late(bbox: &Value, least: i32) -> Value {
    json!({ "bbox": bbox, "properties": { "delay": { "min": least } } })
}

async fn a_key_leaves_for_what_it_is_or_where_it_is(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", train("a", 5.0, 60)).await;
    server.put("map", "b", train("b", 5.0, 0)).await;
    let mut follower = Follower::start(&server, None).await;
    let told = follower.after("viewport", late(&json!([0, 0, 10, 10]), 60)).await;
    assert_eq!(told, ["leave b filtered"]);
    for (key, x, delay, told) in [
        ("a", 6.0, 61, "update a"),
        ("b", 5.0, 59, ""),
        ("b", 5.0, 60, "enter b"),
        ("a", 6.0, 0, "leave a filtered"),
        ("a", 50.0, 0, ""),
        ("a", 50.0, 90, ""),
        ("a", 7.0, 90, "enter a"),
        ("a", 50.0, 90, "leave a moved"),
        // Where it is comes first, if it is both.
        ("b", 50.0, 0, "leave b moved"),
        ("c", 10.0, 60, "enter c"),
    ] {
        server.put("map", key, train(key, x, delay)).await;
        let expected: Vec<&str> = Some(told).filter(|told| !told.is_empty()).into_iter().collect();
        assert_eq!(follower.settle().await, expected, "{key} at {x} with {delay}");
    }
    let (channel, notice) = ("map".parse().expect("a channel"), geocast_server::deletion_notice("c"));
    server.store.remove(&channel, "c", notice).await.expect("the store answers");
    assert_eq!(follower.told().await, "leave c deleted");
    // One that was never there for this client goes without a word.
    server.put("map", "d", train("d", 5.0, 0)).await;
    let notice = geocast_server::deletion_notice("d");
    assert!(server.store.remove(&channel, "d", notice).await.expect("the store answers"));
    assert_eq!(follower.settle().await, [""; 0]);
    let withheld = follower.caller.call("session", json!({})).await["withheld"].take();
    assert_eq!(withheld, json!({ "filtered": 3, "outside": 2 }));
}

async fn other_filters_send_the_difference(backend: Backend) {
    let server = TestServer::start(backend).await;
    for (place, delay) in [0, 30, 60, 90].into_iter().enumerate() {
        let key = format!("{delay:02}");
        server.put("map", &key, train(&key, 2.0 + place as f64, delay)).await;
    }
    let mut follower = Follower::start(&server, Some([0.0, 0.0, 10.0, 10.0])).await;
    let bbox = json!([0, 0, 10, 10]);
    assert_eq!(follower.after("viewport", late(&bbox, 60)).await, ["leave 00 filtered", "leave 30 filtered"]);
    assert_eq!(follower.after("viewport", late(&bbox, 60)).await, [""; 0]);
    assert_eq!(follower.after("viewport", late(&bbox, 30)).await, ["enter 30"]);
    // By place and by property at once.
    let told = follower.after("viewport", late(&json!([0, 0, 4, 10]), 0)).await;
    assert_eq!(told, ["enter 00", "leave 90 viewport"]);
    // A pan goes along the edges, and what does not match there does not enter.
    server.put("map", "far", train("far", 11.0, 10)).await;
    follower.after("viewport", late(&json!([0, 0, 10, 10]), 30)).await;
    assert_eq!(follower.keys(), ["30", "60", "90"]);
    assert_eq!(follower.after("viewport", late(&json!([4, 0, 14, 10]), 30)).await, ["leave 30 viewport"]);
    assert_eq!(follower.keys(), ["60", "90"]);
}

async fn clients_share_nothing(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut early = Follower::start(&server, Some([0.0, 0.0, 10.0, 10.0])).await;
    let mut all = Follower::start(&server, Some([0.0, 0.0, 10.0, 10.0])).await;
    let on_time = json!({ "bbox": [0, 0, 10, 10], "properties": { "delay": { "max": 0 } } });
    early.after("viewport", on_time).await;
    for delay in [0, 5, 0] {
        server.put("map", "a", train("a", 5.0, delay)).await;
    }
    assert_eq!(early.settle().await, ["enter a", "leave a filtered", "enter a"]);
    assert_eq!(all.settle().await, ["enter a", "update a", "update a"]);
}
