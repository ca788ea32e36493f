//! BUFFER.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    client::Client,
    positions::{ZURICH, assert_close},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    pushes_are_sent_as_one_envelope_when_there_are_enough,
    pushes_are_sent_as_one_envelope_when_time_is_up,
    an_empty_buffer_is_never_sent,
    replies_with_a_reference_are_never_in_a_buffer,
    buffer_0_0_turns_it_off_and_loses_nothing,
    a_buffer_that_makes_no_sense_changes_nothing,
    what_is_collected_was_filtered_and_projected,
    only_the_one_who_asked_is_buffered,
    state_is_sent_behind_what_was_collected_before_it,
);

fn contents(buffer: &Value) -> Vec<Value> {
    assert_eq!(buffer["source"], "buffer", "{buffer}");
    let envelopes = buffer["content"].as_array().expect("an array");
    envelopes.iter().map(|envelope| envelope["content"].clone()).collect()
}

/// Fails if anything comes. Another command's answer would show it, but a GET would send what is collected.
async fn expect_nothing_yet(server: &TestServer, client: &mut Client) {
    server.heard().await;
    client.send("PING client_ref=yet").await;
    assert_eq!(client.next().await["client_reference"], "yet");
}

async fn pushes_are_sent_as_one_envelope_when_there_are_enough(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &[]).await;
    client.send("BUFFER 60000 3").await;
    client.settled().await;
    for round in 0..3 {
        for payload in ["1", r#"{"b":7.10}"#] {
            server.publish("news", payload).await;
        }
        expect_nothing_yet(&server, &mut client).await;
        server.publish("news", "text").await;
        let text = client.next_text().await;
        let start = r#"{"source":"buffer","content":[{"source":"news","content":1,"timestamp":"#;
        assert!(text.starts_with(start), "round {round}: {text}");
        assert!(text.contains(r#"{"source":"news","content":{"b":7.10},"timestamp":"#), "{text}");
        assert!(text.ends_with(r#","client_reference":null}"#), "{text}");
        let buffer: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(contents(&buffer), [json!(1), json!({"b": 7.1}), json!("text")]);
        assert!(buffer["timestamp"].is_f64(), "{text}");
        for envelope in buffer["content"].as_array().expect("an array") {
            assert_eq!(
                envelope.as_object().map(serde_json::Map::len),
                Some(4),
                "a whole envelope: {envelope}"
            );
            assert!(envelope["timestamp"].is_f64() && envelope["client_reference"].is_null(), "{envelope}");
        }
    }
}

async fn pushes_are_sent_as_one_envelope_when_time_is_up(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &[]).await;
    client.send("BUFFER 200 1000").await;
    client.settled().await;
    for round in 0..2 {
        let start = Instant::now();
        for number in 0..10 {
            server.publish("news", number.to_string()).await;
        }
        let (mut envelopes, mut collected) = (0, 0);
        while collected < 10 {
            collected += contents(&client.next().await).len();
            envelopes += 1;
            // On a machine that takes longer for all ten, there are several.
            let waited = start.elapsed();
            assert!(
                waited >= envelopes * Duration::from_millis(195),
                "{round}: {envelopes} after {waited:?}"
            );
        }
    }
}

async fn an_empty_buffer_is_never_sent(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &[]).await;
    client.send("BUFFER 5 100").await;
    expect_nothing_yet(&server, &mut client).await;
    server.publish("news", "1").await;
    assert_eq!(contents(&client.next().await), [json!(1)]);
    expect_nothing_yet(&server, &mut client).await;
}

async fn replies_with_a_reference_are_never_in_a_buffer(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", "\"car\"").await;
    let mut client = server.subscriber("news", &[]).await;
    client.send("BUFFER 60000 1000").await;
    client.settled().await;
    for (command, source) in [
        ("GET cars client_ref=7", "cars"),
        ("GET cars 1 7", "cars 1"),
        ("PGET cars 1 client_ref=7", "cars 1"),
        ("GET none client_ref=7", "none"),
        ("PING client_ref=7", "websocket"),
    ] {
        client.send(command).await;
        let answer = client.next().await;
        assert_eq!(
            (&answer["source"], &answer["client_reference"]),
            (&json!(source), &json!("7")),
            "{command}"
        );
    }
    client.send("BBOX 1").await;
    client.next_error().await;
}

