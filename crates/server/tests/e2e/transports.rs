//! What has to hold on every kind of connection.

use std::time::Duration;

use geocast_server::Count;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{
    raw_client::{RawClient, TEXT, frame},
    server::TestServer,
    waiting::must,
};

/// Reads up to the end of an answer's header.
async fn header(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n\r\n") {
        header.push(must("the answer to a handshake", stream.read_u8()).await.expect("an answer"));
    }
    String::from_utf8(header).expect("text")
}

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A subscriber that has read nothing but the proof of its subscription.
pub(crate) async fn subscriber<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> RawClient<S> {
    let mut client = RawClient::open(stream).await;
    let (_, greeting) = client.next_frame().await.expect("the greeting");
    assert!(greeting.starts_with(br#"{"source":"websocket","content":{"status":"open"}"#));
    client.send(frame(TEXT, b"SUB news")).await;
    client.send(frame(TEXT, b"GET settled")).await;
    client.next_frame().await.expect("the answer");
    client
}

/// Whether the connection is alive: a command is answered.
pub(crate) async fn is_served<S: AsyncRead + AsyncWrite + Unpin>(client: &mut RawClient<S>, reference: &str) {
    client.send(frame(TEXT, format!("PING client_ref={reference}").as_bytes())).await;
    let answer = text(client).await;
    let (reference, _surplus) = reference.split_once(' ').unwrap_or((reference, ""));
    assert!(answer.contains("PONG") && answer.contains(&format!("\"{reference}\"")), "{answer}");
}

async fn text<S: AsyncRead + AsyncWrite + Unpin>(client: &mut RawClient<S>) -> String {
    let (first, payload) = client.next_frame().await.expect("a frame");
    assert_eq!(first, 0x80 | TEXT, "a whole text frame");
    String::from_utf8(payload).expect("text")
}

/// A request, and then a WebSocket on the same connection.
pub(crate) async fn http_and_then_a_websocket<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    stream.write_all(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("the server reads");
    let answer = header(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let length = answer.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    stream.read_exact(&mut vec![0; length.parse().expect("a number")]).await.expect("the body");
    let mut client = RawClient::open(stream).await;
    client.next_frame().await.expect("the greeting");
    is_served(&mut client, "upgraded").await;
}

/// A frame that comes with the handshake, whole and behind one that came in two.
pub(crate) async fn early_frames<S: AsyncRead + AsyncWrite + Unpin>(connect: impl AsyncFn() -> S) {
    let early = [UPGRADE.as_bytes(), &frame(TEXT, b"PING client_ref=early")].concat();
    for split in [early.len(), 50] {
        let mut stream = connect().await;
        stream.write_all(&early[..split]).await.expect("the server reads");
        stream.flush().await.expect("the server reads");
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(&early[split..]).await.expect("the server reads");
        stream.flush().await.expect("the server reads");
        assert!(header(&mut stream).await.starts_with("HTTP/1.1 101 "));
        let mut client = RawClient { stream };
        client.next_frame().await.expect("the greeting");
        let answer = text(&mut client).await;
        assert!(answer.contains("PONG") && answer.contains("early"), "{answer}");
    }
}

/// The server's outbox is to be bounded at 64 KiB, and its time for closing to be long.
pub(crate) async fn who_does_not_read_is_closed<S>(server: &TestServer, connect: impl AsyncFn() -> S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut reader = subscriber(connect().await).await;
    let mut idle = subscriber(connect().await).await;
    let payload = format!("\"{}\"", "x".repeat(30_000));
    let mut published: u64 = 0;
    // What the kernel and a session hold for the idle client comes on top of the bound.
    while server.count(Count::ClosedSlow) == 0 {
        server.publish("news", payload.clone()).await;
        text(&mut reader).await;
        published += 1;
        assert!(published < 2_000, "{published} messages");
    }
    assert!(server.count(Count::WithheldSlow) >= 1);
    assert_eq!(idle.close_code().await, Some(3008));
    is_served(&mut reader, "still").await;
    assert_eq!(server.count(Count::ClosedSlow), 1);
}

/// What fits into the outbox arrives whole and in order, however late it is read.
pub(crate) async fn who_reads_late_loses_nothing<S>(server: &TestServer, connect: impl AsyncFn() -> S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const MESSAGES: usize = 300;
    let mut late = subscriber(connect().await).await;
    let fill = "x".repeat(3_000);
    for number in 0..MESSAGES {
        server.publish("news", format!("\"{number} {fill}\"")).await;
    }
    server.heard().await;
    for number in 0..MESSAGES {
        let message = text(&mut late).await;
        let expected = format!(r#"{{"source":"news","content":"{number} {fill}","#);
        assert!(message.starts_with(&expected), "{number}: {}", &message[..80]);
    }
    assert_eq!(server.count(Count::ClosedSlow) + server.count(Count::WithheldSlow), 0);
    is_served(&mut late, "after").await;
}

/// The time for writes is to be [`STEADY_WRITE`] and the outbox large: the kernel calls a socket writable later than that.
pub(crate) async fn who_reads_slowly_but_steadily_is_kept<S>(
    server: &TestServer,
    connect: impl AsyncFn() -> S,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const MESSAGES: usize = 200;
    let mut slow = subscriber(connect().await).await;
    let fill = "x".repeat(30_000);
    for number in 0..MESSAGES {
        server.publish("news", format!("\"{number} {fill}\"")).await;
    }
    for number in 0..MESSAGES {
        if number < 40 {
            tokio::time::sleep(STEADY_PACE).await;
        }
        let message = text(&mut slow).await;
        assert!(message.contains(&format!("\"{number} xxx")), "{number}: {}", &message[..80]);
    }
    assert_eq!(server.count(Count::ClosedSlow), 0);
}

pub(crate) async fn a_burst_arrives_in_order<S>(server: &TestServer, connect: impl AsyncFn() -> S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut subscribers = Vec::new();
    for _ in 0..5 {
        subscribers.push(subscriber(connect().await).await);
    }
    for number in 0..1_000 {
        server.publish("news", format!("{number}")).await;
    }
    for client in &mut subscribers {
        for number in 0..1_000 {
            let message = text(client).await;
            assert!(message.starts_with(&format!(r#"{{"source":"news","content":{number},"#)), "{message}");
        }
        is_served(client, "after").await;
    }
}

/// Messages and commands that are larger than any buffer on their way.
pub(crate) async fn large_messages_arrive_whole<S: AsyncRead + AsyncWrite + Unpin>(
    server: &TestServer,
    stream: S,
) {
    let mut client = subscriber(stream).await;
    let digits: String = (0..250_000).map(|number: u32| char::from(b'0' + (number % 10) as u8)).collect();
    for size in [70_000, 250_000] {
        server.publish("news", format!("\"{}\"", &digits[..size])).await;
        let message = text(&mut client).await;
        assert!(message.contains(&format!("\"content\":\"{}\",", &digits[..size])), "{size}");
    }
    // Surplus words are tolerated.
    let surplus = "word ".repeat(3_000);
    is_served(&mut client, &format!("large {surplus}")).await;
}

/// The time for writes where somebody reads slowly but steadily: far more than a pause of a busy machine.
pub(crate) const STEADY_WRITE: Duration = Duration::from_secs(3);

/// How long such a reader waits before each message: forty of them take four times as long as a write may.
pub(crate) const STEADY_PACE: Duration = Duration::from_millis(300);
