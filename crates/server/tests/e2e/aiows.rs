//! The addresses of aiows: packages are received over WebSockets and published over HTTP.

use futures_util::{FutureExt, SinkExt, StreamExt};
use geocast_server::{ChannelNames, Count, JsonEncoding, Secret, Settings};
use tokio::{process::Command, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::Client,
    http_client::{get, request, upgrade},
    packages::folder,
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::must,
};

on_both_stores!(a_package_keeps_its_type, a_broadcast_is_all_or_nothing, lines_of_python_work_as_they_stand);

fn keyed(settings: &mut Settings) {
    settings.publish_key = Some(Secret::new("some-secure-pwd"));
}

impl TestServer {
    /// A client of aiows that is subscribed, for certain.
    pub(crate) async fn aiows(&self, channel: &str) -> Client {
        let mut client = Client::connect_raw(self.address, &format!("/channel/{channel}/")).await;
        let wait = std::time::Duration::from_millis(50);
        while timeout(wait, client.next_message()).await.is_err() {
            self.publish(channel, "are you there?").await;
        }
        self.publish(channel, "that is all").await;
        while client.next_message().await != Message::text("that is all") {}
        client
    }
}

/// Publishes a package and returns status and body of the answer.
async fn post(server: &TestServer, path: &str, kind: &str, body: impl AsRef<[u8]>) -> (u16, String) {
    let header = format!("Package-Type: {kind}");
    let response = request(server.address, "POST", path, &[&header], body).await;
    assert!(response.head.contains("\r\ncontent-type: application/json"), "{response:?}");
    (response.status, response.body)
}

