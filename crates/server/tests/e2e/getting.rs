//! GET and PGET.

use serde_json::{Value, json};

use crate::{
    client::Client,
    positions::{ZURICH, assert_close},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    get_brings_one_envelope_for_each_value,
    get_of_nothing_brings_null_once,
    get_with_a_key_brings_exactly_one_envelope,
    get_brings_what_the_viewport_lets_pass,
    get_with_a_key_never_brings_what_is_outside,
    get_brings_values_byte_for_byte,
    values_that_are_no_features_pass_the_viewport,
    get_brings_geometry_in_the_projection_of_the_session,
    pget_brings_geometry_in_its_own_projection,
    pget_applies_the_viewport,
    pget_in_an_unknown_projection_brings_no_feature,
    get_of_text_that_is_no_json_brings_a_string,
);

const INSIDE: &str = r#"{"type":"Point","coordinates":[8.55,47.37]}"#;
const OUTSIDE: &str = r#"{"type":"Point","coordinates":[80.5,47.37]}"#;

/// Sends a command and takes everything it brings.
async fn answers(client: &mut Client, command: &str) -> Vec<Value> {
    client.send(command).await;
    // Values are read while the session goes on: the first one says that the rest is there.
    let mut answers = vec![client.next().await];
    client.send("PING").await;
    answers.append(&mut client.until("PONG").await);
    answers
}

async fn get_brings_one_envelope_for_each_value(backend: Backend) {
    let server = TestServer::start(backend).await;
    for key in 0..5 {
        server.put("cars", &key.to_string(), key.to_string()).await;
    }
    server.put("bikes", "1", "\"bike\"").await;
    let mut client = server.client().await;
    let answers = answers(&mut client, "GET cars").await;
    assert!(answers.iter().all(|answer| answer["source"] == "cars"), "{answers:?}");
    assert!(answers.iter().all(|answer| answer["client_reference"].is_null()), "{answers:?}");
    let mut contents: Vec<_> =
        answers.iter().map(|answer| answer["content"].as_u64().expect("a number")).collect();
    contents.sort_unstable();
    assert_eq!(contents, [0, 1, 2, 3, 4]);
}

async fn get_of_nothing_brings_null_once(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    for command in
        ["GET nothing", "GET nothing client_ref=x", "PGET nothing", "PGET nothing projection=epsg:2056"]
    {
        let answers = answers(&mut client, command).await;
        assert_eq!(answers.len(), 1, "{command}: {answers:?}");
        assert_eq!(
            (&answers[0]["source"], &answers[0]["content"]),
            (&json!("nothing"), &Value::Null),
            "{command}"
        );
    }
}

async fn get_with_a_key_brings_exactly_one_envelope(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "a:1", "\"one\"").await;
    server.put("cars", "2", "\"two\"").await;
    let mut client = server.client().await;
    for (command, source, content) in [
        ("GET cars a:1", "cars a:1", json!("one")),
        ("GET cars 2", "cars 2", json!("two")),
        ("GET cars 3", "cars 3", Value::Null),
        ("GET bikes 2", "bikes 2", Value::Null),
        ("PGET cars 2", "cars 2", json!("two")),
        ("PGET cars 3 projection=epsg:3857", "cars 3", Value::Null),
    ] {
        let answers = answers(&mut client, command).await;
        assert_eq!(answers.len(), 1, "{command}: {answers:?}");
        assert_eq!((&answers[0]["source"], &answers[0]["content"]), (&json!(source), &content), "{command}");
    }
}

async fn get_brings_what_the_viewport_lets_pass(backend: Backend) {
    let server = TestServer::start(backend).await;
    for (key, value) in [("1", INSIDE), ("2", OUTSIDE), ("3", OUTSIDE)] {
        server.put("cars", key, value).await;
        server.put(if value == INSIDE { "near" } else { "far" }, key, value).await;
    }
    let mut client = server.client().await;
    client.send("BBOX 5 45 10 50").await;
    let inside: Value = serde_json::from_str(INSIDE).expect("JSON");
    for (channel, content) in [("cars", inside.clone()), ("near", inside), ("far", Value::Null)] {
        let answers = answers(&mut client, &format!("GET {channel}")).await;
        assert_eq!(answers.len(), 1, "{channel}: {answers:?}");
        assert_eq!((&answers[0]["source"], &answers[0]["content"]), (&json!(channel), &content), "{channel}");
    }
    client.send("BBOX").await;
    assert_eq!(answers(&mut client, "GET cars").await.len(), 3, "without a viewport");
}

async fn get_with_a_key_never_brings_what_is_outside(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "in", INSIDE).await;
    server.put("cars", "out", OUTSIDE).await;
    let mut client = server.client().await;
    client.send("BBOX 5 45 10 50").await;
    for command in ["GET cars out", "GET cars out 9", "PGET cars out", "PGET cars out projection=epsg:3857"] {
        let answers = answers(&mut client, command).await;
        assert_eq!(answers.len(), 1, "{command}: {answers:?}");
        assert_eq!(
            (&answers[0]["source"], &answers[0]["content"]),
            (&json!("cars out"), &Value::Null),
            "{command}"
        );
    }
    let answers = answers(&mut client, "GET cars in").await;
    assert_eq!(answers[0]["content"]["coordinates"], json!([8.55, 47.37]));
}

