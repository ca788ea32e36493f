//! Clients that read slowly.

use std::{collections::BTreeMap, num::NonZeroUsize, time::Duration};

use geocast_server::{Count, Overflow, Settings};
use serde_json::Value;

use crate::{
    client::Client,
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_client_that_pauses_is_told_the_difference,
    a_client_that_pauses_is_told_the_difference_where_the_oldest_would_be_dropped,
    a_large_state_comes_at_the_pace_of_its_reader,
    what_is_remembered_of_slow_clients_is_bounded,
);

/// Some 800 bytes.
fn feature(key: usize, x: f64, round: usize) -> String {
    let filling = "x".repeat(700);
    format!(
        r#"{{"type":"Feature","id":{key},"geometry":{{"type":"Point","coordinates":[{x:?},5]}},"properties":{{"round":{round},"x":"{filling}"}}}}"#
    )
}

fn small_outbox(settings: &mut Settings) {
    settings.limits.outbox = 256 * 1024;
}

async fn a_client_that_pauses_is_told_the_difference(backend: Backend) {
    pauses(backend, small_outbox).await;
}

async fn a_client_that_pauses_is_told_the_difference_where_the_oldest_would_be_dropped(backend: Backend) {
    pauses(backend, |settings| {
        small_outbox(settings);
        settings.limits.overflow = Overflow::DropOldest;
    })
    .await;
}

