use std::{
    io::Read,
    process::{Command, Stdio},
};

use crate::geocast::{Running, code, geocast, run, stderr};

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

/// A server that answers nothing is waited for, and on a terminal it is said for what.
#[test]
fn what_is_waited_for_is_told_to_who_looks_on() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}/ws", silent.local_addr().expect("an address"));
    let arguments = ["get", "a", "--url", &url, "--timeout", "4s"];
    let piped = run(&arguments);
    assert_eq!(code(&piped), 3, "{}", stderr(&piped));
    assert!(!stderr(&piped).contains("connecting"), "{}", stderr(&piped));

    // Of Python, as a terminal is more than two pipes.
    let program = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
    let seen = Command::new("python3")
        .args(["-c", program, env!("CARGO_BIN_EXE_geocast")])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("there is python3");
    let seen = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(
        seen.contains(&format!("connecting to {url}: 1 s")) || seen.contains(&format!("{url}: 2 s")),
        "{seen:?}"
    );
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
