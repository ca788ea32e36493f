//! Tracked subscriptions: what enters, changes and leaves.

mod accounts;
mod failover;
mod filtered;
mod follower;
mod min_move;
mod over_redis;
mod pressure;
mod reading;
mod regressions;
mod shards;
mod text;

use std::time::Duration;

use serde_json::{Value, json};

use self::follower::{Follower, feature, point};
use crate::{
    caller::Caller,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    what_is_inside_comes_first_and_then_what_changes,
    what_does_not_hit_the_box_is_not_inside,
    a_pan_sends_the_difference_and_nothing_else,
    another_system_sends_everything_again,
    a_deletion_leaves_whatever_form_the_key_has,
    keys_that_are_not_heard_of_expire,
    a_property_can_be_the_key,
    what_has_no_key_is_a_message,
    a_subscription_can_change_its_kind,
    diffs_are_what_a_map_takes,
    two_clients_with_different_boxes_are_told_different_things,
    what_is_published_while_the_state_is_read_is_not_lost,
);

const BOX: Option<[f64; 4]> = Some([0.0, 0.0, 10.0, 10.0]);

async fn what_is_inside_comes_first_and_then_what_changes(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", point("a", 5.0, 5.0)).await;
    server.put("map", "b", point("b", 50.0, 5.0)).await;
    let mut follower = Follower::start(&server, BOX).await;
    assert_eq!(follower.keys(), ["a"]);
    for (key, x, told) in [
        ("a", 6.0, "update a"),
        ("b", 10.0, "enter b"),
        ("a", 10.001, "leave a moved"),
        ("a", -1.0, ""),
        ("c", 0.0, "enter c"),
        ("a", 1.0, "enter a"),
    ] {
        server.put("map", key, point(key, x, 5.0)).await;
        if !told.is_empty() {
            assert_eq!(follower.told().await, told);
        }
    }
    assert_eq!(follower.settle().await, [""; 0]);
    assert_eq!(follower.keys(), ["a", "b", "c"]);
    assert_eq!(follower.map["b"]["geometry"]["coordinates"], json!([10.0, 5.0]));
}

async fn what_does_not_hit_the_box_is_not_inside(backend: Backend) {
    let server = TestServer::start(backend).await;
    let around = json!({ "type": "LineString", "coordinates": [[-5, 9], [-1, 11], [5, 14]] });
    let across = json!({ "type": "LineString", "coordinates": [[-5, 5], [15, 5]] });
    let covering =
        json!({ "type": "Polygon", "coordinates": [[[-9, -9], [19, -9], [19, 19], [-9, 19], [-9, -9]]] });
    server.put("map", "around", feature("around", &around)).await;
    server.put("map", "across", feature("across", &across)).await;
    server.put("map", "covering", feature("covering", &covering)).await;
    server.put("map", "nowhere", feature("nowhere", &Value::Null)).await;
    let mut follower = Follower::start(&server, BOX).await;
    assert_eq!(follower.keys(), ["across", "covering", "nowhere"]);
    server.put("map", "across", feature("across", &around)).await;
    assert_eq!(follower.told().await, "leave across moved");
    server.put("map", "nowhere", feature("nowhere", &around)).await;
    assert_eq!(follower.told().await, "leave nowhere moved");
    server.put("map", "around", feature("around", &Value::Null)).await;
    assert_eq!(follower.told().await, "enter around");
}

async fn a_pan_sends_the_difference_and_nothing_else(backend: Backend) {
    let server = TestServer::start(backend).await;
    for x in 0..20 {
        let key = format!("{x:02}");
        server.put("map", &key, point(&key, f64::from(x) + 0.5, 5.0)).await;
    }
    let mut follower = Follower::start(&server, BOX).await;
    assert_eq!(follower.keys().len(), 10);
    let told = follower.after("viewport", json!({ "bbox": [2, 0, 12, 10] })).await;
    assert_eq!(told, ["enter 10", "enter 11", "leave 00 viewport", "leave 01 viewport"]);
    // To the same place in another system: nothing changes.
    let same = json!({ "bbox": [222639, 0, 1335833, 1118889], "crs": "EPSG:3857" });
    assert_eq!(follower.after("viewport", same).await, [""; 0]);
    let told = follower.after("viewport", json!({ "bbox": [100, 0, 112, 10] })).await;
    assert_eq!(told.len(), 10);
    assert!(follower.map.is_empty());
    assert_eq!(follower.after("viewport", json!({})).await.len(), 20);
    let told = follower.after("viewport", json!({ "bbox": [0, 0, 1, 10] })).await;
    assert_eq!(told.len(), 19);
    assert_eq!(follower.keys(), ["00"]);
}

