use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::geocast::{PATIENCE, Running, geocast};

const UPGRADE: &str = "Host: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Sends a request, reads the beginning of its answer, sends frames behind it, and reads what comes for a while.
fn send(address: SocketAddr, head: &str, frames: &[&str]) -> String {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("there is a timeout");
    stream.write_all(format!("{head}\r\n").as_bytes()).expect("the server reads");
    let mut bytes = [0; 4096];
    let length = stream.read(&mut bytes).expect("the server answers");
    let mut seen = bytes[..length].to_vec();
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("there is a timeout");
    for frame in frames {
        let length = 0x80 | u8::try_from(frame.len()).expect("it is short");
        let frame = [&[0x81, length, 0, 0, 0, 0], frame.as_bytes()].concat();
        stream.write_all(&frame).expect("the server reads");
        if let Ok(length) = stream.read(&mut bytes) {
            seen.extend(&bytes[..length]);
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
fn nobody_forges_a_line_of_the_log_and_no_secret_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (key, secret) =
        (file("key", "hush-publish-key"), file("secret", "hush-secret-of-more-than-32-bytes"));
    let arguments =
        ["serve", "--port", "0", "--channels", "*", "--publish-key-file", &key, "--jwt-key-file", &secret];
    // Whatever is asked for, also of a library that would log all that it reads.
    for filter in ["trace", "tungstenite=trace,trace"] {
        let mut command = geocast(&arguments);
        command.args(["--log", filter]);
        let mut server = Running::start(command);
        server.wait_for("listens on");
        let address = server.address();
        for (head, frames, answer) in [
            (
                "GET /ws?key=hush-a&pwd=hush-publish-key HTTP/1.1\r\n",
                &["SUB a\u{1b}[31m\nforged", "BBOX 1 \n\u{1b}", "\u{1b}]0;\nforged", "GET x\u{9b}\r\nforged"]
                    [..],
                " 101 ",
            ),
            ("GET /ws?token=hush-b HTTP/1.1\r\n", &[], " 401 "),
            ("GET /ws?access_token=hush.c.d HTTP/1.1\r\n", &[], " 401 "),
            ("GET /ws HTTP/1.1\r\nAuthorization: Bearer hush.e.f\r\n", &[], " 401 "),
            ("GET /ws HTTP/1.1\r\nSec-WebSocket-Protocol: geocast.text, bearer.hush-g\r\n", &[], " 401 "),
            (
                "GET /ws%0aforged%1b[31m?token=hush-h HTTP/1.1\r\nUser-Agent: a\u{1b}[31mforged\r\n",
                &[],
                " 400 ",
            ),
            ("GET /ws%0aforged%1b[31m?token=hush-i HTTP/1.1\r\n", &[], " 404 "),
            ("GET /ws HTTP/1.1\r\nOrigin: http://evil.example/%0aforged\u{9b}\r\n", &[], " 403 "),
            (
                "GET /rohrpost HTTP/1.1\r\n",
                &[
                    r#"{"id":1,"type":"subscribe","data":{"type":"a","id":"b"},"auth_jwt":"hush.j.k"}"#,
                    "{\"id\":2,\n\"type\":\"no\\nforged\\u001b\"}",
                ],
                " 101 ",
            ),
            (
                "GET /rpc HTTP/1.1\r\n",
                &["{\"jsonrpc\":\"2.0\",\n\"id\":1,\"method\":\"a\\nforged\"}"],
                " 101 ",
            ),
        ] {
            let seen = send(address, &format!("{head}{UPGRADE}"), frames);
            assert!(format!(" {seen}").contains(answer), "{head}: {seen}");
        }
        for credentials in ["hush-wrong", "hush-publish-key"] {
            let head = format!(
                "POST /api/publish/a%0aforged%1b HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {credentials}\r\n\
                 Content-Length: 2\r\n\r\n{{}}"
            );
            assert!(send(address, &head, &[]).contains(" 400 "));
        }
        server.signal("TERM");
        assert_eq!(server.code(), 0);
        server.wait_for("stopped");
        let said = server.said();
        assert!(said.contains(" TRACE ") && said.contains(" DEBUG "), "{said}");
        for line in said.lines() {
            assert!(!line.contains("hush"), "a secret is in the log: {line}");
            assert!(!line.contains(char::is_control), "a control character is in the log: {line:?}");
            // What an event begins with, or what belongs to the announcement at the start.
            let is_ours = line.starts_with("20") || line.starts_with("geocast ") || line.starts_with("  ");
            assert!(is_ours && !line.starts_with("forged"), "a line of somebody else's: {line:?}");
        }
    }
}
