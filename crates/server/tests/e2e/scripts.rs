//! The worked scripts of docs/filters.md, through real sockets.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_server::pipeline::{Filter, Filters, Script};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::Client,
    pipeline::{built_in, client, with_ready},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::PATIENCE,
};

on_both_stores!(
    echo,
    chat_with_rooms,
    profanity_filter,
    rate_display,
    bridge_to_a_channel,
    a_script_that_loops_is_stopped,
    a_script_is_taken_up_when_it_changes,
);

fn script(name: &str) -> Arc<dyn Filter> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name);
    Arc::new(Script::load(&path).expect("the script is in the tree and sound"))
}

async fn start(backend: Backend, filters: &[Arc<dyn Filter>]) -> TestServer {
    let filters = with_ready(filters);
    TestServer::start_with(backend, |settings| {
        settings.filters = filters;
        settings.pipeline_channels = vec!["news".parse().expect("a channel")];
    })
    .await
}

async fn converse(client: &mut Client, exchange: &[(&str, &str)]) {
    for (said, answer) in exchange {
        client.send(*said).await;
        assert_eq!(client.next_text().await, *answer, "{said}");
    }
}

async fn echo(backend: Backend) {
    let server = start(backend, &[script("echo.rhai")]).await;
    let mut client = client(&server).await;
    converse(&mut client, &[("hello", "hello"), ("", ""), ("é", "é")]).await;
    client.socket_send(Message::binary(&b"\x00\xff"[..])).await;
    assert_eq!(client.next_binary().await, &b"\x00\xff"[..]);
}

async fn chat_with_rooms(backend: Backend) {
    let server = start(backend, &[script("chat.rhai")]).await;
    let (mut anna, mut ben, mut cleo) = (client(&server).await, client(&server).await, client(&server).await);
    converse(&mut anna, &[("hello", "join a room first: /join ROOM"), ("/name Anna", "you are Anna")]).await;
    converse(&mut anna, &[("/join kitchen", "you are in kitchen")]).await;
    // Her coming is published behind her answer; who comes before that is done hears of it.
    converse(&mut anna, &[("ready?", "ready")]).await;
    server.heard().await;
    converse(&mut ben, &[("/name Ben", "you are Ben"), ("/join kitchen", "you are in kitchen")]).await;
    assert_eq!(anna.next_text().await, "Ben has come");
    converse(&mut cleo, &[("/join hall", "you are in hall")]).await;
    anna.send("hello").await;
    assert_eq!(ben.next_text().await, "Anna: hello");
    converse(&mut ben, &[("/join hall", "you are in hall")]).await;
    assert_eq!(anna.next_text().await, "Ben has left");
    assert_eq!(cleo.next_text().await, "Ben has come");
    drop(cleo);
    assert_eq!(ben.next_text().await, "somebody has left");
    anna.socket_send(Message::binary(&b"x"[..])).await;
    assert_eq!(anna.next_text().await, "text only, please");
}

async fn profanity_filter(backend: Backend) {
    let mut filters = vec![script("profanity.rhai")];
    filters.extend(built_in(&["broadcast_messages"]));
    let server = start(backend, &filters).await;
    let (mut a, mut b) = (client(&server).await, client(&server).await);
    for (said, heard) in [("what the Heck is this", "what the **** is this"), ("all fine", "all fine")] {
        a.send(said).await;
        assert_eq!(b.next_text().await, heard);
    }
    converse(&mut a, &[("darn HECK", "please mind your language")]).await;
    a.socket_send(Message::binary(&b"heck"[..])).await;
    assert_eq!(b.next_binary().await, &b"heck"[..]);
}

