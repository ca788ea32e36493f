//! permessage-deflate: with the clients of the npm package `ws`, and with one that breaks the rules.

mod deflating;
mod ways;

use flate2::{Compress, FlushCompress};
use geocast_server::{Compression, Count};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use self::deflating::Deflating;
use crate::{
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::must,
};

on_both_stores!(
    nothing_is_agreed_upon_unless_it_is_switched_on,
    what_cannot_be_agreed_upon_is_plain,
    pushes_come_compressed_to_all_who_take_them_so,
    commands_may_be_compressed_and_replies_are_plain,
    what_is_buffered_is_plain_and_whole,
    a_burst_comes_compressed_and_in_order,
    what_cannot_be_read_is_closed_with_its_code,
);

async fn start(backend: Backend) -> TestServer {
    TestServer::start_with(backend, |settings| {
        settings.compression = Compression::Deflate { threshold: Compression::THRESHOLD };
        settings.limits.commands_per_second = 1_000;
    })
    .await
}

/// A feature of 450 bytes, as a tracker sends them.
fn feature(id: u32) -> String {
    let mut feature = json!({
        "type": "Feature", "id": id, "geometry": {"type": "Point", "coordinates": [8.540_212_3, 47.378_184_9]},
        "properties": {
            "train_id": format!("sbb_{id}_1417"), "line": {"name": "S 12", "color": "#ffffff", "stroke": "#0a7dc9"},
            "state": "DRIVING", "delay": 42_000, "type": "rail", "route_identifier": "18249.003882.001:12",
            "raw_coordinates": [8.540_212_3, 47.378_184_9], "tenant": "sbb", "operator_provides_realtime_journey": "yes",
            "note": "",
        },
    });
    let length = feature.to_string().len();
    feature["properties"]["note"] = json!("delayed by a train before it ".repeat(10)[..450 - length]);
    feature.to_string()
}

/// Connects with an offer; the field of the answer that says what was agreed upon.
async fn connect(server: &TestServer, offer: &str) -> (RawClient, Option<String>) {
    let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
    stream.write_all(handshake("/ws", offer).as_bytes()).await.expect("the server reads");
    agreement(stream).await
}

fn handshake(path: &str, offer: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: {offer}\r\n\r\n"
    )
}

/// Takes the answer to a handshake; its field that says what was agreed upon.
async fn agreement(mut stream: TcpStream) -> (RawClient, Option<String>) {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(must("the answer to a handshake", stream.read_u8()).await.expect("an answer"));
    }
    let answer = String::from_utf8(answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let field = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-extensions").then(|| value.to_owned())
    });
    (RawClient { stream }, field)
}

async fn nothing_is_agreed_upon_unless_it_is_switched_on(backend: Backend) {
    let server = TestServer::start(backend).await;
    let (mut client, field) = connect(&server, "permessage-deflate").await;
    assert_eq!(field, None);
    client.send(frame(0xc1, &deflated(b"PING"))).await;
    assert_eq!(client.close_code().await, Some(1002));
}

async fn what_cannot_be_agreed_upon_is_plain(backend: Backend) {
    let server = start(backend).await;
    for offer in ["permessage-deflate; server_max_window_bits=8", "permessage-deflate; mode=fast", "foo"] {
        assert_eq!(connect(&server, offer).await.1, None, "{offer}");
    }
    let offers = "permessage-deflate; mode=fast, permessage-deflate; server_max_window_bits=10";
    assert_eq!(connect(&server, offers).await.1, Some(format!("{AGREED}; server_max_window_bits=10")));
}

