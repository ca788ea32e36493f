//! One bad client: what becomes of it, and that nobody else notices.

use std::time::{Duration, Instant};

use futures_util::FutureExt;
use geocast_server::Count;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::{PATIENCE, must},
};

on_both_stores!(
    who_asks_by_http_and_never_reads_is_cut_off,
    what_breaks_the_websocket_protocol_is_closed_with_its_code,
    a_message_of_the_largest_size_is_taken,
    a_flood_of_commands_is_answered_in_the_end,
    a_flood_does_not_slow_others_down,
    a_client_that_is_too_fast_is_slowed_and_loses_nothing,
    a_half_closed_connection_is_cleared_away,
    a_connection_that_is_cut_is_cleared_away,
    a_handshake_that_does_not_end_is_given_up,
    garbage_instead_of_http_does_no_harm,
    fragments_and_control_frames_between_them_are_read,
);

async fn what_breaks_the_websocket_protocol_is_closed_with_its_code(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut witness = server.subscriber("news", &[]).await;
    let unmasked = [&[TEXT, 4][..], b"PING"].concat();
    let large = frame(TEXT, &vec![b'x'; 16 * 1024 + 1]);
    let fragments = [frame(0x01, &vec![b'x'; 10_000]), frame(0x80, &vec![b'x'; 10_000])].concat();
    let cases: [(&str, Vec<u8>, u16); 13] = [
        ("an oversize message", large, 1009),
        ("an oversize length alone", [&[TEXT, 0xff][..], &[0x7f; 8], &[0; 4]].concat(), 1009),
        ("fragments that are too large together", fragments, 1009),
        ("an oversize binary message", frame(0x82, &vec![0; 20_000]), 1009),
        ("text that is not UTF-8", frame(TEXT, b"SUB \xff\xfe"), 1007),
        ("half a character", frame(TEXT, b"SUB \xc3"), 1007),
        ("a frame without a mask", unmasked, 1002),
        ("an unknown opcode", frame(0x83, b"PING"), 1002),
        ("a reserved bit", frame(0xc1, b"PING"), 1002),
        ("a continuation of nothing", frame(0x80, b"PING"), 1002),
        ("a ping in fragments", frame(0x09, b"x"), 1002),
        ("a ping that is too long", frame(0x89, &[b'x'; 126]), 1002),
        ("text within fragments", [frame(0x01, b"PI"), frame(TEXT, b"NG")].concat(), 1002),
    ];
    for (closed, (name, bytes, code)) in (1..).zip(cases) {
        let mut client = RawClient::connect(server.address).await;
        client.send(bytes).await;
        assert_eq!(client.close_code().await, Some(code), "{name}");
        server.counted(Count::ClosedProtocol, closed).await;
        assert_eq!(server.brings(&mut witness, "news", ["1"]).await, [serde_json::json!(1)], "{name}");
    }
}

async fn a_message_of_the_largest_size_is_taken(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    let padding = "x".repeat(16 * 1024 - "PING a=".len());
    client.send(format!("PING a={padding}")).await;
    assert_eq!(client.next_content().await, "PONG");
}

async fn a_flood_of_commands_is_answered_in_the_end(backend: Backend) {
    let server =
        TestServer::start_with(backend, |settings| settings.limits.commands_per_second = 2_000).await;
    server.put("cars", "1", "1").await;
    let mut client = server.client().await;
    let commands: Vec<String> = (0..2_000).map(|id| format!("GET cars 1 {id}")).collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    client.send_together(&commands).await;
    for id in 0..2_000 {
        let answer = client.next().await;
        assert_eq!(answer["content"], 1);
        assert_eq!(answer["client_reference"], id.to_string());
    }
    assert!(server.count(Count::CommandDelayed) > 0);
}

async fn a_flood_does_not_slow_others_down(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut other = server.subscriber("news", &[]).await;
    let mut flooding = RawClient::connect(server.address).await;
    flooding.next_frame().await.expect("the greeting");
    // At the rate that one client has, it takes the server many minutes to come to the end.
    let commands = (0..20_000).flat_map(|_| frame(TEXT, b"BBOX 0 0 10 10"));
    let flood: Vec<u8> = commands.chain(frame(TEXT, b"PING client_ref=end")).collect();
    let (mut read, mut write) = flooding.stream.split();
    // It may not be read to the end: writing must not hold the test up.
    let _full = timeout(Duration::from_millis(100), write.write_all(&flood)).await;
    server.counted_at_least(Count::CommandDelayed, 1).await;
    for _ in 0..20 {
        other.settled().await;
        server.publish("news", "1").await;
        assert_eq!(other.next_content().await, 1);
    }
    let end = read.read_u8().now_or_never();
    assert!(end.is_none(), "the flood was over before the others were served: {end:?}");
}