async fn pauses(backend: Backend, adjust: impl FnOnce(&mut Settings)) {
    let server = TestServer::start_with(backend, adjust).await;
    let mut slow = RawClient::connect(server.address).await;
    slow.next_frame().await.expect("the greeting");
    for command in ["BBOX 0 0 10 10", "SUB map track", "PING client_ref=begun"] {
        slow.send(frame(TEXT, command.as_bytes())).await;
    }
    slow.next_frame().await.expect("the answer");
    let mut quick = server.client().await;
    quick.send_together(&["BBOX 0 0 10 10", "SUB map track"]).await;
    quick.settled().await;
    let mut quick_map = BTreeMap::new();
    // Far more than sockets and outbox hold.
    for round in 0..150 {
        for key in 0..100 {
            // Keys from 50 on end outside; all were inside in between.
            let x = if key >= 50 && round % 2 == 1 { 50.0 } else { 5.0 };
            server.put("map", &key.to_string(), feature(key, x, round)).await;
        }
        // What was published is on its way when the store has taken it.
        server.heard().await;
        read_up_to(&mut quick, &mut quick_map, &format!("q{round}")).await;
    }
    assert_eq!(quick_map.keys().copied().collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
    slow.send(frame(TEXT, b"PING client_ref=last")).await;
    let mut map = BTreeMap::new();
    let mut told = 0;
    loop {
        let (_, payload) = slow.next_frame().await.expect("the connection is open");
        let envelope: Value = serde_json::from_slice(&payload).expect("an envelope");
        told += 1;
        if take(&mut map, &envelope) == Some("last") {
            break;
        }
    }
    // What it was behind with may come behind the answer.
    while map != quick_map {
        let (_, payload) = slow.next_frame().await.expect("the connection is open");
        take(&mut map, &serde_json::from_slice(&payload).expect("an envelope"));
        told += 1;
    }
    assert!(told < 150 * 100, "{told} messages are not conflated");
    assert!(server.count(Count::WithheldReplaced) > 1_000);
    assert_eq!(server.count(Count::ClosedSlow), 0);
    // It follows again, event by event.
    server.put("map", "1", feature(1, 50.0, 999)).await;
    let (_, payload) = slow.next_frame().await.expect("the connection is open");
    take(&mut map, &serde_json::from_slice(&payload).expect("an envelope"));
    assert!(!map.contains_key(&1));
}

async fn a_large_state_comes_at_the_pace_of_its_reader(backend: Backend) {
    let server = TestServer::start_with(backend, small_outbox).await;
    for key in 0..3_000 {
        server.put("map", &key.to_string(), feature(key, 5.0, 0)).await;
    }
    let mut client = server.client().await;
    client.send("SUB map track").await;
    let mut map = BTreeMap::new();
    while map.len() < 3_000 {
        take(&mut map, &client.next().await);
    }
    server.put("map", "7", feature(7, 5.0, 1)).await;
    take(&mut map, &client.next().await);
    assert_eq!(map[&7], 1);
    assert_eq!(server.count(Count::ClosedSlow), 0);
}

async fn what_is_remembered_of_slow_clients_is_bounded(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        small_outbox(settings);
        settings.workers = NonZeroUsize::MIN;
        // Enough for the state, and for what three have of it.
        settings.limits.tracked_bytes = 400_000;
    })
    .await;
    let put = async |key: usize, round: usize| {
        let id = format!("{key} {}", "x".repeat(1_000));
        let feature = feature(key, 5.0, round).replace(&format!("\"id\":{key}"), &format!("\"id\":\"{id}\""));
        server.put("map", &id, feature).await;
    };
    for key in 0..100 {
        put(key, 0).await;
    }
    let mut slow = Vec::new();
    for number in 0..6 {
        let mut client = RawClient::connect(server.address).await;
        client.next_frame().await.expect("the greeting");
        // Nobody has the same as another one.
        let view = format!("BBOX 0 0 10 {}", 10 + number);
        for command in [&view, "SUB map track", "PING client_ref=begun"] {
            client.send(frame(TEXT, command.as_bytes())).await;
        }
        client.next_frame().await.expect("the answer or a state");
        slow.push(client);
    }
    let mut round = 0;
    // Far more than sockets and outboxes hold.
    while server.count(Count::ClosedSlow) < 3 && round < 500 {
        round += 1;
        for key in 0..100 {
            put(key, round).await;
        }
    }
    assert_eq!(server.count(Count::ClosedSlow), 3);
    // Who comes now waits until less has to be remembered.
    let mut late = server.client().await;
    late.send_together(&["BBOX 0 0 8 8", "SUB map track", "PING client_ref=late"]).await;
    let mut late_map = BTreeMap::new();
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(take(&mut late_map, &late.next().await), Some("late"));
    let mut right = 0;
    for client in &mut slow {
        let mut map = BTreeMap::new();
        while !(map.len() == 100 && map.values().all(|known| *known == round as u64)) {
            let Some((TEXT, payload)) = client.next_frame().await else { break };
            take(&mut map, &serde_json::from_slice(&payload).expect("an envelope"));
        }
        right += usize::from(map.len() == 100 && map.values().all(|known| *known == round as u64));
    }
    assert_eq!(right, 3, "the others are as they have been told");
    while late_map.len() < 100 {
        take(&mut late_map, &late.next().await);
    }
    assert!(late_map.values().all(|known| *known == round as u64), "{late_map:?}");
    assert_eq!(server.count(Count::ClosedSlow), 3);
}

async fn read_up_to(client: &mut Client, map: &mut BTreeMap<u64, u64>, reference: &str) {
    client.send(format!("PING client_ref={reference}")).await;
    while take(map, &client.next().await) != Some(reference) {}
}

/// Takes up a change, strictly, or returns the reference of an answer.
fn take<'a>(map: &mut BTreeMap<u64, u64>, envelope: &'a Value) -> Option<&'a str> {
    let content = &envelope["content"];
    if content == "PONG" {
        return envelope["client_reference"].as_str();
    }
    let number = |key: &str| key.split(' ').next()?.parse().ok();
    let key = &content["key"];
    let key = key.as_u64().or_else(|| number(key.as_str()?)).unwrap_or_else(|| panic!("{envelope}"));
    let round = content["feature"]["properties"]["round"].as_u64();
    match content["change"].as_str() {
        Some("enter") => assert_eq!(map.insert(key, round.expect("a round")), None, "{key} is there"),
        Some("update") => {
            let before =
                map.insert(key, round.expect("a round")).unwrap_or_else(|| panic!("{key} is not there"));
            assert!(Some(before) <= round, "{key}: {before}, then {round:?}");
        }
        Some("leave") => assert!(map.remove(&key).is_some(), "{key} is not there"),
        _ => panic!("{envelope}"),
    }
    None
}
