//! How many may connect from where, how fast, and what becomes of those who only hold a place.

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use geocast_server::{Count, RateLimit, Secret, Settings};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::{
    http_client::{get, refused_upgrade},
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::{PATIENCE, must, until},
};

on_both_stores!(
    clients_of_a_trusted_proxy_are_counted_by_their_addresses,
    an_address_that_connects_too_fast_is_told_to_wait,
    nobody_but_a_trusted_proxy_is_believed,
    a_storm_is_accepted_steadily,
    slow_handshakes_take_no_place_from_clients_and_go,
    who_says_nothing_makes_room,
    a_slow_body_is_given_up,
    a_flood_of_pings_is_slowed,
    a_message_of_one_byte_fragments_is_one_command,
    fragments_without_end_keep_nobody_waiting,
);

const PROXIED: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: ";

/// A WebSocket for a client that a proxy on this machine names, and the status.
pub(crate) async fn proxied(server: &TestServer, client: &str) -> (TcpStream, u16) {
    let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
    stream.write_all(format!("{PROXIED}{client}\r\n\r\n").as_bytes()).await.expect("the server reads");
    let mut answer = [0; 12];
    must("the answer to a handshake", stream.read_exact(&mut answer)).await.expect("an answer");
    let status = std::str::from_utf8(&answer[9..]).ok().and_then(|status| status.parse().ok());
    (stream, status.expect("a status"))
}

pub(crate) fn trust_this_machine(settings: &mut Settings) {
    settings.trusted_proxies.proxies = vec!["127.0.0.0/8".parse().expect("a range")];
}

async fn clients_of_a_trusted_proxy_are_counted_by_their_addresses(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        trust_this_machine(settings);
        settings.limits.address_connections = NonZeroUsize::new(2);
    })
    .await;
    let mut first = Vec::new();
    for (client, status) in [
        ("2001:db8::1", 101),
        ("2001:db8::2", 101),
        ("2001:db8::3", 429),
        ("2001:db8:0:1::3", 101),
        ("192.0.2.1", 101),
        // Whatever the client itself has written before.
        ("192.0.2.77, 192.0.2.1", 101),
        ("192.0.2.78, 192.0.2.1", 429),
    ] {
        let (stream, answered) = proxied(&server, client).await;
        assert_eq!(answered, status, "{client}");
        first.push(stream);
    }
    assert_eq!(server.count(Count::ConnectionRefused), 2);
    let refused = refused_upgrade(server.address, "/ws", &["X-Forwarded-For: 192.0.2.1"]).await;
    assert_eq!(refused.json()["error"]["code"], "address_limit");
    assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
    drop(first);
    server.counted(Count::Disconnected, 5).await;
    assert_eq!(proxied(&server, "192.0.2.1").await.1, 101, "there is room again");
}

async fn an_address_that_connects_too_fast_is_told_to_wait(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        trust_this_machine(settings);
        settings.limits.address_rate = Some(RateLimit { per_second: 2, burst: 3 });
    })
    .await;
    for client in ["192.0.2.1", "192.0.2.2"] {
        let start = Instant::now();
        let connecting = (0..200).map(|_| proxied(&server, client));
        let connected = futures_util::future::join_all(connecting).await;
        let admitted = connected.iter().filter(|(_, status)| *status == 101).count();
        let refused = connected.iter().filter(|(_, status)| *status == 429).count();
        assert_eq!(admitted + refused, 200, "{client}");
        // Three at once, and two per second in the long run.
        let most = 3.0 + 2.0 * start.elapsed().as_secs_f64();
        assert!(admitted >= 3 && admitted as f64 <= most, "{client}: {admitted}, of {most} at most");
    }
    // The proxy itself speaks for nobody here: it is not counted.
    server.client().await.settled().await;
    until("an address to be admitted again", async || match proxied(&server, "192.0.2.1").await.1 {
        101 => Ok(()),
        status => Err(status),
    })
    .await;
}

async fn nobody_but_a_trusted_proxy_is_believed(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.trusted_proxies.proxies = vec!["10.0.0.0/8".parse().expect("a range")];
        settings.limits.address_connections = NonZeroUsize::new(1);
    })
    .await;
    // Who connects from this machine is not counted, whatever it says.
    for _ in 0..3 {
        assert_eq!(proxied(&server, "192.0.2.1").await.1, 101);
    }
}

async fn a_storm_is_accepted_steadily(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.accept_rate = Some(RateLimit { per_second: 50, burst: 10 });
    })
    .await;
    let start = Instant::now();
    let connecting = (0..40).map(|_| server.client());
    let mut clients = futures_util::future::join_all(connecting).await;
    // Ten at once, thirty at fifty per second.
    assert!(start.elapsed() > Duration::from_millis(590), "{:?}", start.elapsed());
    for client in &mut clients {
        client.settled().await;
    }
}

async fn slow_handshakes_take_no_place_from_clients_and_go(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.plain_connections = 100;
        settings.timeouts.header = Duration::from_secs(2);
    })
    .await;
    let mut witness = server.subscriber("news", &[]).await;
    let mut slow = Vec::new();
    for _ in 0..400 {
        let mut stream = TcpStream::connect(server.address).await.expect("the system takes connections");
        stream.write_all(b"GET /ws HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.expect("the system takes bytes");
        slow.push(stream);
    }
    for number in 0..5 {
        let brought = server.brings(&mut witness, "news", [number.to_string()]).await;
        assert_eq!(brought, [serde_json::json!(number)], "who is connected notices nothing");
    }
    // Behind all of those: a hundred at a time have two seconds.
    assert_eq!(get(server.address, "/live").await.status, 200);
    drop(slow);
    server.client().await.settled().await;
}