async fn a_client_that_is_too_fast_is_slowed_and_loses_nothing(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.commands_per_second = 100;
        settings.limits.command_burst = 10;
    })
    .await;
    let mut client = server.client().await;
    let start = Instant::now();
    let commands: Vec<String> = (0..60).map(|id| format!("PING client_ref={id}")).collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    client.send_together(&commands).await;
    for id in 0..60 {
        assert_eq!(client.next().await["client_reference"], id.to_string());
    }
    // Ten at once, fifty at a hundred per second.
    let elapsed = start.elapsed();
    assert!(elapsed > Duration::from_millis(450), "{elapsed:?}");
}

/// Waits until this many connections have ended.
async fn ended(server: &TestServer, number: u64) {
    server.counted(Count::Disconnected, number).await;
}

async fn a_half_closed_connection_is_cleared_away(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut witness = server.subscriber("news", &[]).await;
    let mut client = RawClient::connect(server.address).await;
    client.send(frame(TEXT, b"SUB news")).await;
    client.stream.shutdown().await.expect("one half can be closed");
    assert!(client.ends_within(PATIENCE).await, "the server closes the other half");
    ended(&server, 1).await;
    assert_eq!(server.brings(&mut witness, "news", ["1"]).await.len(), 1);
}

async fn a_connection_that_is_cut_is_cleared_away(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut witness = server.subscriber("news", &[]).await;
    for number in 1..=3 {
        let mut client = RawClient::connect(server.address).await;
        client.send(frame(TEXT, b"SUB news")).await;
        // In the middle of a frame, and by a reset rather than in order.
        client.send(&frame(TEXT, b"GET news")[..5]).await;
        client.stream.set_zero_linger().expect("the option is known");
        drop(client);
        server.publish("news", "1").await;
        ended(&server, number).await;
    }
    assert_eq!(server.received(&mut witness, "news").await.len(), 3);
}

async fn a_handshake_that_does_not_end_is_given_up(backend: Backend) {
    let server =
        TestServer::start_with(backend, |settings| settings.timeouts.header = Duration::from_millis(200))
            .await;
    let start = Instant::now();
    let mut silent = TcpStream::connect(server.address).await.expect("the server listens");
    let mut slow = TcpStream::connect(server.address).await.expect("the server listens");
    slow.write_all(b"GET /ws HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.expect("the server reads");
    for stream in [&mut silent, &mut slow] {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "the connection is closed");
    }
    assert!(start.elapsed() >= Duration::from_millis(190), "{:?}", start.elapsed());
    server.client().await.settled().await;
}

async fn garbage_instead_of_http_does_no_harm(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut witness = server.client().await;
    let garbage: [&[u8]; 5] = [
        &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03],
        &[0; 4096],
        &[0xff; 4096],
        b"GET\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    ];
    for bytes in garbage {
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        let _refused = stream.write_all(bytes).await;
        let _closed = stream.shutdown().await;
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the connection is closed");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        witness.settled().await;
    }
    assert_eq!(server.count(Count::Connected), 1);
}

async fn fragments_and_control_frames_between_them_are_read(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = RawClient::connect(server.address).await;
    client.next_frame().await.expect("the greeting");
    client.send([frame(0x01, b"PI"), frame(0x89, b"hello"), frame(0x80, b"NG")].concat()).await;
    let frames = [client.next_frame().await.expect("a frame"), client.next_frame().await.expect("a frame")];
    assert_eq!(frames[0], (0x8a, b"hello".to_vec()), "a ping is answered with what it said");
    assert_eq!(frames[1].0, TEXT);
    assert!(String::from_utf8_lossy(&frames[1].1).contains("\"PONG\""));
    for byte in frame(TEXT, b"PING client_ref=slow") {
        client.send([byte]).await;
    }
    let (_, payload) = client.next_frame().await.expect("a frame");
    assert!(String::from_utf8_lossy(&payload).contains("\"slow\""));
    client.send(frame(0x88, &1000_u16.to_be_bytes())).await;
    assert_eq!(client.close_code().await, Some(1000), "a close is answered with its code");
}

/// Its connection is no WebSocket, whose mailbox has bounds of its own.
async fn who_asks_by_http_and_never_reads_is_cut_off(backend: Backend) {
    let server =
        TestServer::start_with(backend, |settings| settings.timeouts.write = Duration::from_millis(300))
            .await;
    let socket = TcpSocket::new_v4().expect("there are sockets");
    socket.set_recv_buffer_size(4096).expect("a buffer may be small");
    let mut stream = socket.connect(server.address).await.expect("the server listens");
    let requests = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    let asking = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
    must("the server to end the connection", asking).await;
}