async fn buffer_0_0_turns_it_off_and_loses_nothing(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut witness = server.subscriber("news", &[]).await;
    let mut client = server.subscriber("news", &["BUFFER 0 0"]).await;
    for _ in 0..2 {
        client.send("BUFFER 60000 1000").await;
        client.settled().await;
        server.publish("news", "1").await;
        server.publish("news", "\"two\"").await;
        witness.until("two").await;
        expect_nothing_yet(&server, &mut client).await;
        client.send("BUFFER 0 0").await;
        assert_eq!(contents(&client.next().await), [json!(1), json!("two")], "what was collected is sent");
        client.settled().await;
        server.publish("news", "3").await;
        assert_eq!(client.next_content().await, 3, "and then everything at once");
    }
}

async fn a_buffer_that_makes_no_sense_changes_nothing(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &[]).await;
    for command in [
        "BUFFER",
        "BUFFER 60000",
        "BUFFER a b",
        "BUFFER -1 5",
        "BUFFER 60000 -5",
        "BUFFER nan 5",
        "BUFFER 1e999 5",
        "BUFFER 60001 5",
        "BUFFER 1000 10001",
    ] {
        client.send(command).await;
        client.next_error().await;
        server.publish("news", "1").await;
        assert_eq!(client.next_content().await, 1, "{command}");
    }
    client.send("BUFFER 60000 2").await;
    for command in ["BUFFER", "BUFFER 0", "BUFFER x 0"] {
        client.send(command).await;
        client.next_error().await;
    }
    server.publish("news", "1").await;
    server.publish("news", "2").await;
    assert_eq!(contents(&client.next().await), [json!(1), json!(2)]);
}

async fn what_is_collected_was_filtered_and_projected(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &["BBOX 5 45 10 50", "PROJECTION epsg:3857"]).await;
    client.send("BUFFER 60000 2").await;
    client.settled().await;
    for x in [80.0, 0.0, 8.55, -8.0, 8.55] {
        server.publish("cars", json!({"type": "Point", "coordinates": [x, 47.37]}).to_string()).await;
    }
    let points = contents(&client.next().await);
    assert_eq!(points.len(), 2);
    for point in points {
        assert_close(&point["coordinates"], ZURICH.mercator);
    }
}

async fn only_the_one_who_asked_is_buffered(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &[]).await;
    client.send("BUFFER 60000 2").await;
    client.settled().await;
    let mut other = server.client().await;
    other.send("SUB news").await;
    other.settled().await;
    // On Redis the channel is taken already, so nothing has to be waited for.
    server.publish("news", "1").await;
    assert_eq!(other.next_content().await, 1);
    server.publish("news", "2").await;
    assert_eq!(other.next_content().await, 2);
    assert_eq!(contents(&client.next().await), [json!(1), json!(2)]);
}

async fn state_is_sent_behind_what_was_collected_before_it(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut witness = server.subscriber("cars", &[]).await;
    let mut client = server.subscriber("cars", &[]).await;
    client.send("BUFFER 60000 1000").await;
    client.settled().await;
    server.put("cars", "1", "\"old\"").await;
    server.put("cars", "1", "\"new\"").await;
    witness.until("new").await;
    expect_nothing_yet(&server, &mut client).await;
    client.send("GET cars 1").await;
    // The other way round a client would take the old state for the newest.
    assert_eq!(contents(&client.next().await), [json!("old"), json!("new")]);
    assert_eq!(client.next_content().await, "new");
}
