//! How a server logs: for whom, and what of a connection.

use std::{
    fs,
    io::Read,
    net::{SocketAddr, TcpListener},
    process::{Command, Stdio},
    time::Instant,
};

use serde_json::Value;

use crate::{
    geocast::{Running, asked, geocast, greeted, wait_until},
    http::HttpConnection,
};

/// Lines of a log for programs, each of which has to be an object.
fn events(server: &Running) -> Vec<Value> {
    let said = server.said();
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    said.lines().map(read).collect()
}

/// The first event of this name, once there is one.
fn event(server: &Running, name: &str) -> Value {
    server.wait_for(&format!("\"event\":\"{name}\""));
    events(server).into_iter().find(|event| event["event"] == name).expect("it was said")
}

/// As where standard error is no terminal.
fn unattended(arguments: &[&str]) -> Command {
    let mut command = geocast(arguments);
    command.env_remove("GEOCAST_LOG_FORMAT");
    command
}

#[test]
fn without_a_terminal_every_line_is_an_object_that_names_its_event() {
    let mut server = Running::start(unattended(&["serve", "--port", "0"]));
    let listening = event(&server, "listening");
    assert_eq!(listening["message"], "listening");
    let address: SocketAddr = listening["address"].as_str().expect("an address").parse().unwrap();
    let client = greeted(address);
    drop(client);
    server.signal("TERM");
    assert_eq!(server.code(), 0);
    assert_eq!(event(&server, "stopping")["signal"], "SIGTERM");
    event(&server, "stopped");
    for event in events(&server) {
        assert!(event["event"].is_string() && event["timestamp"].is_string(), "{event}");
        assert!(event["span"].is_null(), "nobody asked for spans: {event}");
    }
}

/// Where a server listens whose log is for programs.
fn address(server: &Running) -> SocketAddr {
    event(server, "listening")["address"].as_str().expect("an address").parse().expect("it is one")
}

/// What a server that has ended said from the signal on, in this order.
fn ending(server: &Running) -> Vec<String> {
    let names = events(server).into_iter().map(|event| event["event"].as_str().expect("a name").to_owned());
    names.skip_while(|name| name != "stopping").collect()
}

#[test]
fn a_server_that_stops_says_what_it_does_when_it_does_it() {
    let mut server = Running::start(unattended(&["serve", "--port", "0"]));
    let client = greeted(address(&server));
    server.signal("TERM");
    assert_eq!(server.code(), 0);
    assert_eq!(
        ending(&server),
        ["stopping", "connections_closing", "stopped"],
        "nobody has asked for /ready"
    );
    assert_eq!(event(&server, "connections_closing")["connections"], 1);
    drop(client);

    let readied = |delay: &str| {
        let server = Running::start(unattended(&["serve", "--port", "0", "--drain-delay", delay]));
        let client = greeted(address(&server));
        let ready = HttpConnection::open(address(&server)).unwrap().request("GET", "/ready", "");
        assert_eq!(ready.expect("it answers").0, 200);
        server.signal("TERM");
        (server, client)
    };
    let (mut server, mut client) = readied("300ms");
    assert_eq!(event(&server, "not_ready")["delay"], "300ms");
    assert_eq!(server.code(), 0);
    assert_eq!(ending(&server), ["stopping", "not_ready", "connections_closing", "stopped"]);
    client.read_to_end(&mut Vec::new()).expect("it is closed in order");

    let (mut server, _client) = readied("1h");
    server.wait_for("not ready any more; connections are closed in 3600s");
    server.signal("TERM");
    assert_eq!(server.code(), 130);
    assert_eq!(ending(&server), ["stopping", "not_ready", "stopped_at_once"], "none is closed before");
}

#[test]
fn a_full_house_is_told_of_and_not_for_everybody_who_is_refused() {
    const REFUSED: usize = 200;
    let server = Running::start(unattended(&["serve", "--port", "0", "--max-connections", "1"]));
    let address = address(&server);
    let _only = greeted(address);
    let is_full = |event: &Value| event["event"] == "connections_full";
    let said = || events(&server).into_iter().filter(is_full).count();
    assert_eq!(said(), 0, "nobody has been refused");
    let begin = Instant::now();
    for _ in 0..REFUSED {
        assert_eq!(asked(address).1, 503);
    }
    let took = begin.elapsed();
    let first = event(&server, "connections_full");
    assert_eq!(
        (&first["level"], &first["limit"], &first["unlogged"]),
        (&"WARN".into(), &1.into(), &0.into())
    );
    assert_eq!(first["message"], "a WebSocket is refused: all --max-connections are taken");
    // The end comes behind all that was said before it.
    server.signal("TERM");
    event(&server, "connections_closing");
    let lines = said();
    // Ten in ten seconds, and again ten in the next, if it took as long.
    let windows = usize::try_from(took.as_secs() / 10).expect("it is not") + 1;
    assert!((10..=10 * windows).contains(&lines) && lines < REFUSED, "{lines} lines in {took:?}");
}

