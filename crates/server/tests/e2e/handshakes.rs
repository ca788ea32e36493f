//! Handshakes in other shapes than one packet.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::must,
};

on_both_stores!(
    a_handshake_may_come_in_pieces,
    a_connection_may_speak_http_first,
    what_comes_with_the_handshake_is_not_lost,
    what_is_no_acceptable_handshake_is_answered_as_http,
);

fn request(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.address).await.expect("the server listens")
}

/// Reads up to the end of an answer's header.
async fn header(stream: &mut TcpStream) -> String {
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n\r\n") {
        header.push(must("the answer to a handshake", stream.read_u8()).await.expect("an answer"));
    }
    String::from_utf8(header).expect("text")
}

async fn is_served(stream: TcpStream) {
    let mut client = RawClient { stream };
    let (_, greeting) = client.next_frame().await.expect("the greeting");
    assert!(greeting.starts_with(br#"{"source":"websocket","content":{"status":"open"}"#));
    client.send(frame(TEXT, b"PING")).await;
    let (_, answer) = client.next_frame().await.expect("an answer");
    assert!(String::from_utf8_lossy(&answer).contains("PONG"));
}

async fn a_handshake_may_come_in_pieces(backend: Backend) {
    let server = TestServer::start(backend).await;
    for piece in [1, 40, 100] {
        let mut stream = connect(&server).await;
        stream.set_nodelay(true).expect("a TCP socket");
        for piece in request("/ws").as_bytes().chunks(piece) {
            stream.write_all(piece).await.expect("the server reads");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(header(&mut stream).await.starts_with("HTTP/1.1 101 "));
        is_served(stream).await;
    }
}

async fn a_connection_may_speak_http_first(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut stream = connect(&server).await;
    stream.write_all(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("the server reads");
    let answer = header(&mut stream).await;
    let length = answer.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    stream.read_exact(&mut body).await.expect("the body");
    stream.write_all(request("/ws").as_bytes()).await.expect("the server reads");
    assert!(header(&mut stream).await.starts_with("HTTP/1.1 101 "));
    is_served(stream).await;
}

async fn what_comes_with_the_handshake_is_not_lost(backend: Backend) {
    let server = TestServer::start(backend).await;
    let early = [request("/ws").as_bytes(), &frame(TEXT, b"PING client_ref=early")].concat();
    let answer = r#","client_reference":"early"}"#;
    // In one packet with the handshake, and behind one that came in two.
    for split in [early.len(), 50] {
        let mut stream = connect(&server).await;
        stream.write_all(&early[..split]).await.expect("the server reads");
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(&early[split..]).await.expect("the server reads");
        assert!(header(&mut stream).await.starts_with("HTTP/1.1 101 "));
        let mut client = RawClient { stream };
        client.next_frame().await.expect("the greeting");
        let (_, pong) = client.next_frame().await.expect("an answer");
        let pong = String::from_utf8_lossy(&pong);
        assert!(pong.starts_with(r#"{"source":"websocket","content":"PONG","#), "{pong}");
        assert!(pong.ends_with(answer), "{pong}");
    }
}

async fn what_is_no_acceptable_handshake_is_answered_as_http(backend: Backend) {
    let server = TestServer::start(backend).await;
    let good = request("/ws");
    for (request, status) in [
        (request("/elsewhere"), "404"),
        (good.replace("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"), "400"),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", ""), "400"),
        (good.replace("GET ", "POST "), "400"),
        (good.replace("Host: localhost", "Host: localhost\r\nOrigin: http://evil.example"), "403"),
        (good.replace("HTTP/1.1", "HTTP/3.9"), "400"),
    ] {
        let mut stream = connect(&server).await;
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        let answer = header(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}{answer}");
    }
}