/// With the header timeout alone, as long as a minute each.
async fn who_says_nothing_makes_room(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.plain_connections = 30;
        settings.timeouts.header = Duration::from_secs(60);
        settings.timeouts.request = Duration::from_secs(60);
        settings.publish_key = Some(Secret::new("key"));
    })
    .await;
    let mut witness = server.subscriber("news", &[]).await;
    let mut silent = Vec::new();
    for beginning in [
        "",
        "GET /ws HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        "GET /live HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /api/publish/news?pwd=key HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1",
    ] {
        for _ in 0..10 {
            let mut stream = TcpStream::connect(server.address).await.expect("the system takes connections");
            stream.write_all(beginning.as_bytes()).await.expect("the system takes bytes");
            silent.push(stream);
        }
    }
    let mut busy =
        BufReader::new(TcpStream::connect(server.address).await.expect("the system takes connections"));
    let start = Instant::now();
    for _ in 0..10 {
        busy.write_all(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("who asks stays");
        let mut line = String::new();
        while !line.ends_with("\r\n\r\n") {
            assert!(busy.read_line(&mut line).await.expect("who asks stays") > 0, "{line:?}");
        }
        let length = "content-length: ";
        let body = line.lines().find_map(|line| line.strip_prefix(length)).expect("its length");
        busy.read_exact(&mut vec![0; body.parse().expect("a number")]).await.expect("who asks stays");
        let stranger = TcpStream::connect(server.address).await.expect("the system takes connections");
        silent.push(stranger);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert!(server.count(Count::ConnectionRefused) > 0);
    let brought = server.brings(&mut witness, "news", ["1".to_owned()]).await;
    assert_eq!(brought, [serde_json::json!(1)], "who is connected notices nothing");
    drop(silent);
}

async fn a_slow_body_is_given_up(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.timeouts.request = Duration::from_millis(700);
        settings.publish_key = Some(Secret::new("key"));
    })
    .await;
    let mut witness = server.client().await;
    let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
    let head = "POST /api/publish/news?pwd=key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    let start = Instant::now();
    let (mut read, mut write) = stream.split();
    let dribble = async {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut answer = Vec::new();
    let answered = async { while read.read_buf(&mut answer).await.is_ok_and(|length| length > 0) {} };
    tokio::select! {
        () = dribble => {}
        () = answered => {}
        () = tokio::time::sleep(PATIENCE) => panic!("the connection is still there"),
    }
    assert!(start.elapsed() > Duration::from_millis(690), "{:?}", start.elapsed());
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request_timeout"), "{answer}");
    witness.settled().await;
}

async fn a_flood_of_pings_is_slowed(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.commands_per_second = 100;
        settings.limits.command_burst = 10;
    })
    .await;
    let mut client = RawClient::connect(server.address).await;
    client.next_frame().await.expect("the greeting");
    let start = Instant::now();
    client.send((0..60_u8).flat_map(|number| frame(0x89, &[number])).collect::<Vec<u8>>()).await;
    for number in 0..60 {
        assert_eq!(client.next_frame().await, Some((0x8a, vec![number])), "each is answered, in order");
    }
    assert!(start.elapsed() > Duration::from_millis(450), "{:?}", start.elapsed());
    assert!(server.count(Count::CommandDelayed) > 0);
}

async fn a_message_of_one_byte_fragments_is_one_command(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = RawClient::connect(server.address).await;
    client.next_frame().await.expect("the greeting");
    let message = format!("PING a={}", "x".repeat(5_000));
    let (first, rest) = message.as_bytes().split_first().expect("there is one");
    let (last, middle) = rest.split_last().expect("there is one");
    let mut frames = frame(0x01, &[*first]);
    frames.extend(middle.iter().flat_map(|byte| frame(0x00, &[*byte])));
    frames.extend(frame(0x80, &[*last]));
    client.send(frames).await;
    let (first, answer) = client.next_frame().await.expect("an answer");
    assert_eq!(first, TEXT);
    assert!(String::from_utf8_lossy(&answer).contains("\"PONG\""));
    assert_eq!(server.count(Count::CommandDelayed), 0);
}

async fn fragments_without_end_keep_nobody_waiting(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.workers = NonZeroUsize::MIN).await;
    let mut witness = server.subscriber("news", &[]).await;
    let endless = RawClient::connect(server.address).await;
    let (mut read, mut write) = endless.stream.into_split();
    let flood = tokio::spawn(async move {
        let empty: Vec<u8> = (0..10_000).flat_map(|_| frame(0x00, b"")).collect();
        let mut sent = write.write_all(&frame(0x01, b"x")).await;
        while sent.is_ok() {
            sent = write.write_all(&empty).await;
        }
    });
    let drain = tokio::spawn(async move {
        let mut bytes = [0; 1024];
        while read.read(&mut bytes).await.is_ok_and(|length| length > 0) {}
    });
    // Whoever reads without a pause as long as there is something to read, never comes to these.
    for _ in 0..20 {
        server.publish("news", "1").await;
        assert_eq!(witness.next_content().await, 1);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!flood.is_finished() && !drain.is_finished(), "the flood is over");
    flood.abort();
    drain.abort();
}
