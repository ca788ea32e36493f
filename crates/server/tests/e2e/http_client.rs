//! HTTP requests, one connection each.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::waiting::must;

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A request and its answer. `headers` are whole lines without their ends.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: impl AsRef<[u8]>,
) -> Response {
    let body = body.as_ref();
    let length = format!("Content-Length: {}", body.len());
    let headers = [&["Connection: close"], headers, &[&*length]].concat();
    exchange(address, method, path, &headers, body).await
}

/// A handshake that is refused, and the answer.
pub(crate) async fn refused_upgrade(address: SocketAddr, path: &str, headers: &[&str]) -> Response {
    let handshake = [
        "Connection: Upgrade, close",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    exchange(address, "GET", path, &[&handshake, headers].concat(), b"").await
}

/// Sends exactly this and reads to the end of the connection.
async fn exchange(address: SocketAddr, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Response {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|header| header.starts_with("Host: ")) {
        head.push_str(&format!("Host: {address}\r\n"));
    }
    for header in headers {
        head.push_str(&format!("{header}\r\n"));
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    // A server that refuses early does not read the body.
    let _refused = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _reset = must("the end of an HTTP answer", stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8(answer).expect("answers are text");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Response { status, head: head.to_owned(), body: body.to_owned() }
}

/// GET.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Response {
    request(address, "GET", path, &[], "").await
}

/// Asks for a WebSocket from a page of this origin; the status of the answer.
pub(crate) async fn upgrade(address: SocketAddr, path: &str, origin: Option<&str>) -> u16 {
    let mut head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n");
    head.push_str("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    head.push_str("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    if let Some(origin) = origin {
        head.push_str(&format!("Origin: {origin}\r\n"));
    }
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(format!("{head}\r\n").as_bytes()).await.expect("the server reads");
    let mut answer = [0; 12];
    must("an HTTP answer", stream.read_exact(&mut answer)).await.expect("an answer");
    std::str::from_utf8(&answer[9..]).ok().and_then(|status| status.parse().ok()).expect("a status")
}