fn ok() -> (u16, String) {
    (201, r#""OK""#.to_owned())
}

async fn a_package_keeps_its_type(backend: Backend) {
    let server = TestServer::start_with(backend, keyed).await;
    let mut client = server.aiows("room:1").await;
    let path = "/channel/room:1/?pwd=some-secure-pwd";
    for (kind, body, expected) in [
        ("text", &b"Hello world"[..], Message::text("Hello world")),
        ("Text", b"[1]", Message::text("[1]")),
        ("text", b"", Message::text("")),
        ("JSON", b" {\"a\":7.10} ", Message::text(r#"{"a":7.10}"#)),
        ("json", b"\"text\"", Message::text("\"text\"")),
        ("bytes", b"\xff\x00", Message::binary(&b"\xff\x00"[..])),
        ("bytes", b"plain", Message::binary(&b"plain"[..])),
        ("bytes", b"", Message::binary(&b""[..])),
        ("text", "[".repeat(99).as_bytes(), Message::text("[".repeat(99))),
    ] {
        assert_eq!(post(&server, path, kind, body).await, ok(), "{kind}");
        assert_eq!(client.next_message().await, expected, "{kind} {}", body.escape_ascii());
    }
    let response = request(server.address, "POST", path, &[], "no type").await;
    assert_eq!((response.status, &*response.body), (201, r#""OK""#));
    assert_eq!(client.next_message().await, Message::text("no type"));
}

async fn a_broadcast_is_all_or_nothing(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        keyed(settings);
        settings.channels = Some("room:*,user:*,video".parse().expect("patterns"));
        settings.limits.publication = 2000;
    })
    .await;
    let mut room = server.aiows("room:1").await;
    let mut video = server.aiows("video").await;
    let published = server.count(Count::Published);
    let send = async |body: &str| {
        let response = request(server.address, "POST", "/broadcast/?pwd=some-secure-pwd", &[], body).await;
        (response.status, response.body)
    };
    let bad = || (400, r#""Bad request""#.to_owned());
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    for (body, answer) in [
        (r#"{"room:1":[{"text":"a"}],"video":[{"text":5}]}"#, bad()),
        (r#"{"room:1":[{"text":"a"}],"video":[{"json":{},"text":"a"}]}"#, bad()),
        (r#"{"room:1":[{"text":"a"}],"a b":[]}"#, bad()),
        (&format!(r#"{{"room:1":[{{"text":"a"}},{{"json":{deep}}}]}}"#), bad()),
        (r#"{"room:1":[{"text":"a"}],"secret":[{"text":"b"}]}"#, (403, r#""Not authorized""#.to_owned())),
        ("", bad()),
        ("[]", bad()),
        (
            &format!(r#"{{"room:1":[{{"text":"{}"}}]}}"#, "a".repeat(2000)),
            (413, r#""Payload too large""#.to_owned()),
        ),
        (
            r#"{"room:1":[{"text":"Hi all"},{"json":[7.10]}],"video":[{"bytes":"\u0003ÿ"},{"base64":"/wA="}]}"#,
            ok(),
        ),
        ("{}", ok()),
    ] {
        assert_eq!(send(body).await, answer, "{body}");
    }
    assert_eq!(room.next_message().await, Message::text("Hi all"), "nothing of what was refused");
    assert_eq!(room.next_message().await, Message::text("[7.10]"));
    assert_eq!(video.next_message().await, Message::binary(&b"\x03\xff"[..]));
    assert_eq!(video.next_message().await, Message::binary(&b"\xff\x00"[..]));
    assert_eq!(server.count(Count::Published) - published, 4);
}

/// The examples of aiows' own documentation. Only the port, which is 80 there, is another one here.
async fn lines_of_python_work_as_they_stand(backend: Backend) {
    let server = TestServer::start_with(backend, keyed).await;
    let mut text = server.aiows("test-channel").await;
    let mut bytes = server.aiows("call:stream-channel").await;
    let folder = folder("python");
    let lines = std::fs::read_to_string(folder.join("aiows.py")).expect("the lines are in the tree");
    let lines = lines.replace("http://127.0.0.1/", &format!("http://{}/", server.address));
    let published = server.count(Count::Published);
    let mut python = Command::new(folder.join(".venv/bin/python"));
    // A proxy that the tester's surroundings name would be asked for this address as well.
    python.args(["-c", &lines]).env("no_proxy", "*").kill_on_drop(true);
    let output = must("python to end", python.output()).await.expect("there is a python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.count(Count::Published) - published, 8);
    assert_eq!(text.next_message().await, Message::text("Hello world"));
    assert_eq!(text.next_message().await, Message::text("Hello world"));
    for _ in 0..6 {
        assert_eq!(bytes.next_message().await, Message::binary(&b"\x031\x032\x033..."[..]));
    }
    server.heard().await;
    assert!(text.socket.next().now_or_never().is_none(), "nothing else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_published_without_the_password() {
    let server = TestServer::start_with(Backend::Embedded, |settings| {
        keyed(settings);
        settings.channels = Some("news".parse().expect("a pattern"));
    })
    .await;
    let refused = (403, r#""Not authorized""#.to_owned());
    for query in
        ["", "?pwd=", "?pwd=some-secure-pw", "?pwd=some-secure-pwd2", "?PWD=some-secure-pwd", "?pwd=%00"]
    {
        assert_eq!(post(&server, &format!("/channel/news/{query}"), "text", "a").await, refused, "{query}");
        let broadcast = post(&server, &format!("/broadcast/{query}"), "text", "nonsense").await;
        assert_eq!(broadcast, refused, "{query}");
    }
    let right = "?pwd=some%2Dsecure-pwd";
    assert_eq!(post(&server, &format!("/channel/sport/{right}"), "text", "a").await, refused);
    assert_eq!(post(&server, &format!("/channel/news/{right}"), "text", "a").await, ok());
    let origin = "Origin: https://elsewhere.example";
    let path = format!("/channel/news/{right}");
    let response = request(server.address, "POST", &path, &[origin], "a").await;
    assert_eq!((response.status, &*response.body), (403, r#""Not authorized""#));
    let bearer = "Authorization: Bearer some-secure-pwd";
    let response = request(server.address, "POST", "/channel/news/", &[bearer], "a").await;
    assert_eq!((response.status, &*response.body), (201, r#""OK""#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_package_is_a_bad_request() {
    let server = TestServer::start_with(Backend::Embedded, |settings| {
        settings.limits.publication = 2000;
        settings.limits.vertices = 3;
    })
    .await;
    let mut client = server.aiows("news").await;
    let bad = (400, r#""Bad request""#.to_owned());
    let line = r#"{"type":"LineString","coordinates":[[1,2],[1,2],[1,2],[1,2]]}"#;
    for (kind, body) in [
        ("xml", &b"a"[..]),
        ("", b"a"),
        ("text/plain", b"a"),
        ("text", b"\xff"),
        ("json", b""),
        ("json", b"{"),
        ("json", b"\xff"),
        ("json", line.as_bytes()),
    ] {
        assert_eq!(post(&server, "/channel/news/", kind, body).await, bad, "{kind} {}", body.escape_ascii());
    }
    assert_eq!(post(&server, "/channel/a%20b/", "text", "a").await, bad);
    assert_eq!(post(&server, "/channel/a*/", "text", "a").await, bad);
    let large = (413, r#""Payload too large""#.to_owned());
    assert_eq!(post(&server, "/channel/news/", "bytes", vec![0; 2001]).await, large);
    assert_eq!(post(&server, "/channel/news/", "text", line).await, ok());
    assert_eq!(client.next_message().await, Message::text(line), "and the subscriber is still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_only_listens() {
    let server = TestServer::start(Backend::Embedded).await;
    let mut client = server.aiows("news").await;
    for frame in ["SUB other", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, "Close", " close", ""] {
        client.send(frame).await;
    }
    client.socket.send(Message::binary(&b"close"[..])).await.expect("the connection is open");
    server.publish("other", "1").await;
    server.publish("news", "2").await;
    assert_eq!(client.next_message().await, Message::text("2"));
    client.send("close").await;
    let close = client.next_close().await;
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1000, "closed as asked"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_lead_to_channels_that_may_be_read() {
    let server = TestServer::start_with(Backend::Embedded, |settings| {
        settings.channels = Some("news,a/b".parse().expect("patterns"));
        settings.url_prefix = "/api/rooms/".parse().expect("a prefix");
    })
    .await;
    for (path, status) in [
        ("/api/rooms/channel/news/", 101),
        ("/api/rooms/channel/news", 101),
        ("/api/rooms/channel/news/?pwd=x", 101),
        ("/api/rooms/channel/%6eews/", 101),
        ("/api/rooms/channel/a%2Fb/", 101),
        ("/api/rooms/channel/a/b/", 404),
        ("/api/rooms/channel/sport/", 403),
        ("/api/rooms/channel/a%20b/", 400),
        ("/api/rooms/channel/%ff/", 400),
        ("/api/rooms/channel//", 404),
        ("/channel/news/", 404),
    ] {
        assert_eq!(upgrade(server.address, path, None).await, status, "{path}");
    }
    assert_eq!(upgrade(server.address, "/api/rooms/channel/news/", Some("https://a.example")).await, 403);
    assert_eq!(get(server.address, "/api/rooms/channel/news/").await.status, 426);
    assert_eq!(post(&server, "/api/rooms/channel/news/", "text", "a").await, ok());
    assert_eq!(request(server.address, "POST", "/channel/news/", &[], "a").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_folded_where_that_is_wished() {
    let server = TestServer::start_with(Backend::Embedded, |settings| {
        settings.channel_names = ChannelNames::Folded;
    })
    .await;
    let mut client = Client::connect_raw(server.address, "/channel/Room_1/").await;
    let mut all = Client::connect_raw(server.address, "/channel/%20/").await;
    assert_eq!(post(&server, "/channel/ROOM:1/", "text", "a").await, ok());
    assert_eq!(client.next_message().await, Message::text("a"));
    let body = r#"{"rOOm_1":[{"text":"b"}],"":[{"text":"c"}]}"#;
    assert_eq!(request(server.address, "POST", "/broadcast/", &[], body).await.status, 201);
    assert_eq!(client.next_message().await, Message::text("b"));
    assert_eq!(all.next_message().await, Message::text("c"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_is_encoded_twice_where_that_is_wished() {
    let server = TestServer::start_with(Backend::Redis, |settings| {
        keyed(settings);
        settings.json_encoding = JsonEncoding::Twice;
    })
    .await;
    let mut client = server.aiows("news").await;
    let mut text = server.subscriber("news", &[]).await;
    while client.next_message().await != Message::text(r#""\"that is all\"""#) {}
    let path = "/channel/news/?pwd=some-secure-pwd";
    for (kind, body, expected) in [
        ("json", &b"{\"a\":\"\\n\xc3\xa9\"}"[..], Message::text(r#""{\"a\":\"\\né\"}""#)),
        ("json", b"7", Message::text("\"7\"")),
        ("text", b"{\"a\":1}", Message::text(r#"{"a":1}"#)),
        ("bytes", b"{\"a\":1}", Message::binary(&b"{\"a\":1}"[..])),
    ] {
        assert_eq!(post(&server, path, kind, body).await, ok(), "{kind}");
        assert_eq!(client.next_message().await, expected, "{kind} {}", body.escape_ascii());
    }
    assert_eq!(text.next_content().await["a"], "\né", "other ways in get it as it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_is_said() {
    let mut server = TestServer::start_with(Backend::Redis, keyed).await;
    server.redis.as_mut().expect("it runs on Redis").kill();
    let body = r#"{"a":[{"text":"b"}]}"#;
    let answer = post(&server, "/broadcast/?pwd=some-secure-pwd", "text", body).await;
    assert_eq!(answer, (503, r#""Service unavailable""#.to_owned()));
}