#[test]
fn a_start_that_fails_is_a_line_like_the_others() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for command in ["serve", "demo"] {
        let ended = unattended(&[command, "--port", &port]).output().unwrap();
        let lines = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), lines.lines().count()), (Some(1), 1), "{lines}");
        let failed: Value = serde_json::from_str(&lines).expect("an object");
        assert_eq!((&failed["event"], &failed["level"]), (&"failed".into(), &"ERROR".into()), "{lines}");
        assert!(failed["error"].as_str().is_some_and(|error| error.contains("is in use")), "{lines}");
        let silent = unattended(&[command, "--port", &port, "--log", "off"]).output().unwrap();
        assert!(String::from_utf8_lossy(&silent.stderr).starts_with("geocast: port "), "{silent:?}");
    }
}

#[test]
fn what_is_logged_of_a_connection_says_of_which() {
    let arguments = ["serve", "--port", "0", "--log", "info,geocast::connection=debug"];
    let server = Running::start(unattended(&arguments));
    let address = event(&server, "listening")["address"].as_str().unwrap().parse().unwrap();
    let client = greeted(address);
    let connected = event(&server, "connected");
    let span = &connected["span"];
    assert_eq!((&span["name"], &span["dialect"]), (&"connection".into(), &"geocast.text".into()));
    assert_eq!(span["peer"], client.local_addr().unwrap().to_string());
    assert_eq!((&span["id"], &span["closed"]), (&1.into(), &Value::Null), "{connected}");
    drop(client);
    let gone = event(&server, "disconnected");
    assert_eq!((&gone["span"]["id"], &gone["span"]["closed"]), (&1.into(), &"client_gone".into()), "{gone}");
    assert!(connected["spans"].is_null(), "said twice: {connected}");

    let mut server = Running::start(geocast(&arguments));
    server.wait_for("listens on");
    let client = greeted(server.address());
    server.wait_for(" DEBUG connection{id=1 peer=127.0.0.1:");
    server.wait_for(" dialect=\"geocast.text\"}: a client is connected\n");
    server.signal("TERM");
    drop(client);
    assert_eq!(server.code(), 0);
    server.wait_for("}: a client is gone\n");
    assert!(!server.said().contains("event="), "names of events are for programs: {}", server.said());
}

/// Ends a process that is not our child.
struct Ended(String);

impl Drop for Ended {
    fn drop(&mut self) {
        let _gone = Command::new("kill").args(["-KILL", &self.0]).stderr(Stdio::null()).status();
    }
}

#[test]
fn on_a_terminal_lines_are_for_people() {
    let program = unattended(&[]).get_program().to_str().unwrap().to_owned();
    let mut command = Command::new("script");
    command
        .args(["-qec", &format!("exec {program} serve --port 0"), "/dev/null"])
        .env_remove("GEOCAST_LOG_FORMAT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut terminal = Running::start(command);
    let children = format!("/proc/{id}/task/{id}/children", id = terminal.id());
    let mut child = String::new();
    wait_until(
        || {
            fs::read_to_string(&children).unwrap_or_default().trim().clone_into(&mut child);
            !child.is_empty()
        },
        || "nobody runs in the terminal".to_owned(),
    );
    let server = Ended(child);
    while !terminal.line().contains(" listens on 127.0.0.1:") {}
    assert!(Command::new("kill").args(["-TERM", &server.0]).status().unwrap().success());
    let stopping =
        std::iter::repeat_with(|| terminal.line()).find(|line| line.contains("stopping; once more"));
    assert!(stopping.expect("it says so").contains("\u{1b}["), "terminals have colours");
    terminal.wait();
}

#[cfg(not(feature = "otel"))]
#[test]
fn traces_that_are_wanted_and_cannot_be_sent_are_told_of() {
    let mut command = geocast(&["serve", "--port", "0"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    let server = Running::start(command);
    server.wait_for("no traces are sent error=\"this program was built without the feature `otel`\"");
    server.wait_for("listens on");
}
