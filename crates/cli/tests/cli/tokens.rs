use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use crate::geocast::{Running, code, run, stderr, stdout};

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