async fn another_system_sends_everything_again(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", point("a", 7.5, 46.5)).await;
    server.put("map", "b", point("b", 8.5, 47.5)).await;
    // No finite coordinates in Web Mercator.
    server.put("map", "pole", point("pole", 8.5, 90.5)).await;
    let mut follower = Follower::start(&server, None).await;
    assert_eq!(follower.keys(), ["a", "b", "pole"]);
    let told = follower.after("projection", json!({ "crs": "EPSG:3857" })).await;
    assert_eq!(told, ["leave pole viewport", "update a", "update b"]);
    let x = follower.map["a"]["geometry"]["coordinates"][0].as_f64().expect("a number");
    assert!((x - 834_896.18).abs() < 0.01, "{x}");
    server.put("map", "b", point("b", 8.5, 91.0)).await;
    assert_eq!(follower.told().await, "leave b moved");
    let told = follower.after("projection", json!({ "crs": "EPSG:4326" })).await;
    assert_eq!(told, ["enter b", "enter pole", "update a"]);
    assert_eq!(follower.map["a"]["geometry"]["coordinates"], json!([7.5, 46.5]));
}

async fn a_deletion_leaves_whatever_form_the_key_has(backend: Backend) {
    let server = TestServer::start(backend).await;
    let number = r#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[1,2]}}"#;
    server.put("map", "7", number).await;
    server.put("map", "x", point("x", 1.0, 1.0)).await;
    let mut follower = Follower::start(&server, BOX).await;
    for key in ["7", "x"] {
        let (channel, notice) = ("map".parse().expect("a channel"), geocast_server::deletion_notice(key));
        assert!(server.store.remove(&channel, key, notice).await.expect("the store answers"));
        assert_eq!(follower.told().await, format!("leave {key} deleted"));
    }
    // What nobody knew leaves nobody.
    server.publish("map", geocast_server::deletion_notice("y")).await;
    server.put("map", "x", point("x", 1.0, 1.0)).await;
    assert_eq!(follower.told().await, "enter x");
    assert_eq!(Follower::start(&server, BOX).await.keys(), ["x"]);
}

async fn keys_that_are_not_heard_of_expire(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        let age = |_: &str| Ok::<_, &str>(Duration::from_secs(5));
        settings.stale_after = vec![geocast_server::ChannelRule::parse("m*=5s", age).expect("a rule")];
    })
    .await;
    let mut follower = Follower::start(&server, BOX).await;
    server.publish("map", point("a", 5.0, 5.0)).await;
    server.publish("map", point("b", 5.0, 5.0)).await;
    assert_eq!([follower.told().await, follower.told().await], ["enter a", "enter b"]);
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.publish("map", point("a", 5.0, 5.0)).await;
    }
    let told = follower.settle().await;
    assert_eq!(told.iter().filter(|told| *told == "update a").count(), 8, "{told:?}");
    assert!(told.contains(&"leave b expired".to_owned()), "{told:?}");
    assert_eq!(follower.told().await, "leave a expired");
}

async fn a_property_can_be_the_key(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.track_keys = vec!["map=train_id".parse().expect("a rule")];
    })
    .await;
    let train = |x: f64| {
        let geometry = json!({ "type": "Point", "coordinates": [x, 5.0] });
        json!({ "type": "Feature", "geometry": geometry, "properties": { "train_id": "s4" } }).to_string()
    };
    server.put("map", "s4", train(5.0)).await;
    let mut follower = Follower::start(&server, BOX).await;
    assert_eq!(follower.keys(), ["s4"]);
    server.put("map", "s4", train(15.0)).await;
    assert_eq!(follower.told().await, "leave s4 moved");
    server.put("map", "s4", train(9.0)).await;
    assert_eq!(follower.told().await, "enter s4");
    let (channel, notice) = ("map".parse().expect("a channel"), geocast_server::deletion_notice("s4"));
    server.store.remove(&channel, "s4", notice).await.expect("the store answers");
    assert_eq!(follower.told().await, "leave s4 deleted");
}

