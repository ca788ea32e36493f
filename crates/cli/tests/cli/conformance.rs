//! The WebSocket protocol, held to its specification by a client that shares no code with the server. The cases are those of the
//! Autobahn test suite in kind and number; `make conformance` runs that suite itself.

use std::{
    path::Path,
    process::{Command, Output},
};

use crate::geocast::{Running, code, stderr, stdout};

#[test]
fn the_server_keeps_to_the_websocket_protocol() {
    let output = replay(&["--deflate"], &[]);
    let said = stdout(&output);
    assert_eq!(code(&output), 0, "{said}{}", stderr(&output));
    let passed = said.split_once(" passed, 0 failed").and_then(|(number, _)| number.parse::<u32>().ok());
    assert!(passed.is_some_and(|passed| passed >= 250), "{said}");
}

/// One that compresses nothing is not what these cases ask for.
#[test]
fn the_client_sees_a_server_that_does_not() {
    let output = replay(&[], &["12.1", "13.1"]);
    let said = stdout(&output);
    assert_eq!(code(&output), 1, "{said}{}", stderr(&output));
    assert!(said.contains("12.1.1 failed: ") && said.contains("\n0 passed, 7 failed "), "{said}");
}

/// What becomes of cases at a server that sends every message back.
fn replay(options: &[&str], cases: &[&str]) -> Output {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let echo = tests.join("../../server/scripts/echo.rhai");
    let echo = echo.to_str().expect("the path is text");
    let bounds = ["--max-message", "65535", "--commands-per-second", "100000", "--command-burst", "100000"];
    let server = Running::server(&[&["serve", "--port", "0", "-f", echo], &bounds[..], options].concat());
    // It gives up by itself what does not come.
    let mut client = Command::new("python3");
    client.arg(tests.join("conformance/smoke.py")).arg(server.address().port().to_string()).args(cases);
    client
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python3 is there: `make setup-test` sees to it")
}
