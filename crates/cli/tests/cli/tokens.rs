use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
};

use crate::geocast::{Running, code, geocast, run, stderr, stdout};

const SECRET: &str = "correct horse battery staple; and more";

#[test]
fn the_start_says_which_tokens_are_accepted_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.txt");
    fs::write(&secret, SECRET).unwrap();
    let file = format!("--jwt-key-file={}", secret.display());
    let server =
        Running::server(&["serve", "--port", "0", &file, "--jwt-issuer", "me", "--jwt-channels", "a,b*"]);
    let expected =
        format!("signed with the secret in {}, issued by \"me\", for channels a,b*", secret.display());
    server.wait_for(&expected);
    assert!(!server.said().contains("horse"), "{}", server.said());
    let checked = run(&["check", "--port", "0", &file]);
    assert_eq!(code(&checked), 0, "{}{}", stdout(&checked), stderr(&checked));
}

#[test]
fn keys_that_cannot_be_used_end_the_start_and_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let path = path.to_str().unwrap();
    fs::write(path, "sesame").unwrap();
    for arguments in [["--jwks-file", path], ["--jwt-key-file", path], ["--jwks-file", "/nowhere/keys"]] {
        let output = run(&["serve", "--port", "0", arguments[0], arguments[1]]);
        assert_eq!(code(&output), 2, "{arguments:?}");
        let said = stderr(&output);
        assert!(said.contains(arguments[1]) && !said.contains("sesame"), "{said}");
    }
    let output = run(&["serve", "--port", "0", "--jwt-issuer", "me"]);
    assert_eq!(
        stderr(&output),
        "geocast: `jwt_issuer` needs `jwks_file` or `jwt_key_file`, which is not given\n"
    );
}

/// Whatever the log's level: an address may carry a token or a password, and a header may.
#[test]
fn credentials_are_never_logged() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.txt");
    fs::write(&secret, SECRET).unwrap();
    let file = format!("--jwt-key-file={}", secret.display());
    let server =
        Running::server(&["serve", "--port", "0", "--log", "trace", "--publish-key", "OpenSesame", &file]);
    let handshake = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    // The header says {"alg":"none"}; the rest is told apart from everything else that is logged.
    let token = "eyJhbGciOiJub25lIn0.UGF5bG9hZE9mVG9rZW4.U2lnbmF0dXJlT2ZUb2tlbg";
    for (request, status) in [
        (format!("GET /ws?token={token} HTTP/1.1\r\nHost: a\r\n{handshake}\r\n"), "401"),
        (format!("GET /ws HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n{handshake}\r\n"), "401"),
        (format!("GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: bearer.{token}\r\n{handshake}\r\n"), "401"),
        (format!("GET /ws?pwd=OpenSesame HTTP/1.1\r\nHost: a\r\n{handshake}\r\n"), "101"),
        (format!("GET /nope?access_token={token}&pwd=OpenSesame HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), "404"),
        ("POST /api/publish/a?pwd=WrongSesame HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1".to_owned(), "403"),
        ("POST /api/publish/a?pwd=OpenSesame HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1".to_owned(), "200"),
    ] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer[9..], status.as_bytes(), "{request}");
    }
    server.wait_for("the token's algorithm `none` is not");
    let said = server.said();
    for secret in ["UGF5bG9hZE9mVG9rZW4", "U2lnbmF0dXJlT2ZUb2tlbg", "Sesame", "horse"] {
        assert!(!said.contains(secret), "{secret} was logged:\n{said}");
    }
}

/// What docs/access.md has an operator type, but for the last line of it, which keeps the token for later.
fn first_token(folder: &Path) -> String {
    let docs = include_str!("../../../../docs/access.md");
    let recipe = docs.split("### A first token").nth(1).and_then(|rest| rest.split("```sh\n").nth(1));
    let recipe = recipe.and_then(|rest| rest.split("```").next()).expect("the recipe");
    let script = format!("set -e\n{recipe}printf %s \"$GEOCAST_TOKEN\"\n");
    let output = Command::new("sh").args(["-c", &script]).current_dir(folder).output().expect("a shell");
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn a_first_token_is_made_as_documented_and_presented_by_all_clients() {
    let folder = tempfile::tempdir().unwrap();
    let token = first_token(folder.path());
    let keys = format!("--jwks-file={}", folder.path().join("keys.json").display());
    let server = Running::server(&["serve", "--port", "0", "--channels", "news", &keys]);
    let (url, channel) = (server.url(), "team_a_positions");
    let with_query = format!("{url}?token={token}");
    for presented in [&["--token", &token, "--url", &url][..], &["--url", &with_query]] {
        let output = run(&[&["pub", channel, "--key", "1", "1"], presented].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let output = run(&[&["get", channel, "1"], presented].concat());
        assert_eq!((code(&output), stdout(&output).as_str()), (0, "1\n"), "{}", stderr(&output));
        let output = run(&[&["sub", channel, "--timeout", "1s"], presented].concat());
        assert_eq!(code(&output), 3, "{}", stderr(&output));
    }
    assert_eq!(code(&run(&["pub", channel, "1", "--url", &url])), 1);
    let output = geocast(&["get", channel, "--url", &url]).env("GEOCAST_TOKEN", &token).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));

    for presented in [&["--token", "a.b.c", "--url", &url][..], &["--url", &format!("{url}?token=a.b.c")]] {
        for command in [["sub", channel], ["get", channel], ["pub", channel]] {
            let output = run(&[&command[..], presented].concat());
            assert_eq!(code(&output), 1, "{}", stderr(&output));
            let said = stderr(&output);
            assert!(
                said.contains("the token is not accepted (HTTP 401)") && !said.contains("a.b.c"),
                "{said}"
            );
        }
    }
}

/// A server that comes back without the key, so that asking again would never end.
#[test]
fn who_is_refused_when_connecting_again_ends() {
    let folder = tempfile::tempdir().unwrap();
    let token = first_token(folder.path());
    let keys = format!("--jwks-file={}", folder.path().join("keys.json").display());
    let mut server = Running::server(&["serve", "--port", "0", &keys]);
    let (url, port) = (server.url(), server.address().port().to_string());
    let mut sub = Running::start(geocast(&["sub", "team_a_x", "--token", &token, "--url", &url]));
    let subscribed = || stdout(&run(&["pub", "team_a_x", "1", "--url", &url]));
    crate::geocast::wait_until(
        || {
            subscribed();
            sub.ready_line().is_some()
        },
        || "nothing came".to_owned(),
    );
    server.signal("TERM");
    server.code();
    let other = tempfile::tempdir().unwrap();
    first_token(other.path());
    let keys = format!("--jwks-file={}", other.path().join("keys.json").display());
    let _again = Running::server(&["serve", "--port", &port, &keys]);
    assert_eq!(sub.code(), 1);
    // What it said last is read by another thread.
    sub.wait_for("the token is not accepted (HTTP 401)");
}
