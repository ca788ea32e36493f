use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use crate::{
    geocast::{Running, code, geocast, run, stderr, stdout},
    redis_server::RedisServer,
    terminal::Terminal,
};

/// What `head` does.
#[test]
fn who_has_read_enough_hears_no_complaint() {
    for arguments in [
        &["config", "default"][..],
        &["config", "show"],
        &["describe", "openapi"],
        &["completions", "bash"],
        &["man"],
    ] {
        let mut child = geocast(arguments).spawn().expect("the binary was built");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("it is piped").read_to_string(&mut said).expect("text");
        let status = child.wait().expect("it is our child");
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

/// Whoever answers nothing is waited for, and on a terminal it is said for whom.
#[test]
fn what_is_waited_for_is_told_to_who_looks_on() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let (url, redis) = (format!("ws://{address}/ws"), format!("redis://{address}"));
    let (server, connecting) = (format!("waiting for {url}"), format!("connecting to {url}"));
    let (url, asking) = (&url, format!("asking {address} what it is"));
    let cases: [(&[&str], &str); 6] = [
        (&["get", "a"], &connecting),
        (&["sub", "a"], &connecting),
        (&["pub", "a", "1"], &server),
        (&["probe", "--timeout", "60s"], &server),
        (&["top", "--token", "a"], &server),
        (&["doctor", &redis], &asking),
    ];
    thread::scope(|scope| {
        for (arguments, expected) in cases {
            scope.spawn(move || {
                let terminal = Terminal::open();
                let mut command = geocast(arguments);
                command.env("GEOCAST_URL", url);
                let mut child = terminal.start(command);
                terminal.wait_for(" s\u{1b}[K");
                let shown = terminal.shown();
                child.kill().expect("it is our child");
                child.wait().expect("it is our child");
                let line = shown.trim_start().split('\u{1b}').next().unwrap_or_default();
                let (what, time) = line.rsplit_once(": ").expect("so long");
                assert_eq!(what, expected, "{arguments:?}: {shown:?}");
                let seconds = time.strip_suffix(" s").and_then(|seconds| seconds.parse().ok());
                assert!(seconds >= Some(1), "{arguments:?}: {shown:?}");
            });
        }
    });
    let piped = run(&["get", "a", "--url", url, "--timeout", "2s"]);
    assert_eq!(code(&piped), 3, "{}", stderr(&piped));
    assert!(!stderr(&piped).contains("connecting"), "{}", stderr(&piped));
}

/// A Redis that has let doctor connect, and says nothing when it is asked for keys.
#[test]
fn doctor_tells_what_it_waits_for_when_it_is_connected() {
    let redis = RedisServer::start(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("redis://{}", listener.local_addr().expect("an address"));
    let port = redis.port();
    // It ends with the test's process, which is the last to hold its sockets.
    thread::spawn(move || {
        for ours in listener.incoming().map_while(Result::ok) {
            let theirs = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
            let cloned = |stream: &TcpStream| stream.try_clone().expect("there are descriptors");
            let (mut answers, mut back) = (cloned(&theirs), cloned(&ours));
            thread::spawn(move || std::io::copy(&mut answers, &mut back));
            thread::spawn(move || pass_on_until(&ours, &theirs, b"\r\nSCAN\r\n"));
        }
    });
    let terminal = Terminal::open();
    let mut child = terminal.start(geocast(&["doctor", &url]));
    terminal.wait_for("\rlooking at keys: 0 of 0: ");
    child.kill().expect("it is our child");
    child.wait().expect("it is our child");
}

/// Passes bytes on, and none any more when these words have come.
fn pass_on_until(mut from: &TcpStream, mut to: &TcpStream, words: &[u8]) {
    let mut some = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut some) {
        if some[..read].windows(words.len()).any(|window| window == words) {
            // Held open, so that the silence is no end.
            loop {
                thread::park();
            }
        }
        if to.write_all(&some[..read]).is_err() {
            return;
        }
    }
}

/// Values and log lines; the values are indented either way.
#[test]
fn colours_are_for_terminals_and_for_who_wants_them() {
    let (esc, value) = ("\u{1b}[", r#"{"a":1}"#);
    let shown = |arguments: &[&str], no_color: Option<&str>, last: &str| {
        let terminal = Terminal::open();
        let mut command = geocast(arguments);
        match no_color {
            Some(value) => command.env("NO_COLOR", value),
            None => command.env_remove("NO_COLOR"),
        };
        let mut child = terminal.start(command);
        terminal.wait_for(last);
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
        terminal.shown()
    };
    let server = Running::server(&["serve", "--port", "0"]);
    let url = server.url();
    let published = run(&["pub", "a", "--key", "k", value, "--url", &url]);
    assert_eq!(code(&published), 0, "{}", stderr(&published));
    for (no_color, is_coloured) in [(None, true), (Some(""), true), (Some("1"), false)] {
        let got = shown(&["get", "a", "k", "--url", &url], no_color, "}");
        assert_eq!(got.contains(esc), is_coloured, "NO_COLOR {no_color:?}: {got:?}");
        assert_eq!(got.contains(r#"{"a": 1}"#), !is_coloured, "NO_COLOR {no_color:?}: {got:?}");
        let logged = shown(&["serve", "--port", "0", "--log", "debug"], no_color, "listens on");
        assert!(logged.contains("DEBUG"), "{logged:?}");
        assert_eq!(logged.contains(esc), is_coloured, "NO_COLOR {no_color:?}: {logged:?}");
    }
    assert_eq!(stdout(&run(&["get", "a", "k", "--url", &url])), format!("{value}\n"));
}

/// What a server says at its start leads to it.
#[test]
fn a_unix_socket_is_announced_as_clients_take_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("g.sock").display().to_string();
    let server = Running::start(geocast(&["serve", "--usock", &socket]));
    server.wait_for("publishing");
    let said = server.said();
    let url = said.lines().find_map(|line| line.trim().strip_prefix("websocket")).expect("it is told").trim();
    assert_eq!(url, format!("unix:{socket}"));
    let output = run(&["pub", "a", "1", "--url", url]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}
