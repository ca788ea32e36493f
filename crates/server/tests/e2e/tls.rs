//! The server behind TLS.

pub(crate) mod secure;

use std::time::Duration;

use geocast_server::{Count, Secret, Tls};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::rustls::{self, ProtocolVersion};

use crate::{
    raw_client::RawClient,
    transports::{self, is_served, subscriber},
    waiting::{LONG, PATIENCE, must},
};

use secure::{Pair, Secure};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_and_websockets_are_spoken_in_both_versions() {
    let secure = Secure::start(|_| ()).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let stream = secure.connect_with(version).await;
        let (_, session) = stream.get_ref();
        let expected = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => &rustls::version::TLS12,
            _ => &rustls::version::TLS13,
        };
        assert_eq!(expected.version, version.version);
        assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
        transports::http_and_then_a_websocket(stream).await;
        let mut client = subscriber(secure.connect_with(version).await).await;
        secure.server.publish("news", "1").await;
        let (_, message) = client.next_frame().await.expect("a message");
        assert!(message.starts_with(br#"{"source":"news","content":1,"#));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_are_whole_and_in_order() {
    let secure = Secure::start(|_| ()).await;
    transports::early_frames(async || secure.connect().await).await;
    transports::large_messages_arrive_whole(&secure.server, secure.connect().await).await;
    transports::a_burst_arrives_in_order(&secure.server, async || secure.connect().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers_are_treated_as_without_tls() {
    let secure = Secure::start(|settings| {
        settings.limits.outbox = 64 * 1024;
        settings.timeouts.close = LONG;
    })
    .await;
    transports::who_does_not_read_is_closed(&secure.server, async || secure.connect().await).await;
    let secure = Secure::start(|_| ()).await;
    transports::who_reads_late_loses_nothing(&secure.server, async || secure.connect().await).await;
    let secure = Secure::start(|settings| {
        settings.limits.outbox = 16 * 1024 * 1024;
        settings.timeouts.write = transports::STEADY_WRITE;
    })
    .await;
    transports::who_reads_slowly_but_steadily_is_kept(&secure.server, async || secure.connect().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_makes_no_progress_is_closed() {
    let secure = Secure::start(|settings| {
        settings.limits.outbox = 64 * 1024 * 1024;
        settings.timeouts.write = Duration::from_millis(300);
    })
    .await;
    let _idle = subscriber(secure.connect().await).await;
    for _ in 0..20 {
        secure.server.publish("news", format!("\"{}\"", "x".repeat(500_000))).await;
    }
    secure.server.counted(Count::ClosedSlow, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_for_new_connections_and_a_broken_one_for_nobody() {
    let secure = Secure::start(|_| ()).await;
    let mut open = subscriber(secure.connect().await).await;
    let first = secure.pair.der();
    assert_eq!(secure.served().await, first);

    let next = Pair::new();
    secure.write(&next);
    assert_eq!(secure.served().await, first, "nothing is read before it is asked for");
    assert_eq!(secure.server.reload.run(), 0);
    assert_eq!(secure.served().await, next.der());
    is_served(&mut open, "through").await;

    for (certificate, key) in
        [("no PEM", next.key.as_str()), (&next.certificate, "no PEM"), (&next.certificate, &secure.pair.key)]
    {
        secure.write_text(certificate, key);
        assert_eq!(secure.server.reload.run(), 1);
        assert_eq!(secure.served().await, next.der(), "the last good one stays");
    }
    secure.server.publish("news", "1").await;
    let (_, message) = open.next_frame().await.expect("a message");
    assert!(message.starts_with(br#"{"source":"news","content":1,"#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_tls_ends_only_itself() {
    let secure = Secure::start(|settings| settings.timeouts.header = Duration::from_secs(2)).await;
    let mut open = subscriber(secure.connect().await).await;
    let mut plain = TcpStream::connect(secure.server.address).await.expect("the server listens");
    plain.write_all(b"GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("the server reads");
    let mut answer = String::new();
    must("an answer", plain.read_to_string(&mut answer)).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("this port speaks TLS"), "{answer}");
    // Noise, the beginning of a handshake and then nothing, and nothing at all.
    for beginning in [&b"\x00\x01\x02 noise"[..], b"\x16\x03\x01\x02\x00\x01", b""] {
        let mut stream = TcpStream::connect(secure.server.address).await.expect("the server listens");
        stream.write_all(beginning).await.expect("the server reads");
        let ended = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "the server waits for ever after {beginning:?}");
    }
    is_served(&mut open, "still").await;
}

/// The end of a connection is told by TLS as well (RFC 8446 §6.1): rustls makes an error of an end without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_is_authentic() {
    let secure = Secure::start(|settings| settings.timeouts.close = Duration::from_millis(100)).await;
    let mut client = subscriber(secure.connect().await).await;
    let stopping = tokio::spawn(secure.server.stop());
    assert_eq!(client.close_code().await, Some(1012));
    let mut rest = Vec::new();
    must("the end of a connection", client.stream.read_to_end(&mut rest)).await.expect("no truncation");
    assert!(rest.is_empty());
    stopping.await.expect("the server ends");
}

/// A client that vanishes, in the middle of a record or between two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_may_vanish() {
    let secure = Secure::start(|_| ()).await;
    drop(subscriber(secure.connect().await).await);
    let RawClient { stream } = subscriber(secure.connect().await).await;
    let (mut tcp, _session) = stream.into_inner();
    tcp.write_all(b"\x17\x03\x03\x00\x40half").await.expect("the server reads");
    drop(tcp);
    // A record that nobody can have made.
    let RawClient { stream } = subscriber(secure.connect().await).await;
    let (mut tcp, _session) = stream.into_inner();
    tcp.write_all(b"\x17\x03\x03\x00\x20 0123456789abcdef0123456789abcde").await.expect("the server reads");
    let ended = timeout(PATIENCE, tcp.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok(), "a forged record ends the connection");
    secure.server.counted(Count::Disconnected, 3).await;
}

#[test]
fn a_certificate_is_known_by_its_fingerprint() {
    let pair = Pair::new();
    let tls = Tls::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes()).expect("a pair");
    let digest = ring::digest::digest(&ring::digest::SHA256, &pair.der());
    let bytes: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(tls.fingerprint(), bytes.join(":"));
}

/// Of a server that speaks nothing but TLS, pages without it are not its own, although they have the same name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_without_tls_is_not_the_servers_own() {
    let secure = Secure::start(|settings| settings.publish_key = Some(Secret::new("key"))).await;
    let port = secure.server.address.port();
    for (host, origin, status) in [
        (format!("gate.example.org:{port}"), format!("https://gate.example.org:{port}"), "101"),
        (format!("gate.example.org:{port}"), format!("http://gate.example.org:{port}"), "403"),
        // Each on the usual port of its scheme, which the other has too as far as anybody says.
        ("gate.example.org".to_owned(), "https://gate.example.org".to_owned(), "101"),
        ("gate.example.org".to_owned(), "http://gate.example.org".to_owned(), "403"),
    ] {
        let mut stream = secure.connect().await;
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        let mut answer = [0; 12];
        let answered = timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("an answer in time");
        answered.expect("an answer");
        assert_eq!(&answer[9..], status.as_bytes(), "{host} {origin}");
    }
}