async fn what_has_no_key_is_a_message(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut follower = Follower::start(&server, BOX).await;
    let keyless =
        |x: f64| format!(r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":[{x:?},5]}}}}"#);
    server.publish("map", keyless(50.0)).await;
    server.publish("map", keyless(5.0)).await;
    assert_eq!(follower.caller.pushed().await["content"]["geometry"]["coordinates"], json!([5.0, 5]));
    server.publish("map", "no JSON").await;
    assert_eq!(follower.caller.pushed().await["content"], "no JSON");
}

async fn a_subscription_can_change_its_kind(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", point("a", 5.0, 5.0)).await;
    let mut caller = Caller::connect(&server).await;
    caller.call("subscribe", json!(["map"])).await;
    server.put("map", "a", point("a", 6.0, 5.0)).await;
    assert_eq!(caller.pushed().await["content"]["id"], "a");
    caller.call("subscribe", json!({ "channel": "map", "track": true })).await;
    assert_eq!(caller.client.next().await["method"], "enter");
    server.put("map", "a", point("a", 7.0, 5.0)).await;
    assert_eq!(caller.client.next().await["method"], "update");
    caller.call("subscribe", json!(["map"])).await;
    server.put("map", "a", point("a", 8.0, 5.0)).await;
    assert_eq!(caller.pushed().await["content"]["id"], "a");
    caller.call("subscribe", json!({ "channel": "map", "track": true })).await;
    assert_eq!(caller.client.next().await["method"], "enter");
    caller.call("unsubscribe", json!(["map"])).await;
    server.put("map", "a", point("a", 9.0, 5.0)).await;
    server.heard().await;
    assert_eq!(caller.call("ping", json!({})).await, "pong");
}

async fn diffs_are_what_a_map_takes(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", point("a", 5.0, 5.0)).await;
    let mut caller = Caller::connect(&server).await;
    caller.call("viewport", json!({ "bbox": [0, 0, 10, 10] })).await;
    let params = json!({ "channel": "map", "track": true, "format": "maplibre" });
    caller.call("subscribe", params).await;
    let mut diff = async || {
        let push = caller.client.next().await;
        assert_eq!((&push["method"], &push["params"]["source"]), (&json!("diff"), &json!("map")), "{push}");
        push["params"]["diff"].clone()
    };
    let feature: Value = serde_json::from_str(&point("a", 5.0, 5.0)).expect("JSON");
    assert_eq!(diff().await, json!({ "add": [feature] }));
    server.put("map", "a", point("a", 6.0, 5.0)).await;
    assert_eq!(
        diff().await,
        json!({ "update": [{
            "id": "a",
            "newGeometry": { "type": "Point", "coordinates": [6.0, 5.0] },
            "removeAllProperties": true,
            "addOrUpdateProperties": [{ "key": "name", "value": "a" }],
        }] })
    );
    server.put("map", "a", point("a", 16.0, 5.0)).await;
    assert_eq!(diff().await, json!({ "remove": ["a"] }));
}

async fn two_clients_with_different_boxes_are_told_different_things(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut west = Follower::start(&server, Some([-10.0, 0.0, 0.0, 10.0])).await;
    let mut east = Follower::start(&server, Some([0.0, 0.0, 10.0, 10.0])).await;
    let mut all = Follower::start(&server, None).await;
    for x in [-5.0, 0.0, 5.0, 50.0, -5.0] {
        server.put("map", "a", point("a", x, 5.0)).await;
    }
    assert_eq!(west.settle().await, ["enter a", "update a", "leave a moved", "enter a"]);
    assert_eq!(east.settle().await, ["enter a", "update a", "leave a moved"]);
    assert_eq!(all.settle().await, ["enter a", "update a", "update a", "update a", "update a"]);
}

async fn what_is_published_while_the_state_is_read_is_not_lost(backend: Backend) {
    let server = TestServer::start(backend).await;
    for key in 0..500 {
        let key = key.to_string();
        server.put("map", &key, point(&key, 5.0, 5.0)).await;
    }
    // Everybody else begins while keys go in and out.
    let moving = async {
        for round in 0..6 {
            for key in 0..100 {
                let (key, x) = (key.to_string(), if round % 2 == 0 { 50.0 } else { 5.0 });
                server.put("map", &key, point(&key, x, f64::from(round))).await;
            }
        }
    };
    let mut followers = Vec::new();
    let starting = async {
        for _ in 0..10 {
            followers.push(Follower::start(&server, BOX).await);
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    tokio::join!(moving, starting);
    let last = json!([5.0, 5.0]);
    let is_last = |feature: &Value| feature["geometry"]["coordinates"] == last;
    for follower in &mut followers {
        // What Redis publishes may take its time on a machine that is busy.
        for _ in 0..50 {
            follower.settle().await;
            if follower.map.values().filter(|feature| is_last(feature)).count() == 500 {
                break;
            }
        }
        assert_eq!(follower.map.len(), 500);
        assert!(follower.map.values().all(is_last), "{:?}", follower.map);
    }
}
