//! Channels that a client may not read: silence, and a counted reason.

use geocast_server::{Count, Settings};
use serde_json::Value;

use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_refused_channel_is_silent_and_counted,
    get_of_a_refused_channel_brings_null_once,
    patterns_match_whole_names,
    a_client_cannot_ask_by_pattern,
    without_a_pattern_only_a_local_embedded_store_is_open,
);

fn allow(patterns: &'static str) -> impl FnOnce(&mut Settings) {
    move |settings| settings.channels = Some(patterns.parse().expect("patterns"))
}

async fn a_refused_channel_is_silent_and_counted(backend: Backend) {
    let server = TestServer::start_with(backend, allow("vehicles,news_*")).await;
    let mut client = server.subscriber("vehicles", &["SUB secret", "SUB secret"]).await;
    assert_eq!(server.count(Count::ChannelRefused), 2);
    server.publish("secret", "1").await;
    assert!(server.received(&mut client, "vehicles").await.is_empty());
    client.send("DEL secret").await;
    client.expect_nothing(&server).await;
}

async fn get_of_a_refused_channel_brings_null_once(backend: Backend) {
    let server = TestServer::start_with(backend, allow("vehicles")).await;
    server.put("secret", "1", "\"secret\"").await;
    let mut client = server.client().await;
    for (index, (command, source)) in [
        ("GET secret client_ref=7", "secret"),
        ("GET secret 1 7", "secret 1"),
        ("PGET secret client_ref=7", "secret"),
        ("PGET secret 1 7 projection=epsg:3857", "secret 1"),
    ]
    .into_iter()
    .enumerate()
    {
        client.send(command).await;
        let answer = client.next().await;
        assert_eq!(answer["source"], source, "{command}");
        assert_eq!(answer["content"], Value::Null, "{command}");
        assert_eq!(answer["client_reference"], "7", "{command}");
        let counted = u64::try_from(index).expect("a few") + 1;
        assert_eq!(server.count(Count::ChannelRefused), counted, "{command}");
    }
    client.expect_nothing(&server).await;
}

async fn patterns_match_whole_names(backend: Backend) {
    let server = TestServer::start_with(backend, allow("vehicles, news_*,a?c")).await;
    let names = [
        "vehicles",
        "news_",
        "news_de",
        "abc",
        "vehicles2",
        "xvehicles",
        "news",
        "newsx",
        "ac",
        "abbc",
        "Vehicles",
    ];
    for name in names {
        server.put(name, "1", "\"there\"").await;
    }
    let mut client = server.client().await;
    let mut allowed = Vec::new();
    for name in names {
        client.send(format!("GET {name}")).await;
        if client.next_content().await == "there" {
            allowed.push(name);
        }
    }
    assert_eq!(allowed, ["vehicles", "news_", "news_de", "abc"]);
}

async fn a_client_cannot_ask_by_pattern(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut witness = server.subscriber("news_de", &[]).await;
    let mut client = server.client().await;
    for pattern in ["*", "news_*", "news_?e", "news_[d]e", "{news_de,x}"] {
        client.send(format!("SUB {pattern}")).await;
    }
    server.received(&mut witness, "news_de").await;
    client.send("PING client_ref=end").await;
    loop {
        let envelope = client.next().await;
        assert_eq!(envelope["source"], "websocket", "{envelope}");
        if envelope["client_reference"] == "end" {
            break;
        }
    }
}

async fn without_a_pattern_only_a_local_embedded_store_is_open(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.channels = None).await;
    server.put("cars", "1", "1").await;
    let mut client = server.client().await;
    client.send("GET cars 1").await;
    let content = client.next_content().await;
    match backend {
        Backend::Embedded => assert_eq!(content, 1),
        Backend::Redis => {
            assert_eq!(content, Value::Null);
            assert_eq!(server.count(Count::ChannelRefused), 1);
            client.send("SUB cars").await;
            server.publish("cars", "1").await;
            client.send("PING").await;
            assert_eq!(client.next_content().await, "PONG");
            assert_eq!(server.count(Count::ChannelRefused), 2);
        }
    }
}