async fn rate_display(backend: Backend) {
    let server = start(backend, &[script("rate.rhai")]).await;
    let mut client = client(&server).await;
    let began = Instant::now();
    let shown = loop {
        server.publish("news", "an item").await;
        if let Some(text) = client.next_text_within(Duration::from_millis(20)).await {
            break text;
        }
        assert!(began.elapsed() < PATIENCE, "nothing is shown");
    };
    assert!(began.elapsed() >= Duration::from_secs(1), "{shown}");
    let shown: Value = serde_json::from_str(&shown).expect("it is JSON");
    assert_eq!(shown["channel"], "news");
    let rate = shown["per_second"].as_f64().expect("a number");
    // At most one item per 20 ms was published.
    assert!(rate > 0.0 && rate < 60.0, "{shown}");
}

async fn bridge_to_a_channel(backend: Backend) {
    let server = start(backend, &[script("bridge.rhai")]).await;
    let mut map = server.subscriber("positions", &["BBOX 7 46 8 47"]).await;
    let mut bus = client(&server).await;
    converse(
        &mut bus,
        &[
            ("where am I", "not JSON"),
            ("{\"lon\":7.4}", "lon and lat are needed, in degrees"),
            ("{\"id\":\"bus-2\",\"lon\":1,\"lat\":-0.5}", "ok"),
            ("{\"id\":\"bus-1\",\"lon\":7.4,\"lat\":46.9}", "ok"),
        ],
    )
    .await;
    let expected = json!({
        "type": "Feature",
        "properties": {"id": "bus-1"},
        "geometry": {"type": "Point", "coordinates": [7.4, 46.9]},
    });
    assert_eq!(map.next_content().await, expected, "what is outside of the viewport is not shown");
}

async fn a_script_that_loops_is_stopped(backend: Backend) {
    let folder = tempfile::tempdir().expect("a folder");
    let source = "fn message(ctx, msg) { if msg == \"loop\" { loop {} } if msg == \"throw\" { throw msg } ctx.send(msg) }";
    let looping = load(&folder.path().join("loop.rhai"), source);
    let mut filters = vec![looping];
    filters.extend(built_in(&["broadcast_messages"]));
    let server = start(backend, &filters).await;
    let (mut a, mut b) = (client(&server).await, client(&server).await);
    for text in ["loop", "throw", "fine"] {
        a.send(text).await;
        assert_eq!(b.next_text().await, text, "the other filter has run");
    }
    assert_eq!(a.next_text().await, "fine", "for the others the script has failed");
}

async fn a_script_is_taken_up_when_it_changes(backend: Backend) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("greeting.rhai");
    let filters = [load(&path, "fn message(ctx, msg) { ctx.send(\"old\") }")];
    let server = start(backend, &filters).await;
    let mut client = client(&server).await;
    converse(&mut client, &[("a", "old")]).await;
    fs::write(&path, "fn message(ctx, msg) { ctx.send( }").expect("a file can be written");
    tokio::time::sleep(Duration::from_millis(1200)).await;
    converse(&mut client, &[("a", "old")]).await;
    fs::write(&path, "fn message(ctx, msg) { ctx.send(\"new\") }").expect("a file can be written");
    let began = Instant::now();
    loop {
        client.send("a").await;
        if client.next_text().await == "new" {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "it has not been taken up");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn load(path: &Path, source: &str) -> Arc<dyn Filter> {
    fs::write(path, source).expect("a file can be written");
    Arc::new(Script::load(path).expect("it is sound"))
}

/// What the page shows is what the other tests run.
#[test]
fn the_page_shows_the_scripts_as_they_are() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../../docs/filters.md")).expect("the page is in the tree");
    let mut shown = 0;
    for entry in fs::read_dir(root.join("scripts")).expect("the scripts are in the tree") {
        let path = entry.expect("a readable folder").path();
        let source = fs::read_to_string(&path).expect("a readable script");
        assert!(page.contains(&format!("```rhai\n{source}```")), "{} differs", path.display());
        Filters::named([path.to_str().expect("a plain name")]).expect("it is sound");
        shown += 1;
    }
    assert_eq!(shown, 5);
}
