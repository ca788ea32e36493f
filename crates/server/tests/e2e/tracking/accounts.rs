//! What `session` says of each channel: every event is in one place.

use geocast_server::{Count, Overflow};
use serde_json::{Value, json};

use super::follower::{Follower, feature, point};
use crate::{
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    every_event_of_a_tracked_channel_is_accounted_for,
    keys_above_the_bound_are_accounted_for,
    events_that_were_held_for_a_subscription_are_accounted_for,
    a_slow_client_is_told_what_it_lost_and_where,
);

/// Fails unless everything adds up and is what the node has counted, which has no other client.
fn check(session: &Value, server: &TestServer) {
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{session}"));
    let sum = |counts: &Value| counts.as_object().expect("counts").values().map(number).sum::<u64>();
    let mut granted = 0;
    for account in session["accounts"].as_object().expect("accounts").values() {
        assert_eq!(number(&account["events"]), number(&account["granted"]) + sum(&account["withheld"]));
        granted += number(&account["granted"]);
    }
    let connection = &session["connection"];
    assert_eq!(granted, number(&connection["granted"]), "{session}");
    assert_eq!(2 * granted, sum(connection), "granted is the sum of the others: {session}");
    let withheld = &session["withheld"];
    for (count, reported) in [
        (Count::Delivered, &connection["delivered"]),
        (Count::WithheldOutside, &withheld["outside"]),
        (Count::WithheldReplaced, &withheld["replaced"]),
        (Count::WithheldSlow, &withheld["slow"]),
        (Count::WithheldStill, &withheld["still"]),
        (Count::WithheldUntracked, &withheld["untracked"]),
    ] {
        assert_eq!(server.count(count), reported.as_u64().unwrap_or(0), "{}: {session}", count.name());
    }
}

async fn every_event_of_a_tracked_channel_is_accounted_for(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", point("a", 5.0, 5.0)).await;
    let mut follower = Follower::start(&server, Some([0.0, 0.0, 10.0, 10.0])).await;
    assert_eq!(follower.keys(), ["a"]);
    let start = follower.caller.call("session", json!([])).await;
    let nothing = json!({ "tracked": true, "events": 0, "granted": 0, "withheld": {} });
    assert_eq!(start["accounts"], json!({ "map": nothing }), "state is no event");
    // Inside, outside, inside to outside, outside to outside, back.
    for x in [6.0, 7.0, 50.0, 51.0, 8.0] {
        server.put("map", "a", point("a", x, 5.0)).await;
    }
    server.put("map", "b", point("b", 50.0, 5.0)).await;
    server.put("map", "nowhere", feature("nowhere", &Value::Null)).await;
    assert_eq!(follower.settle().await.len(), 5);
    // Elsewhere; and what a viewport changes is no event either.
    assert_eq!(follower.after("viewport", json!([[40, 0, 60, 10]])).await, ["enter b", "leave a viewport"]);
    server.put("map", "a", point("a", 9.0, 5.0)).await;
    server.put("map", "b", point("b", 55.0, 5.0)).await;
    assert_eq!(follower.settle().await, ["update b"]);
    let session = follower.caller.call("session", json!([])).await;
    let expected = json!({ "tracked": true, "events": 9, "granted": 6, "withheld": { "outside": 3 } });
    assert_eq!(session["accounts"]["map"], expected);
    check(&session, &server);
}

async fn keys_above_the_bound_are_accounted_for(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.tracked_keys = 2).await;
    let mut follower = Follower::start(&server, Some([0.0, 0.0, 10.0, 10.0])).await;
    for key in ["a", "b", "c", "a", "c"] {
        server.put("map", key, point(key, 5.0, 5.0)).await;
    }
    assert_eq!(follower.settle().await, ["enter a", "enter b", "update a"]);
    let session = follower.caller.call("session", json!([])).await;
    let expected = json!({ "tracked": true, "events": 5, "granted": 3, "withheld": { "untracked": 2 } });
    assert_eq!(session["accounts"]["map"], expected);
    check(&session, &server);
}

async fn events_that_were_held_for_a_subscription_are_accounted_for(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = crate::caller::Caller::connect(&server).await;
    caller.call("viewport", json!([[0, 0, 10, 10]])).await;
    caller.call("get", json!(["map"])).await;
    server.publish("map", point("a", 5.0, 5.0)).await;
    server.publish("map", point("b", 50.0, 5.0)).await;
    server.heard().await;
    let request = json!({ "jsonrpc": "2.0", "id": 0, "method": "subscribe", "params": ["map"] });
    caller.client.send(request.to_string()).await;
    assert_eq!(caller.pushed().await["content"]["id"], "a");
    assert_eq!(caller.client.next().await["result"]["channel"], "map");
    let session = caller.call("session", json!([])).await;
    let expected = json!({ "tracked": false, "events": 2, "granted": 1, "withheld": { "outside": 1 } });
    assert_eq!(session["accounts"], json!({ "map": expected }));
    check(&session, &server);
}

async fn a_slow_client_is_told_what_it_lost_and_where(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.outbox = 256 * 1024;
        settings.limits.overflow = Overflow::DropOldest;
    })
    .await;
    let mut slow = RawClient::connect(server.address).await;
    slow.next_frame().await.expect("the greeting");
    for command in ["BBOX 0 0 10 10", "SUB map track", "SUB news", "PING"] {
        slow.send(frame(TEXT, command.as_bytes())).await;
    }
    slow.next_frame().await.expect("the answer");
    // Far more than sockets and outbox hold.
    let news = format!(r#""{}""#, "x".repeat(3_000));
    for round in 0..2_000 {
        let x = if round % 5 == 0 { 50.0 } else { 5.0 };
        let key = (round % 40).to_string();
        let geometry = json!({ "type": "Point", "coordinates": [x, 5.0] });
        server.put("map", &key, feature(&key, &geometry)).await;
        server.publish("news", news.clone()).await;
    }
    server.heard().await;
    // It reads all that waits, and asks then.
    slow.send(frame(TEXT, b"PING")).await;
    while !next(&mut slow).await.contains("PONG") {}
    server.heard().await;
    slow.send(frame(TEXT, br#"{"jsonrpc":"2.0","id":1,"method":"session"}"#)).await;
    let session = loop {
        let text = next(&mut slow).await;
        if text.starts_with(r#"{"jsonrpc""#) {
            break serde_json::from_str::<Value>(&text).expect("JSON")["result"].take();
        }
    };
    check(&session, &server);
    for channel in ["map", "news"] {
        assert_eq!(session["accounts"][channel]["events"], 2_000, "{session}");
    }
    let tracked = &session["accounts"]["map"]["withheld"];
    assert!(tracked["replaced"].as_u64() > Some(100), "{session}");
    assert_eq!(tracked.get("slow"), None, "a tracked client is told the difference instead: {session}");
    assert!(session["connection"]["slow"].as_u64() > Some(100), "{session}");
}

async fn next(client: &mut RawClient) -> String {
    let (_, payload) = client.next_frame().await.expect("the connection is open");
    String::from_utf8(payload).expect("text")
}