async fn get_brings_values_byte_for_byte(backend: Backend) {
    let server = TestServer::start(backend).await;
    let value = r#"{ "id":12345678901234567890123, "b":7.10,"a" : 1e2,"type":"Feature","geometry":{"coordinates":[8.50, 4.737e1],"type":"Point"},"properties":{"é":"\u00e9"} }"#;
    server.put("cars", "1", value).await;
    let mut client = server.client().await;
    client.send("BBOX 5 45 10 50").await;
    for (command, source) in [("GET cars", "cars"), ("GET cars 1", "cars 1"), ("PGET cars", "cars")] {
        client.send(command).await;
        let text = client.next_text().await;
        let start = format!(r#"{{"source":"{source}","content":{value},"timestamp":"#);
        assert!(text.starts_with(&start), "{command}: {text}");
    }
}

async fn values_that_are_no_features_pass_the_viewport(backend: Backend) {
    let server = TestServer::start(backend).await;
    let values = ["1", "\"two\"", "null", "[3]", r#"{"four":4}"#, r#"{"type":"Feature","geometry":null}"#];
    for (key, value) in values.iter().enumerate() {
        server.put("mixed", &key.to_string(), *value).await;
    }
    let mut client = server.client().await;
    client.send("BBOX 5 45 10 50").await;
    assert_eq!(answers(&mut client, "GET mixed").await.len(), values.len());
    let answers = answers(&mut client, "GET mixed 4").await;
    assert_eq!(answers[0]["content"], json!({"four": 4}));
}

async fn get_brings_geometry_in_the_projection_of_the_session(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", INSIDE).await;
    let mut client = server.client().await;
    client.send("PROJECTION epsg:3857").await;
    for command in ["GET cars", "GET cars 1"] {
        let answers = answers(&mut client, command).await;
        assert_close(&answers[0]["content"]["coordinates"], ZURICH.mercator);
    }
}

async fn pget_brings_geometry_in_its_own_projection(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", INSIDE).await;
    let mut client = server.client().await;
    for before in ["PROJECTION epsg:2056", "PROJECTION epsg:3857", "PROJECTION epsg:4326"] {
        client.send(before).await;
        for (command, expected) in [
            ("PGET cars", ZURICH.degrees),
            ("PGET cars 1", ZURICH.degrees),
            ("PGET cars 1 ref", ZURICH.degrees),
            ("PGET cars projection=epsg:3857", ZURICH.mercator),
            ("PGET cars projection=EPSG:3857 client_ref=1", ZURICH.mercator),
            ("PGET cars 1 projection=epsg:3857", ZURICH.mercator),
            ("PGET cars 1 ref projection=epsg:3857", ZURICH.mercator),
            ("PGET cars projection=epsg:4326", ZURICH.degrees),
        ] {
            let answers = answers(&mut client, command).await;
            assert_eq!(answers.len(), 1, "{before}, {command}");
            assert_close(&answers[0]["content"]["coordinates"], expected);
        }
        client.send("PROJECTION epsg:3857").await;
        assert_close(&answers(&mut client, "GET cars").await[0]["content"]["coordinates"], ZURICH.mercator);
    }
}

async fn pget_applies_the_viewport(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", INSIDE).await;
    server.put("cars", "2", OUTSIDE).await;
    let mut client = server.client().await;
    client.send("BBOX 5 45 10 50").await;
    let answers = answers(&mut client, "PGET cars projection=epsg:3857").await;
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_close(&answers[0]["content"]["coordinates"], ZURICH.mercator);
}

async fn pget_in_an_unknown_projection_brings_no_feature(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", INSIDE).await;
    let mut client = server.client().await;
    for projection in
        ["epsg:999998", "epsg:999999", "epsg:0", "banana", "+proj=merc", "epsg:", "../proj.db", ""]
    {
        for command in ["PGET cars client_ref=9", "PGET cars 1 9", "PGET cars"] {
            client.send(format!("{command} projection={projection}")).await;
            let error = client.next_error().await;
            let reference = if command == "PGET cars" { Value::Null } else { json!("9") };
            assert_eq!(error["client_reference"], reference, "{command} {projection}");
        }
    }
    client.expect_nothing(&server).await;
}

async fn get_of_text_that_is_no_json_brings_a_string(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("notes", "1", "say \"hello\"\n\\ \u{1}é").await;
    let mut client = server.client().await;
    client.send("BBOX 5 45 10 50").await;
    for command in ["GET notes", "GET notes 1", "PGET notes projection=epsg:3857"] {
        assert_eq!(
            answers(&mut client, command).await[0]["content"],
            "say \"hello\"\n\\ \u{1}é",
            "{command}"
        );
    }
}
