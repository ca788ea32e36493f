//! Every way in which a client may come and be pushed to, compressed.

use std::time::Duration;

use flate2::{Decompress, FlushDecompress};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{AGREED, agreement, connect, deflated, feature, handshake, start};
use crate::{
    raw_client::{RawClient, TEXT, frame},
    server::Backend,
    stores::on_both_stores,
};

on_both_stores!(
    each_window_can_be_agreed_upon,
    every_form_of_a_message_is_compressed,
    every_dialect_is_compressed,
    compressed_frames_may_come_with_the_handshake,
    what_comes_in_pieces_is_read_with_what_comes_between,
);

async fn each_window_can_be_agreed_upon(backend: Backend) {
    let server = start(backend).await;
    let mut plain = server.subscriber("cars", &[]).await;
    let mut clients = Vec::new();
    for window in 9..=15 {
        let offer = format!("permessage-deflate; server_max_window_bits={window}");
        let (mut client, field) = connect(&server, &offer).await;
        assert_eq!(field, Some(format!("{AGREED}; server_max_window_bits={window}")));
        say(&mut client, &["SUB cars"]).await;
        clients.push((window, client));
    }
    // What is alike is farther apart than the smallest windows reach.
    let message = format!("[{}]", [feature(1), format!("{:?}", "x".repeat(5_000)), feature(1)].join(","));
    server.publish("cars", "\"that is all\"").await;
    server.publish("cars", message.clone()).await;
    plain.until("that is all").await;
    let expected = plain.next_text().await;
    assert!(expected.contains(&message), "{expected}");
    let mut lengths = Vec::new();
    for (window, client) in &mut clients {
        until(client, "that is all").await;
        let (text, length) = next_compressed(client).await;
        assert_eq!(text, expected, "{window} bits");
        lengths.push(length);
    }
    assert!(
        lengths[0] > lengths[6] + 100,
        "with 9 bits a feature is no repetition, with 15 it is: {lengths:?}"
    );
    server.stop().await;
}

async fn every_form_of_a_message_is_compressed(backend: Backend) {
    let server = start(backend).await;
    let (mut near, _) = connect(&server, "permessage-deflate").await;
    let (mut far, _) = connect(&server, "permessage-deflate").await;
    let (mut projected, _) = connect(&server, "permessage-deflate").await;
    say(&mut near, &["BBOX 8 47 9 48", "SUB cars"]).await;
    say(&mut far, &["BBOX 0 0 1 1", "SUB cars"]).await;
    say(&mut projected, &["PROJECTION epsg:3857", "SUB cars"]).await;
    server.publish("cars", feature(1)).await;
    server.publish("cars", "7").await;
    assert!(next_compressed(&mut near).await.0.contains("[8.5402123,47.3781849]"));
    let (mercator, _) = next_compressed(&mut projected).await;
    assert!(mercator.contains(r#""coordinates":[950692."#), "{mercator}");
    for client in [&mut near, &mut far, &mut projected] {
        let (first, text) = client.next_frame().await.expect("it is open");
        assert_eq!(first, TEXT, "it is short");
        assert!(String::from_utf8(text).expect("text").contains(r#""content":7,"#));
    }
    server.stop().await;
}

async fn every_dialect_is_compressed(backend: Backend) {
    let server = start(backend).await;
    let connect = async |path| {
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        let handshake = handshake(path, "permessage-deflate");
        stream.write_all(handshake.as_bytes()).await.expect("the server reads");
        let (client, field) = agreement(stream).await;
        assert_eq!(field.as_deref(), Some(AGREED), "{path}");
        client
    };
    let mut rpc = connect("/rpc").await;
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":["news-5"]}"#;
    rpc.send(frame(0xc1, &deflated(subscribe.as_bytes()))).await;
    until(&mut rpc, "tracked").await;
    let mut rohrpost = connect("/rohrpost/").await;
    let subscribe = r#"{"id":1,"type":"subscribe","data":{"type":"news","id":5}}"#;
    rohrpost.send(frame(0xc1, &deflated(subscribe.as_bytes()))).await;
    until(&mut rohrpost, "news-5").await;
    let mut aiows = connect("/channel/news-5/").await;
    while timeout(Duration::from_millis(50), aiows.next_frame()).await.is_err() {
        server.publish("news-5", "\"are you there?\"").await;
    }
    server.publish("news-5", "\"that is all\"").await;
    server.publish("news-5", feature(1)).await;
    for client in [&mut rpc, &mut rohrpost, &mut aiows] {
        until(client, "that is all").await;
        let (pushed, _) = next_compressed(client).await;
        assert!(pushed.contains(&feature(1)), "{pushed}");
    }
    server.stop().await;
}

async fn compressed_frames_may_come_with_the_handshake(backend: Backend) {
    let server = start(backend).await;
    let ping = frame(0xc1, &deflated(b"PING client_ref=early"));
    let handshake = handshake("/ws", "permessage-deflate; client_max_window_bits");
    // Whole it goes the short way, and in two pieces the way of any other request.
    for cut in [0, 40] {
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        stream.set_nodelay(true).expect("it is open");
        let (head, rest) = handshake.split_at(cut);
        if !head.is_empty() {
            stream.write_all(head.as_bytes()).await.expect("the server reads");
            sleep(Duration::from_millis(50)).await;
        }
        stream.write_all(&[rest.as_bytes(), &ping].concat()).await.expect("the server reads");
        let (mut client, field) = agreement(stream).await;
        assert_eq!(field.as_deref(), Some(AGREED));
        until(&mut client, "early").await;
    }
    server.stop().await;
}

async fn what_comes_in_pieces_is_read_with_what_comes_between(backend: Backend) {
    let server = start(backend).await;
    let (mut client, _) = connect(&server, "permessage-deflate").await;
    let message = deflated(b"PING client_ref=in_pieces");
    let (one, two) = message.split_at(message.len() / 2);
    client.send(frame(0x41, one)).await;
    client.send(frame(0x89, b"are you there?")).await;
    while client.next_frame().await.expect("it is open") != (0x8a, b"are you there?".to_vec()) {}
    let last = frame(0x80, two);
    for byte in last {
        client.send([byte]).await;
    }
    until(&mut client, "in_pieces").await;
    server.stop().await;
}

/// Sends commands compressed, and waits until they are carried out.
async fn say(client: &mut RawClient, commands: &[&str]) {
    for command in commands {
        client.send(frame(0xc1, &deflated(command.as_bytes()))).await;
    }
    // It is answered when the subscription before it is in force.
    client.send(frame(TEXT, b"PING client_ref=said")).await;
    until(client, "said").await;
}

/// Takes what comes until a plain text has this in it.
async fn until(client: &mut RawClient, part: &str) {
    loop {
        let (first, text) = client.next_frame().await.expect("it is open");
        if first == TEXT && String::from_utf8(text).expect("text").contains(part) {
            return;
        }
    }
}

/// The text of the next frame, which is compressed, and its length before it is inflated.
async fn next_compressed(client: &mut RawClient) -> (String, usize) {
    let (first, mut payload) = client.next_frame().await.expect("it is open");
    assert_eq!(first, 0xc1, "{}", String::from_utf8_lossy(&payload));
    let length = payload.len();
    payload.extend([0, 0, 0xff, 0xff]);
    let mut inflated = Vec::with_capacity(100_000);
    Decompress::new(false)
        .decompress_vec(&payload, &mut inflated, FlushDecompress::Sync)
        .expect("it is compressed data");
    (String::from_utf8(inflated).expect("text"), length)
}