async fn pushes_come_compressed_to_all_who_take_them_so(backend: Backend) {
    let server = start(backend).await;
    let mut plain = server.subscriber("cars", &[]).await;
    let mut clients = Deflating::start(server.address, 20).await;
    clients.subscribed(&server, "cars").await;
    for agreed in clients.agreed() {
        assert_eq!(agreed, AGREED);
    }
    plain.until("that is all").await;
    for id in 0..3 {
        server.publish("cars", feature(id)).await;
        let expected = plain.next_text().await;
        assert!(expected.contains(&feature(id)), "{expected}");
        for report in clients.next_of_each().await {
            assert_eq!(report["text"], *expected);
            let bytes = report["bytes"].as_u64().expect("a number");
            assert!(bytes < 400, "{bytes} bytes instead of {}", expected.len());
        }
    }
    server.publish("cars", "7").await;
    for report in clients.next_of_each().await {
        let text = report["text"].as_str().expect("a text");
        assert!(text.contains(r#""content":7,"#), "{text}");
        assert_eq!(report["bytes"], 2 + text.len(), "it is too short to be compressed");
    }
    server.stop().await;
}

async fn commands_may_be_compressed_and_replies_are_plain(backend: Backend) {
    let server = start(backend).await;
    server.put("cars", "1", feature(1)).await;
    let mut clients = Deflating::start(server.address, 1).await;
    clients.send("GET cars 1 question").await;
    let report = clients.next_of_each().await.remove(0);
    let text = report["text"].as_str().expect("a text");
    assert!(text.contains(&feature(1)) && text.contains("question"), "{text}");
    let long = format!("PING a={} client_ref=long", "x".repeat(16_000));
    clients.send(&long).await;
    let pong = clients.next_content(0).await;
    assert_eq!(pong, "PONG", "a few bytes became almost as many as are allowed");
    server.stop().await;
}

async fn what_is_buffered_is_plain_and_whole(backend: Backend) {
    let server = start(backend).await;
    let mut clients = Deflating::start(server.address, 2).await;
    clients.subscribed(&server, "cars").await;
    let answered = "PING client_ref=answered";
    clients.send("BUFFER 60000 3").await;
    clients.send(answered).await;
    clients.next_of_each().await;
    for id in 0..3 {
        server.publish("cars", feature(id)).await;
    }
    for report in clients.next_of_each().await {
        let buffer: Value = serde_json::from_str(report["text"].as_str().expect("a text")).expect("JSON");
        let envelopes = buffer["content"].as_array().expect("a list");
        let features: Vec<String> =
            envelopes.iter().map(|envelope| envelope["content"].to_string()).collect();
        assert_eq!(features.len(), 3);
        for (id, found) in (0..).zip(features) {
            assert_eq!(serde_json::from_str::<Value>(&found).ok(), serde_json::from_str(&feature(id)).ok());
        }
    }
    clients.send("BUFFER 0 0").await;
    clients.send(answered).await;
    clients.next_of_each().await;
    server.publish("cars", feature(4)).await;
    for report in clients.next_of_each().await {
        assert!(report["bytes"].as_u64() < Some(400), "it is compressed again: {report}");
    }
    server.stop().await;
}

async fn a_burst_comes_compressed_and_in_order(backend: Backend) {
    let server = start(backend).await;
    let mut clients = Deflating::start(server.address, 5).await;
    clients.subscribed(&server, "cars").await;
    for id in 0..200 {
        server.publish("cars", feature(id)).await;
    }
    for id in 0..200 {
        for report in clients.next_of_each().await {
            let text = report["text"].as_str().expect("a text");
            assert!(text.contains(&feature(id)), "{id}: {text}");
        }
    }
    server.stop().await;
}

async fn what_cannot_be_read_is_closed_with_its_code(backend: Backend) {
    let server = start(backend).await;
    let mut witness = server.subscriber("news", &[]).await;
    let ping = deflated(b"PING");
    let bomb = deflated(&vec![0; 10_000_000]);
    assert!(bomb.len() < 16 * 1024);
    let cases: [(&str, Vec<u8>, u16); 9] = [
        ("a bomb", frame(0xc1, &bomb), 1009),
        ("a bomb in fragments", [frame(0x41, &bomb[..9]), frame(0x80, &bomb[9..])].concat(), 1009),
        ("one byte too many", frame(0xc1, &deflated(&[b'x'; 16 * 1024 + 1])), 1009),
        ("fragments without end", [frame(0x41, b""), frame(0x00, b"").repeat(5_000)].concat(), 1009),
        ("no compressed data", frame(0xc1, b"PING news"), 1007),
        ("a message that is cut off", frame(0xc1, &ping[..ping.len() - 2]), 1007),
        ("a compressed continuation", [frame(0x41, &ping[..2]), frame(0xc0, &ping[2..])].concat(), 1002),
        ("a compressed ping", frame(0xc9, &ping), 1002),
        ("another reserved bit", frame(0xe1, &ping), 1002),
    ];
    for (closed, (name, bytes, code)) in (1..).zip(cases) {
        let (mut client, field) = connect(&server, "permessage-deflate").await;
        assert_eq!(field.as_deref(), Some(AGREED));
        client.send(frame(TEXT, b"PING")).await;
        client.send(bytes).await;
        assert_eq!(client.close_code().await, Some(code), "{name}");
        server.counted(Count::ClosedProtocol, closed).await;
        assert_eq!(server.brings(&mut witness, "news", ["1"]).await, [json!(1)], "{name}");
    }
}

/// A message as a client compresses it.
fn deflated(message: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::with_capacity(message.len() + 64);
    let mut compress = Compress::new(flate2::Compression::best(), false);
    compress.compress_vec(message, &mut compressed, FlushCompress::Sync).expect("a vector takes all");
    assert!(compressed.ends_with(&[0, 0, 0xff, 0xff]));
    compressed.truncate(compressed.len() - 4);
    compressed
}

const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
