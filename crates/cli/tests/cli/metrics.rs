use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use crate::geocast::{Running, code, run, stderr};

/// The status and the body of the answer to a GET, with these header lines.
fn get(address: SocketAddr, path: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n")
        .expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).expect("a status").to_owned(), body.to_owned())
}

#[test]
fn metrics_are_shown_on_a_port_of_their_own_to_who_has_the_token() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "sesame\n").unwrap();
    let file = token.path().to_str().unwrap();
    let server = Running::server(&["serve", "--port", "0", "--metrics", "0", "--metrics-token-file", file]);
    server.wait_for("/metrics\n");
    let said = server.said();
    let line = said.lines().find_map(|line| line.strip_prefix("  metrics    http://")).unwrap();
    let metrics: SocketAddr = line.strip_suffix("/metrics").unwrap().parse().unwrap();
    assert!(metrics.ip().is_loopback(), "{metrics}");
    assert_eq!(get(metrics, "/metrics", "").0, "401");
    let (status, body) = get(metrics, "/metrics", "Authorization: Bearer sesame\r\n");
    assert_eq!(status, "200");
    let version = format!("geocast_build_info{{version=\"{}\"}} 1\n", env!("CARGO_PKG_VERSION"));
    assert!(body.contains(&version), "{body}");
    assert_eq!(get(server.address(), "/metrics", "Authorization: Bearer sesame\r\n").0, "404");
    assert!(!server.said().contains("sesame"));
}

#[test]
fn a_port_for_metrics_that_is_taken_is_one_clear_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["serve", "--port", "0", "--metrics", &port]);
    let said = stderr(&output);
    assert_eq!(code(&output), 1, "{said}");
    assert!(said.starts_with("geocast: metrics cannot be shown"), "{said}");
    assert!(said.contains("is in use") && said.lines().count() == 1, "{said}");
    let output = run(&["serve", "--metrics", "::1:9765"]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
}
