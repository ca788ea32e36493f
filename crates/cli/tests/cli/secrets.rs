//! What is secret stays so: in all that the binary says, to whomever, also where it is refused.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::Command,
    time::Duration,
};

use crate::{
    geocast::{Running, geocast, run, stderr, stdout, wait_until},
    redis_server::RedisServer,
};

/// What every secret of these tests has in it, as it is. Tokens, and keys in PEM, are looked for as they stand.
const MARK: &str = "hush";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A token with these claims, signed with HS256, and its parts, which are to be looked for.
fn token(secret: &str, claims: &str) -> String {
    let script = "base64url() { openssl base64 -A | tr '+/' '-_' | tr -d =; }\n\
                  signed=$(printf '{\"alg\":\"HS256\"}' | base64url).$(printf %s \"$2\" | base64url)\n\
                  printf '%s.' \"$signed\"; printf %s \"$signed\" | openssl dgst -sha256 -hmac \"$1\" -binary | base64url";
    let output = Command::new("sh").args(["-c", script, "sh", secret, claims]).output().expect("a shell");
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// Sends a request, and frames behind it, through the unix socket; all that comes, until the server closes or, when it has
/// answered, is silent.
fn exchange(socket: &Path, head: &str, frames: &[&str]) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("there is a timeout");
    stream.write_all(format!("{head}\r\n").as_bytes()).expect("the server reads");
    for frame in frames {
        let length = u16::try_from(frame.len()).expect("it is short").to_be_bytes();
        let frame = [&[0x81, 0xfe, length[0], length[1], 0, 0, 0, 0], frame.as_bytes()].concat();
        // One who was refused may find the connection closed already.
        if stream.write_all(&frame).is_err() {
            break;
        }
    }
    let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut bytes) {
        seen.extend_from_slice(&bytes[..length]);
        if seen.windows(4).any(|end| end == b"\r\n\r\n") {
            stream.set_read_timeout(Some(Duration::from_millis(200))).expect("there is a timeout");
        }
    }
    seen
}

fn keeps(what: &str, said: &str, secrets: &[&str]) {
    for secret in secrets.iter().chain(&[MARK]) {
        assert!(!said.contains(secret), "{what} has {secret:?} in it:\n{said}");
    }
}

