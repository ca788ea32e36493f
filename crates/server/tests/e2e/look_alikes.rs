//! Web pages that look like those that may connect, and requests that browsers make for pages of others (cross-site WebSocket
//! hijacking), on every way in.

use std::net::SocketAddr;

use geocast_server::{OriginPolicy, Secret, pipeline::Filters};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    server::{Backend, TestServer},
    waiting::must,
};

const KEY: &str = "Authorization: Bearer key";
const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Every way in: method, path and what a sound request is answered.
const WAYS: [(&str, &str, u16); 14] = [
    ("GET", "/ws", 101),
    ("GET", "/", 101),
    ("GET", "/rpc", 101),
    ("GET", "/rohrpost/", 101),
    ("GET", "/ws/rohrpost", 101),
    ("GET", "/channel/news/", 101),
    ("GET", "/pipeline", 101),
    ("POST", "/api/publish/news", 200),
    ("POST", "/api/publish/news?pwd=key", 200),
    ("PUT", "/api/state/news/1", 200),
    ("DELETE", "/api/state/news/1", 200),
    ("POST", "/channel/news/", 201),
    ("POST", "/channel/news/?pwd=key", 201),
    ("POST", "/broadcast/", 201),
];

/// The head of the answer to a request with these fields, from a stream that was just opened.
async fn head(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), request: &[u8]) -> String {
    stream.write_all(request).await.expect("the server reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let byte = must("an answer", stream.read_u8()).await;
        answer.push(byte.expect("an answer has an end"));
    }
    String::from_utf8(answer).expect("the head of an answer is text").to_lowercase()
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

/// A request as a browser makes it, byte for byte.
fn written(method: &str, path: &str, fields: &[Vec<u8>]) -> Vec<u8> {
    let mut request = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
    for field in fields {
        request.extend_from_slice(field);
        request.extend_from_slice(b"\r\n");
    }
    let body = match (method, path) {
        ("GET", _) => {
            request.extend_from_slice(HANDSHAKE.as_bytes());
            ""
        }
        (_, "/broadcast/") => r#"{"packages":[]}"#,
        _ => "1",
    };
    if !body.is_empty() {
        request
            .extend_from_slice(format!("Connection: close\r\nContent-Length: {}\r\n", body.len()).as_bytes());
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body.as_bytes());
    request
}

async fn ask(address: SocketAddr, method: &str, path: &str, fields: &[Vec<u8>]) -> u16 {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    status(&head(&mut stream, &written(method, path, fields)).await)
}

fn fields(host: &str, origins: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut fields = vec![format!("Host: {host}").into_bytes(), KEY.as_bytes().to_vec()];
    fields.extend(origins.iter().map(|origin| [b"Origin: ", *origin].concat()));
    fields
}

async fn guarded() -> TestServer {
    TestServer::start_with(Backend::Embedded, |settings| {
        settings.publish_key = Some(Secret::new("key"));
        settings.filters = Filters::named(["stdout_rawdata"]).expect("a filter");
        let listed = [
            "https://example.com",
            "http://plain.example:8080",
            "https://[2001:db8::1]:8443",
            "https://xn--mnchen-3ya.example",
        ];
        let listed = listed.map(|origin| origin.parse().expect("an origin"));
        settings.origins = OriginPolicy::Listed(listed.to_vec());
    })
    .await
}

/// What the header holds, and whether that page may use a server that is reached as `gate.example.org:8765`.
const PAGES: [(&[&[u8]], bool); 68] = [
    (&[], true),
    (&[b"https://example.com"], true),
    (&[b"https://EXAMPLE.com"], true),
    (&[b"https://example.com:443"], true),
    (&[b"  https://example.com  "], true),
    (&[b"http://plain.example:8080"], true),
    (&[b"https://gate.example.org:8765"], true),
    (&[b"http://gate.example.org:8765"], true),
    (&[b"https://[2001:db8::1]:8443"], true),
    (&[b"https://[2001:DB8::1]:8443"], true),
    (&[b"https://xn--mnchen-3ya.example"], true),
    (&[b"http://example.com"], false),
    (&[b"https://example.com:80"], false),
    (&[b"https://example.com:8443"], false),
    (&[b"https://example.com:65979"], false),
    (&[b"https://example.com:"], false),
    (&[b"https://example.com:+443"], false),
    (&[b"http://plain.example"], false),
    (&[b"https://plain.example:8080"], false),
    (&[b"https://example.com.evil.org"], false),
    (&[b"https://examplexcom"], false),
    (&[b"https://example.co"], false),
    (&[b"https://example.comm"], false),
    (&[b"https://evilexample.com"], false),
    (&[b"https://evil.example.com"], false),
    (&[b"https://example.com."], false),
    (&[b"https://example.com@evil.org"], false),
    (&[b"https://evil.org@example.com"], false),
    (&[b"https://user:password@example.com"], false),
    (&[b"https://example.com:443@evil.org"], false),
    (&[b"https://evil.org#https://example.com"], false),
    (&[b"https://example.com#evil.org"], false),
    (&[b"https://evil.org/https://example.com"], false),
    (&[b"https://evil.org?https://example.com"], false),
    (&[b"https://example.com?evil.org"], false),
    (&[b"https://example.com/"], false),
    (&[b"https://example.com/evil.org"], false),
    (&[b"https://example.com\\@evil.org"], false),
    (&[b"https://example.com%2eevil.org"], false),
    (&[b"https://example.com%00.evil.org"], false),
    (&[b"https:example.com"], false),
    (&[b"https:///example.com"], false),
    (&[b"//example.com"], false),
    (&[b"example.com"], false),
    (&[b"example.com:443"], false),
    (&[b""], false),
    (&[b"*"], false),
    (&[b"https://*"], false),
    (&[b"null"], false),
    (&[b"file://"], false),
    (&[b"file:///home/me/example.com"], false),
    (&[b"data:text/html,https://example.com"], false),
    (&[b"chrome-extension://example.com"], false),
    (&[b"wss://example.com"], false),
    (&["https://münchen.example".as_bytes()], false),
    (&["https://еxample.com".as_bytes()], false),
    (&[b"https://xn--xample-2of.com"], false),
    (&[b"https://xn--mnchen-3ya.example.evil.org"], false),
    (&["https://example。com".as_bytes()], false),
    (&[b"https://[2001:db8::1]"], false),
    (&[b"https://[2001:db8::2]:8443"], false),
    (&[b"https://2001:db8::1:8443"], false),
    (&[b"https://[2001:db8::1%25eth0]:8443"], false),
    (&[b"https://[2001:db8::1].evil.org:8443"], false),
    (&[b"https://example.com, https://evil.org"], false),
    (&[b"https://evil.org https://example.com"], false),
    (&[b"https://example.com", b"https://evil.org"], false),
    (&[b"https://example.com", b"https://example.com"], false),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_passes_for_another_on_any_way_in() {
    let server = guarded().await;
    for (origins, admitted) in PAGES {
        for (method, path, sound) in WAYS {
            let found = ask(server.address, method, path, &fields("gate.example.org:8765", origins)).await;
            let named: Vec<_> = origins.iter().map(|origin| String::from_utf8_lossy(origin)).collect();
            assert_eq!(found, if admitted { sound } else { 403 }, "{method} {path} {named:?}");
        }
    }
}

/// A handshake that does not come in one piece goes another way through the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_passes_for_another_in_pieces() {
    let server = guarded().await;
    for (origins, admitted) in PAGES {
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        stream.set_nodelay(true).expect("there is such an option");
        let request = written("GET", "/ws", &fields("gate.example.org:8765", origins));
        let (first, second) = request.split_at(9);
        stream.write_all(first).await.expect("the server reads");
        server.heard().await;
        let found = status(&head(&mut stream, second).await);
        assert_eq!(found, if admitted { 101 } else { 403 }, "{origins:?}");
    }
}

/// Which host is meant is what the request says in `Host`, once, and nothing that anybody can write beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_field_makes_a_page_the_servers_own() {
    let server = guarded().await;
    let evil = "https://evil.org";
    for more in [
        &["X-Forwarded-Host: evil.org"][..],
        &["X-Forwarded-Host: evil.org", "X-Forwarded-Proto: https", "X-Forwarded-For: 127.0.0.1"],
        &["Forwarded: host=evil.org;proto=https;for=127.0.0.1"],
        &["X-Original-Host: evil.org", "X-Host: evil.org", "X-HTTP-Host-Override: evil.org"],
        &["Referer: https://example.com/", "Sec-Fetch-Site: same-origin"],
        &["Sec-WebSocket-Origin: https://example.com"],
        &["Cookie: session=1"],
        &["Cookie: session=1; token=2", "Sec-Fetch-Site: same-origin"],
    ] {
        for (method, path, sound) in WAYS {
            let with = |origin: &str| {
                let mut fields = fields("gate.example.org:8765", &[origin.as_bytes()]);
                fields.extend(more.iter().map(|field| field.as_bytes().to_vec()));
                fields
            };
            let found = ask(server.address, method, path, &with(evil)).await;
            assert_eq!(found, 403, "{method} {path} {more:?}");
            let found = ask(server.address, method, path, &with("https://example.com")).await;
            assert_eq!(found, sound, "{method} {path} {more:?}");
        }
    }
    for (hosts, origin, admitted) in [
        (&["evil.org"][..], "https://evil.org", true),
        (&["evil.org:443"], "https://evil.org", true),
        (&["evil.org:443"], "http://evil.org", false),
        (&["EVIL.org"], "https://evil.ORG", true),
        (&["evil.org:8443"], "https://evil.org", false),
        (&["user@evil.org"], "https://evil.org", false),
        (&["evil.org/"], "https://evil.org", false),
        (&["evil.org#"], "https://evil.org", false),
        (&["evil.org."], "https://evil.org", false),
        (&["evil.org, gate.example.org"], "https://evil.org", false),
        (&["[::1]:8765"], "http://[::1]:8765", true),
        (&["[::1]:8765"], "http://[0:0::1]:8765", false),
        (&["127.0.0.1:8765"], "http://127.1:8765", false),
        (&["127.0.0.1:8765"], "http://0x7f.0.0.1:8765", false),
        (&["127.0.0.1:8765"], "http://2130706433:8765", false),
        (&["gate.example.org", "evil.org"], "https://evil.org", false),
        (&["evil.org", "gate.example.org"], "https://evil.org", false),
        (&[""], "https://evil.org", false),
    ] {
        let mut all = vec![format!("Origin: {origin}").into_bytes()];
        all.extend(hosts.iter().map(|host| format!("Host: {host}").into_bytes()));
        let found = ask(server.address, "GET", "/ws", &all).await;
        // Whatever is wrong with it, it is nothing that lets anybody in.
        assert_eq!(found == 101, admitted, "{hosts:?} {origin}: {found}");
    }
}

/// A browser asks before it sends what a form could not, and shows a page of another origin no answer that does not allow it. Nothing
/// here does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_browser_is_told_that_pages_of_others_may_do_more() {
    let server = guarded().await;
    for origin in ["https://evil.org", "null", "https://example.com", "https://gate.example.org:8765"] {
        for (_, path, _) in WAYS {
            for method in ["OPTIONS", "POST", "GET", "HEAD"] {
                let request = format!(
                    "{method} {path} HTTP/1.1\r\nHost: gate.example.org:8765\r\nOrigin: {origin}\r\nConnection: close\r\n\
                     Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization\r\n\
                     Access-Control-Request-Private-Network: true\r\nContent-Length: 0\r\n\r\n"
                );
                let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
                let answer = head(&mut stream, request.as_bytes()).await;
                assert!(!answer.contains("access-control-"), "{request}{answer}");
                let is_sound = method != "OPTIONS" || status(&answer) >= 400;
                assert!(is_sound, "{request}{answer}");
            }
        }
    }
}
