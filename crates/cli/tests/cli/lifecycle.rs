use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

use serde_json::Value;

use crate::{
    geocast::{Running, code, geocast, run, stderr, stdout},
    redis_server::RedisServer,
};

#[test]
fn a_port_in_use_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = run(&["serve", "--port", &port.to_string()]);
    assert_eq!((code(&output), stdout(&output).as_str()), (1, ""));
    let expected = format!(
        "geocast: port {port} is in use on 127.0.0.1; choose another one with --port {}, \
         or any that is free with --port 0\n",
        port + 1
    );
    assert_eq!(stderr(&output), expected);
}

#[test]
fn an_address_that_is_not_ours_is_one_clear_line() {
    // TEST-NET-1 (RFC 5737) belongs to no machine.
    let output = run(&["serve", "--host", "192.0.2.1"]);
    assert_eq!(code(&output), 1);
    let said = stderr(&output);
    assert!(
        said.starts_with("geocast: 192.0.2.1 is no address of this machine") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn the_start_says_what_to_open_and_what_may_be_read() {
    let server = Running::server(&["serve", "--port", "0"]);
    let address = server.address();
    server.wait_for("publishing open to this machine\n");
    let said = server.said();
    for line in [
        format!("  page       http://{address}/\n"),
        format!("  websocket  ws://{address}/ws\n"),
        "  store      embedded, in memory".to_owned(),
        "  channels   all\n".to_owned(),
    ] {
        assert!(said.contains(&line), "{line} is not in {said}");
    }
    let redis = RedisServer::start(&[]);
    let server = Running::server(&["serve", "--port", "0", "--redis", &redis.url()]);
    server.wait_for("no channel may be read: name those that may with --channels");
}

#[test]
fn with_json_logs_every_line_is_json() {
    let mut server = Running::start(geocast(&["serve", "--port", "0", "--log-format", "json"]));
    server.wait_for("\"websocket\":\"ws://127.0.0.1:");
    server.signal("INT");
    assert_eq!(server.code(), 0);
    server.wait_for("stopped");
    for line in server.said().lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line["level"] == "INFO"), "{line}");
    }
}

#[test]
fn a_signal_drains_and_ends_well() {
    for signal in ["TERM", "INT"] {
        let mut server = Running::server(&["serve", "--port", "0"]);
        let mut stream = upgraded(&server);
        server.signal(signal);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        // A closing frame with code 1012 (RFC 6455 §5.5.1): opcode 8, and the code as the first two bytes.
        let code = rest.windows(2).rposition(|bytes| bytes == 1012_u16.to_be_bytes()).expect("a code");
        let reason = std::str::from_utf8(&rest[code + 2..]).expect("a reason is text");
        assert_eq!(rest[code - 2..code], [0x88, 2 + u8::try_from(reason.len()).expect("it is short")]);
        let wait =
            reason.strip_prefix("server restarts; retry in ").and_then(|rest| rest.strip_suffix(" ms"));
        let wait = wait.and_then(|wait| wait.parse::<u32>().ok()).expect("a number of milliseconds");
        assert!((500..=5_000).contains(&wait), "{wait}");
        assert_eq!(server.code(), 0);
        server.wait_for("stopped");
        assert!(server.ready_line().is_none(), "standard output stays clean");
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut server =
        Running::server(&["serve", "--port", "0", "--close-timeout", "1h", "--drain-timeout", "1h"]);
    let _deaf = upgraded(&server);
    server.signal("TERM");
    server.wait_for("once more to stop at once");
    server.signal("TERM");
    assert_eq!(server.code(), 130);
}

/// A connection that has become a WebSocket and says nothing more.
fn upgraded(server: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).expect("the server listens");
    let request = "GET /ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\"client_reference\":null}") {
        stream.read_exact(&mut byte).expect("the server answers");
        seen.push(byte[0]);
    }
    assert!(seen.starts_with(b"HTTP/1.1 101 "));
    stream
}
