use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::geocast::{PATIENCE, Running, wait_until};

/// A server that may have so many files open, and cannot change that.
fn server_with(descriptors: u32, arguments: &str) -> Running {
    let mut command = Command::new("sh");
    let run = format!(
        "ulimit -n {descriptors}; exec {} serve --log-format human --port 0 --workers 2 {arguments}",
        env!("CARGO_BIN_EXE_geocast")
    );
    command.args(["-c", &run]).stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let server = Running::start(command);
    server.wait_for("listens on");
    server
}

/// Sends a request, and reads the status of the answer.
fn ask(address: SocketAddr, request: &str) -> std::io::Result<(TcpStream, u16)> {
    let mut stream = send(address, request)?;
    let status = status(&mut stream)?;
    Ok((stream, status))
}

fn send(address: SocketAddr, request: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    Ok(stream)
}

fn status(stream: &mut TcpStream) -> std::io::Result<u16> {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    let status = std::str::from_utf8(&answer[9..]).ok().and_then(|status| status.parse().ok());
    Ok(status.expect("a status"))
}

/// Sends a PING of the text dialect, and waits for its answer.
fn ping(client: &mut TcpStream) {
    // Masked, with zeros.
    client.write_all(&[0x81, 0x84, 0, 0, 0, 0, b'P', b'I', b'N', b'G']).expect("it is connected");
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("PONG") {
        let mut bytes = [0; 1024];
        let length = client.read(&mut bytes).expect("an answer comes");
        assert!(length > 0, "it is still connected");
        seen.extend(&bytes[..length]);
    }
}

fn is_healthy(address: SocketAddr) -> bool {
    ["/live", "/ready"].iter().all(|path| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        ask(address, &request).is_ok_and(|(_, status)| status == 200)
    })
}

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[test]
fn with_all_descriptors_taken_by_clients_the_server_is_healthy_and_takes_new_ones_later() {
    let server = server_with(160, "");
    let address = server.address();
    server.wait_for("fewer clients can be connected at the same time than are allowed");
    server.wait_for(" wanted=100000 open_files=160\n");
    let asked: Vec<(TcpStream, u16)> =
        (0..200).map(|_| ask(address, UPGRADE).expect("everybody gets an answer")).collect();
    let connected = asked.iter().filter(|(_, status)| *status == 101).count();
    assert!((40..130).contains(&connected), "{connected}");
    assert!(asked.iter().all(|(_, status)| [101, 503].contains(status)));
    assert!(is_healthy(address));
    drop(asked);
    wait_until(
        || ask(address, UPGRADE).is_ok_and(|(_, status)| status == 101),
        || "nobody is let in any more".to_owned(),
    );
    assert!(!server.said().contains("cannot accept"), "{}", server.said());
}

#[test]
fn who_says_nothing_holds_places_only_for_a_while() {
    let server = server_with(160, "--header-timeout 2s");
    let address = server.address();
    let (mut client, status) = ask(address, UPGRADE).expect("an answer");
    assert_eq!(status, 101);
    // Many more than there are descriptors: the rest waits in the system's queue.
    let silent: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect(address).expect("the system takes connections")).collect();
    assert!(is_healthy(address), "behind those who said nothing");
    // The client of before is served all the time.
    ping(&mut client);
    drop(silent);
    assert!(is_healthy(address));
    assert!(!server.said().contains("cannot accept"), "{}", server.said());
}

/// The budget keeps that from happening. Where somebody else has taken what it counts on, nobody can be accepted for a while.
#[test]
fn who_cannot_be_accepted_waits_and_nobody_else_notices() {
    let server = server_with(160, "");
    let address = server.address();
    let (mut client, status_of_client) = ask(address, UPGRADE).expect("an answer");
    assert_eq!(status_of_client, 101);
    let process = Pid::from_raw(server.id().try_into().expect("ids are small"));
    let allow = |files| {
        let limit = Rlimit { current: Some(files), maximum: Some(160) };
        prlimit(process, Resource::Nofile, limit).expect("it is a process of ours").current
    };
    // Fewer than it has open.
    let before = allow(3);
    let begin = Instant::now();
    let mut waiting = send(address, UPGRADE).expect("the system takes connections");
    let failures = || server.said().matches("cannot accept a connection").count();
    wait_until(|| failures() >= 10, || format!("it has failed {} times", failures()));
    // It does not try without end.
    assert!(begin.elapsed() >= Duration::from_millis(900), "ten times within {:?}", begin.elapsed());
    assert!(server.said().contains("Too many open files"), "{}", server.said());
    ping(&mut client);
    assert_eq!(before.zip(allow(160)), Some((160, 3)));
    assert_eq!(status(&mut waiting).expect("an answer"), 101, "it has waited");
    assert_eq!(ask(address, UPGRADE).expect("an answer").1, 101);
    ping(&mut client);
    assert!(is_healthy(address));
}
