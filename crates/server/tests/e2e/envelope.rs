//! The one form of everything that the server says.

use std::time::{SystemTime, UNIX_EPOCH};

use geocast_server::AbsentClientReference;
use serde_json::Value;

use crate::{
    client::Client,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    every_envelope_has_the_same_keys_in_the_same_order,
    timestamps_are_milliseconds_as_a_float,
    an_absent_client_reference_can_be_an_empty_string,
    words_are_split_at_any_white_space,
    ping_is_answered_whatever_follows_it,
);

async fn every_envelope_has_the_same_keys_in_the_same_order(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", "{\"a\":1}").await;
    let mut client = Client::connect_raw(server.address, "/ws").await;
    let greeting = client.next_text().await;
    client.send("SUB cars").await;
    server.subscribed(&mut client, "cars").await;
    let mut seen = vec![("greeting", greeting)];
    for (what, command) in [
        ("GET", "GET cars"),
        ("GET of nothing", "GET nothing"),
        ("HGET", "GET cars 1 7"),
        ("HGET of nothing", "GET cars 2"),
        ("PGET", "PGET cars projection=epsg:3857"),
        ("PING", "PING"),
        ("error", "BBOX 1"),
    ] {
        client.send(command).await;
        seen.push((what, client.next_text().await));
    }
    server.publish("cars", "{}").await;
    seen.push(("push", client.next_text().await));
    client.send_together(&["BUFFER 10000 1"]).await;
    client.settled().await;
    server.publish("cars", "{}").await;
    seen.push(("buffer", client.next_text().await));
    for (what, text) in seen {
        let at = |key: &str| text.find(key).unwrap_or_else(|| panic!("{what} without {key}: {text}"));
        let order = [r#"{"source":"#, r#","content":"#].map(at);
        assert_eq!((order[0], order[0] < order[1]), (0, true), "{what}: {text}");
        let (start, reference) = text.rsplit_once(r#","client_reference":"#).expect("a last key");
        assert!(reference.ends_with('}') && !reference.contains(','), "{what}: {text}");
        let (_, timestamp) = start.rsplit_once(r#","timestamp":"#).expect("a last but one key");
        assert!(timestamp.parse::<f64>().is_ok(), "{what}: {text}");
        let envelope: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(envelope.as_object().map(serde_json::Map::len), Some(4), "{what}: {text}");
    }
}

async fn timestamps_are_milliseconds_as_a_float(backend: Backend) {
    let server = TestServer::start(backend).await;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs_f64() * 1e3;
    let mut client = server.subscriber("news", &[]).await;
    for round in 0..20 {
        let before = now();
        client.send("PING").await;
        let pong = client.next().await;
        server.publish("news", "1").await;
        let push = client.next().await;
        for envelope in [pong, push] {
            let timestamp = &envelope["timestamp"];
            assert!(timestamp.is_f64(), "a float: {envelope}");
            let timestamp = timestamp.as_f64().expect("a number");
            // A millisecond either way for what rounding takes.
            assert!((before - 1.0..=now() + 1.0).contains(&timestamp), "round {round}: {envelope}");
        }
    }
}

async fn an_absent_client_reference_can_be_an_empty_string(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.absent_client_reference = AbsentClientReference::Empty;
    })
    .await;
    let mut client = Client::connect_raw(server.address, "/ws").await;
    assert_eq!(client.next().await["client_reference"], "", "the greeting");
    for command in ["PING", "GET nothing", "GET nothing 1", "BBOX 1"] {
        client.send(command).await;
        assert_eq!(client.next().await["client_reference"], "", "{command}");
    }
    client.send("GET nothing client_ref=7").await;
    assert_eq!(client.next().await["client_reference"], "7");
    client.send("SUB news").await;
    server.subscribed(&mut client, "news").await;
    server.publish("news", "1").await;
    assert_eq!(client.next().await["client_reference"], "", "a push");
}

async fn words_are_split_at_any_white_space(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", "1").await;
    let mut client = server.client().await;
    for command in ["  GET   cars 1", "GET\tcars\t1\t", "GET cars\n1\n", "\r\nGET\r\ncars 1\r\n"] {
        client.send(command).await;
        let answer = client.next().await;
        assert_eq!((&answer["source"], &answer["content"]), (&"cars 1".into(), &1.into()), "{command:?}");
    }
}

async fn ping_is_answered_whatever_follows_it(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    for command in ["PING", "PING 1 2 3", "PING a=b", "PING client_ref=x", "PING …"] {
        client.send(command).await;
        let pong = client.next().await;
        assert_eq!((&pong["source"], &pong["content"]), (&"websocket".into(), &"PONG".into()), "{command}");
    }
}
