//! `client_reference`, by which clients match answers to what they asked.

use serde_json::{Value, json};

use crate::{
    client::Client,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    answers_repeat_the_reference_and_name_their_source,
    every_value_of_a_get_carries_the_reference,
    a_reference_is_repeated_as_it_was_written,
    pushes_have_no_reference,
    references_do_not_mix,
);

async fn answers_repeat_the_reference_and_name_their_source(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "a", "1").await;
    let mut client = server.client().await;
    for (command, source, content, reference) in [
        ("GET cars", "cars", json!(1), Value::Null),
        ("GET cars client_ref=7", "cars", json!(1), json!("7")),
        ("GET client_ref=7 cars", "cars", json!(1), json!("7")),
        ("GET cars a", "cars a", json!(1), Value::Null),
        ("GET cars a 7", "cars a", json!(1), json!("7")),
        ("GET cars a client_ref=7", "cars a", json!(1), json!("7")),
        ("GET none client_ref=7", "none", Value::Null, json!("7")),
        ("GET cars b 7", "cars b", Value::Null, json!("7")),
        ("GET cars b client_ref=7", "cars b", Value::Null, json!("7")),
        ("PGET cars client_ref=7", "cars", json!(1), json!("7")),
        ("PGET cars a 7", "cars a", json!(1), json!("7")),
        ("PGET cars a 7 projection=epsg:3857", "cars a", json!(1), json!("7")),
        ("PGET cars a projection=epsg:3857 client_ref=7", "cars a", json!(1), json!("7")),
        ("PING client_ref=7", "websocket", json!("PONG"), json!("7")),
    ] {
        client.send(command).await;
        let answer = client.next().await;
        assert_eq!(answer["source"], source, "{command}");
        assert_eq!(answer["content"], content, "{command}");
        assert_eq!(answer["client_reference"], reference, "{command}");
    }
    client.expect_nothing(&server).await;
}

async fn every_value_of_a_get_carries_the_reference(backend: Backend) {
    let server = TestServer::start(backend).await;
    for key in ["1", "2", "3"] {
        server.put("cars", key, key).await;
    }
    let mut client = server.client().await;
    client.send("GET cars client_ref=all").await;
    for _ in 0..3 {
        let answer = client.next().await;
        assert_eq!((&answer["source"], &answer["client_reference"]), (&json!("cars"), &json!("all")));
    }
    client.expect_nothing(&server).await;
}

async fn a_reference_is_repeated_as_it_was_written(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    for reference in
        ["0", "007", "1e3", "null", "true", "a\"b", "a\\b", "ünï→😀", "</script>", "a,b", "{}", "'"]
    {
        for command in [format!("GET none client_ref={reference}"), format!("GET none key {reference}")] {
            client.send(command.clone()).await;
            assert_eq!(client.next().await["client_reference"], reference, "{command}");
        }
    }
}

async fn pushes_have_no_reference(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    client.send("GET news client_ref=7").await;
    client.next().await;
    client.send("SUB news client_ref=8").await;
    server.subscribed(&mut client, "news").await;
    server.publish("news", "1").await;
    let push = client.next().await;
    assert_eq!((&push["source"], &push["client_reference"]), (&json!("news"), &Value::Null));
}

async fn references_do_not_mix(backend: Backend) {
    let server = TestServer::start(backend).await;
    for key in 0..10 {
        server.put("cars", &key.to_string(), key.to_string()).await;
    }
    let (mut one, mut two) = (server.client().await, server.client().await);
    for key in 0..10 {
        one.send(format!("GET cars {key} one{key}")).await;
        two.send(format!("GET cars {key} two{key}")).await;
    }
    for (client, name) in [(&mut one, "one"), (&mut two, "two")] {
        expect_all(client, name).await;
    }
}

async fn expect_all(client: &mut Client, name: &str) {
    let mut seen = [false; 10];
    for _ in 0..10 {
        let answer = client.next().await;
        let key = answer["content"].as_u64().expect("a number");
        assert_eq!(answer["client_reference"], format!("{name}{key}"));
        assert_eq!(answer["source"], format!("cars {key}"));
        assert!(!std::mem::replace(&mut seen[usize::try_from(key).expect("a small number")], true));
    }
}
