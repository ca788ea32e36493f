//! The options of aiows and rohrpost on the command line.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::{
    geocast::{Running, code, run, stderr},
    redis_server::RedisServer,
};

#[test]
fn aiows_is_started_as_it_was() {
    let server = Running::server(&[
        "serve",
        "--pwd",
        "some-secure-pwd",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--reuse-addr",
        "true",
        "--reuse-port",
        "true",
        "--url-prefix",
        "/rooms",
    ]);
    let post = |path: &str| {
        let mut stream = TcpStream::connect(server.address()).expect("the server listens");
        let head = "Host: localhost\r\nConnection: close\r\nContent-Length: 11";
        write!(stream, "POST {path} HTTP/1.1\r\n{head}\r\n\r\nHello world").expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer.split(' ').nth(1).expect("a status").to_owned()
    };
    assert_eq!(post("/rooms/channel/test-channel/?pwd=some-secure-pwd"), "201");
    assert_eq!(post("/rooms/channel/test-channel/?pwd=other"), "403");
    assert_eq!(post("/channel/test-channel/?pwd=some-secure-pwd"), "404");
}

#[test]
fn the_path_to_connect_to_is_shown_whichever_paths_are_spoken_on() {
    for (paths, expected) in [("*", "/ws\n"), ("/tracker/,/ws", "/ws\n"), ("/tracker/,/old/*", "/tracker/\n")]
    {
        let server = Running::server(&["serve", "--port", "0", "--text-paths", paths]);
        server.wait_for(&format!("  websocket  ws://{}{expected}", server.address()));
    }
}

#[test]
fn handlers_that_cannot_be_are_refused_at_the_start() {
    let start = |handlers: &str| {
        let output = run(&["serve", "--port", "0", "--rohrpost-handler", handlers]);
        (code(&output), stderr(&output))
    };
    for (handlers, expected) in [
        ("a=http://b/,a=http://c/", "there are two handlers of the type `a`"),
        ("ping=http://b/", "the type `ping` is handled by the server itself"),
        ("a=https://b/", "`https://b/` asks for TLS"),
        ("a", "`a` is not of the form type=http://host:port/path"),
    ] {
        let (code, said) = start(handlers);
        assert_eq!(code, 2, "{handlers}");
        assert!(said.contains(expected), "{handlers}: {said}");
    }
}

#[test]
fn a_redis_that_does_not_tell_of_writes_is_named_with_what_is_missing() {
    let redis = RedisServer::start(&["--notify-keyspace-events", "Kg"]);
    let server = Running::server(&["serve", "--port", "0", "--redis", &redis.url(), "--watch", "cars:*"]);
    server.wait_for("CONFIG SET notify-keyspace-events gKEhxe");
}