#[test]
fn nothing_that_a_server_says_has_a_secret_in_it() {
    let redis = RedisServer::start(&[]);
    redis.cli(&["ACL", "SETUSER", "gate", "on", ">hush-acl-password", "~*", "&*", "+@all"]);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (private, secret) = (pair.signing_key.serialize_pem(), "hush-secret-of-more-than-32-bytes");
    for (name, text) in [
        ("cert.pem", pair.cert.pem()),
        ("key.pem", private.clone()),
        ("secret", secret.to_owned()),
        ("operator", "hush-operator-token".to_owned()),
        ("key", "hush-publish-key".to_owned()),
    ] {
        fs::write(path(name), text).unwrap();
    }
    let sound = token(secret, r#"{"sub":["*"],"pub":["*"]}"#);
    let over = token(secret, r#"{"sub":["*"],"exp":1}"#);
    let foreign = token("another secret of more than 32 bytes", r#"{"sub":["*"]}"#);
    let mut secrets: Vec<&str> =
        [&sound, &over, &foreign].iter().flat_map(|token| token.split('.').skip(1)).collect();
    secrets.extend(private.lines().filter(|line| !line.starts_with('-') && line.len() > 20));

    let mut command = geocast(&[
        "serve",
        "--port",
        "0",
        "--log",
        "trace",
        "--channels",
        "*",
        "--tls-cert",
        &path("cert.pem"),
        "--tls-key",
        &path("key.pem"),
        "--usock",
        &path("socket"),
        "--publish-key-file",
        &path("key"),
        "--jwt-key-file",
        &path("secret"),
        "--operator-token-file",
        &path("operator"),
    ]);
    command.env("GEOCAST_REDIS", format!("redis://gate:hush-acl-password@127.0.0.1:{}", redis.port()));
    let mut server = Running::start(command);
    server.wait_for("listens on");
    let socket = folder.path().join("socket");
    let get = |path: &str| {
        // Whoever operates it is told most.
        let fields = "Host: a\r\nConnection: close\r\nAuthorization: Bearer hush-operator-token\r\n";
        exchange(&socket, &format!("GET {path} HTTP/1.1\r\n{fields}"), &[])
    };
    let ready = || String::from_utf8_lossy(&get("/ready")).into_owned();
    wait_until(|| ready().contains("\"ready\""), ready);

    let mut answers = vec![get("/ready"), get("/"), get("/nothing?pwd=hush-publish-key&token=hush.a.b")];
    let subscribe =
        format!(r#"{{"id":1,"type":"subscribe","data":{{"type":"a","id":"b"}},"auth_jwt":"{sound}"}}"#);
    let commands =
        ["SUB a", "GET a", "BBOX hush", r#"{"jsonrpc":"2.0","id":1,"method":"session"}"#, &subscribe];
    for token in [&sound, &over, &foreign, "hush.no.token"] {
        for head in [
            format!("GET /ws?token={token} HTTP/1.1\r\n"),
            format!("GET /rpc?access_token={token} HTTP/1.1\r\n"),
            format!("GET /rohrpost/?access_token={token} HTTP/1.1\r\n"),
            format!("GET /ws HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"),
            format!("GET /ws HTTP/1.1\r\nSec-WebSocket-Protocol: geocast.text, bearer.{token}\r\n"),
            format!("GET /nowhere HTTP/1.1\r\nSec-WebSocket-Protocol: bearer.{token}\r\n"),
            format!("GET /ws?token={token} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"),
            format!("GET /ws?token={token} HTTP/1.1\r\nOrigin: https://evil.org\r\n"),
        ] {
            let answer = exchange(&socket, &format!("{head}Host: a\r\n{UPGRADE}"), &commands[3..]);
            let accepted = token == sound
                && !head.contains("nowhere")
                && !head.contains("evil")
                && head.matches(&*sound).count() == 1;
            assert_eq!(answer.starts_with(b"HTTP/1.1 101"), accepted, "{head}");
            // What the client said itself, it may hear again.
            answers.push(answer);
        }
        for way in ["/api/publish/a", "/channel/a/"] {
            let head = format!(
                "POST {way}?token={token} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n"
            );
            answers.push(exchange(&socket, &head, &[]));
        }
    }
    for key in ["hush-publish-key", "hush-wrong-key"] {
        for head in [
            format!("GET /ws?pwd={key} HTTP/1.1\r\nHost: a\r\n{UPGRADE}"),
            format!("GET /ws HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n{UPGRADE}"),
            format!(
                "POST /api/publish/a?pwd={key} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n"
            ),
            format!(
                "PUT /api/state/a/b HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nConnection: close\r\nContent-Length: 0\r\n"
            ),
            format!(
                "POST /broadcast/?pwd={key} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n"
            ),
        ] {
            answers.push(exchange(&socket, &head, &[]));
        }
    }
    // One whose token is taken back is told so, and Redis takes back the password.
    let mut leaving = UnixStream::connect(&socket).expect("the server listens");
    leaving.set_read_timeout(Some(Duration::from_secs(30))).expect("there is a timeout");
    leaving
        .write_all(format!("GET /ws?token={sound} HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n").as_bytes())
        .expect("it reads");
    fs::write(path("secret"), "hush-another-secret-of-more-than-32-bytes").unwrap();
    server.signal("HUP");
    let mut last = Vec::new();
    leaving.read_to_end(&mut last).expect("the server closes");
    assert!(String::from_utf8_lossy(&last).contains("token no longer accepted"), "{}", last.escape_ascii());
    answers.push(last);
    fs::write(path("secret"), "hush").unwrap();
    server.signal("HUP");
    server.wait_for("nothing is changed");
    redis.cli(&["ACL", "SETUSER", "gate", "resetpass", ">hush-other-password"]);
    redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    wait_until(|| ready().contains("WRONGPASS") || ready().contains("invalid username-password"), ready);
    answers.extend([
        get("/ready"),
        exchange(&socket, &format!("GET /ws HTTP/1.1\r\nHost: a\r\n{UPGRADE}"), &["GET a", "SUB b"]),
    ]);
    server.signal("TERM");
    assert_eq!(server.code(), 0);
    server.wait_for("stopped");
    let said = server.said();
    assert!(said.contains(" TRACE ") && said.contains(" DEBUG "), "{said}");
    assert!(said.contains("WRONGPASS") || said.contains("invalid username-password"), "{said}");
    keeps("the log", &said, &secrets);
    while let Some(line) = server.ready_line() {
        keeps("standard output", &line, &secrets);
    }
    for answer in answers {
        keeps("an answer", &String::from_utf8_lossy(&answer), &secrets);
    }
}

/// A password may stand in an address in more than one form, and addresses may be wrong.
#[test]
fn nothing_that_is_said_of_a_redis_has_its_password_in_it() {
    let mut redis = RedisServer::start(&["--requirepass", "hush-requirepass"]);
    let (port, folder) = (redis.port(), tempfile::tempdir().unwrap());
    let config = folder.path().join("g.toml");
    for url in [
        format!("redis://:hush-wrong@127.0.0.1:{port}"),
        format!("redis://nobody:hush-wrong@127.0.0.1:{port}/3"),
        format!("redis://user:hush%2F%40%3A-wrong@127.0.0.1:{port}"),
        format!("rediss://:hush-wrong@127.0.0.1:{port}"),
        "redis://:hush-wrong@127.0.0.1:1".to_owned(),
        "redis+cluster://u:hush-wrong@127.0.0.1:1,127.0.0.1:2".to_owned(),
        "redis+sentinel://u:hush-wrong@127.0.0.1:1/main".to_owned(),
        "redis+unix://:hush-wrong@/nowhere/redis.sock".to_owned(),
        "redis://:hush-wrong@host:x".to_owned(),
        "redis://hush-wrong@host/x/y".to_owned(),
        "redis://a:hush-wrong@b@c".to_owned(),
        "redis:/:hush-wrong@host".to_owned(),
        "hush-wrong".to_owned(),
        "http://:hush-wrong@host".to_owned(),
        "redis://:hush%zz@host".to_owned(),
    ] {
        fs::write(&config, format!("redis = {url:?}\n")).unwrap();
        for way in ["flag", "environment", "file"] {
            let mut command =
                geocast(&["check", "--port", "0", "--log", "trace", "--redis-connect-timeout", "500ms"]);
            match way {
                "flag" => command.args(["--redis", &url]),
                "environment" => command.env("GEOCAST_REDIS", &url),
                _ => command.arg("--config").arg(&config),
            };
            let output = command.output().expect("the binary was built");
            let (said, told) = (stderr(&output), stdout(&output));
            assert_ne!(output.status.code(), Some(0), "{url} by {way}: {told}{said}");
            keeps(&format!("standard error for {url} by {way}"), &said, &[]);
            keeps(&format!("standard output for {url} by {way}"), &told, &[]);
        }
    }
    redis.kill();
    let output = run(&["get", "a", "--url", "ws://127.0.0.1:1/ws?token=hush.a.b", "--token", "hush.c.d"]);
    keeps("a client", &stderr(&output), &[]);
}
