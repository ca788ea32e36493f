//! Every way of publishing, times every way of subscribing, times every kind of payload, on both stores: each cell says
//! which bytes arrive.

use std::io::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use geocast_server::Secret;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::Client,
    http_client::request,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(every_way_in_reaches_every_way_out);

/// How something is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    HttpApi,
    State,
    JsonRpc,
    AiowsText,
    AiowsJson,
    AiowsBytes,
    AiowsBroadcast,
    Redis,
}

/// What is published, and how each dialect shows it in JSON.
struct Payload {
    bytes: &'static [u8],
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Text,
    Binary,
}

const WAYS: [Way; 8] = [
    Way::HttpApi,
    Way::State,
    Way::JsonRpc,
    Way::AiowsText,
    Way::AiowsJson,
    Way::AiowsBytes,
    Way::AiowsBroadcast,
    Way::Redis,
];

const PAYLOADS: [Payload; 5] = [
    Payload { bytes: "Grüezi \"all\"".as_bytes(), kind: Kind::Text },
    Payload { bytes: br#"{"big":12345678901234567890, "n":7.10}"#, kind: Kind::Json },
    Payload { bytes: b"\"7\"", kind: Kind::Json },
    Payload { bytes: b"\xff\x00\xfe", kind: Kind::Binary },
    Payload {
        bytes: br#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[8.550,47.37]},"properties":{}}"#,
        kind: Kind::Json,
    },
];

/// A client of each dialect, all subscribed to one channel.
struct Clients {
    text: Client,
    rpc: Client,
    rohrpost: Client,
    aiows: Client,
}

impl Clients {
    async fn new(server: &TestServer) -> Self {
        let text = server.subscriber("room-1", &["BBOX 5.9 45.8 10.5 47.8"]).await;
        let mut rpc = Client::connect_raw(server.address, "/rpc").await;
        let answer = rpc.ask(r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":["room-1"]}"#).await;
        assert!(answer.contains(r#""result""#), "{answer}");
        let mut rohrpost = server.rohrpost().await;
        let answer = rohrpost.ask(r#"{"id":1,"type":"subscribe","data":{"type":"room","id":1}}"#).await;
        assert_eq!(answer, r#"{"id":1,"type":"subscribe","data":{"group":"room-1"}}"#);
        let aiows = server.aiows("room-1").await;
        let mut clients = Self { text, rpc, rohrpost, aiows };
        // Its way of making sure has reached the others as well.
        for client in [&mut clients.text, &mut clients.rpc, &mut clients.rohrpost] {
            while !client.next_text().await.contains("that is all") {}
        }
        clients
    }

    /// Takes the next message of each and holds it to what was published.
    async fn expect(&mut self, payload: &[u8], kind: Kind, cell: &str) {
        let json = shown(payload, kind);
        let text = self.text.next_text().await;
        let rest = text.strip_prefix(&format!(r#"{{"source":"room-1","content":{json},"timestamp":"#));
        let time = rest.and_then(|rest| rest.strip_suffix(r#","client_reference":null}"#));
        assert!(time.is_some_and(is_a_time), "text, {cell}: {text}");
        let rpc = self.rpc.next_text().await;
        let before = format!(
            r#"{{"jsonrpc":"2.0","method":"message","params":{{"source":"room-1","content":{json},"timestamp":"#
        );
        let time = rpc.strip_prefix(&before).and_then(|rest| rest.strip_suffix("}}"));
        assert!(time.is_some_and(is_a_time), "rpc, {cell}: {rpc}");
        let (_, update) = self.rohrpost.next_update().await;
        let data = format!(r#"{{"group":"room-1","type":"update","object":{json}}}"#);
        assert_eq!(update, format!(r#""type":"subscription-update","data":{data}}}"#), "rohrpost, {cell}");
        let package = self.aiows.next_message().await;
        let expected = match kind {
            Kind::Binary => Message::binary(payload.to_vec()),
            Kind::Json | Kind::Text => Message::text(String::from_utf8(payload.to_vec()).expect("text")),
        };
        assert_eq!(package, expected, "aiows, {cell}");
    }
}

/// The payload in the JSON of a dialect: JSON as it came, text as a string, bytes in base64.
fn shown(payload: &[u8], kind: Kind) -> String {
    let text = || std::str::from_utf8(payload).expect("text");
    match kind {
        Kind::Json => text().to_owned(),
        Kind::Text => serde_json::to_string(text()).expect("a text is JSON"),
        Kind::Binary => format!(r#"{{"base64":"{}"}}"#, BASE64_STANDARD.encode(payload)),
    }
}

/// Milliseconds as a float.
fn is_a_time(text: &str) -> bool {
    text.contains('.') && text.parse::<f64>().is_ok_and(|time| time > 1.6e12)
}

/// Publishes the payload, and says as what it is to arrive. `None`: this way cannot carry it.
async fn publish(server: &TestServer, way: Way, payload: &Payload) -> Option<Kind> {
    let Payload { bytes, kind } = *payload;
    let send = async |method: &str, path: &str, header: &str, body: &[u8]| {
        let headers = ["Authorization: Bearer key", header];
        let answer = request(server.address, method, path, &headers, body).await;
        assert!(matches!(answer.status, 200 | 201), "{way:?} {}: {answer:?}", bytes.escape_ascii());
    };
    let package = async |name: &str| {
        send("POST", "/channel/room-1/", &format!("Package-Type: {name}"), bytes).await;
    };
    match (way, kind) {
        (Way::HttpApi, _) => send("POST", "/api/publish/room-1", "X: y", bytes).await,
        (Way::State, _) => send("PUT", "/api/state/room-1/7", "X: y", bytes).await,
        (Way::JsonRpc, Kind::Json) => {
            let mut publisher = Client::connect_raw(server.address, "/rpc?pwd=key").await;
            let payload = std::str::from_utf8(bytes).expect("text");
            let call = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"publish","params":{{"channel":"room-1","data":{payload}}}}}"#
            );
            let answer = publisher.ask(&call).await;
            assert!(answer.contains(r#""result""#), "{answer}");
        }
        (Way::AiowsText, Kind::Json | Kind::Text) => {
            package("text").await;
            return Some(Kind::Text);
        }
        (Way::AiowsJson, Kind::Json) => package("json").await,
        (Way::AiowsBytes, _) => {
            package("bytes").await;
            return Some(Kind::Binary);
        }
        (Way::AiowsBroadcast, Kind::Json) => {
            let payload = std::str::from_utf8(bytes).expect("text");
            let body = format!(r#"{{"room-1":[{{"json":{payload}}}]}}"#);
            send("POST", "/broadcast/", "X: y", body.as_bytes()).await;
        }
        (Way::AiowsBroadcast, _) => {
            let characters: String = match kind {
                Kind::Binary => bytes.iter().copied().map(char::from).collect(),
                _ => String::from_utf8(bytes.to_vec()).expect("text"),
            };
            let name = if kind == Kind::Binary { "bytes" } else { "text" };
            let body = format!(r#"{{"room-1":[{{"{name}":{}}}]}}"#, serde_json::Value::from(characters));
            send("POST", "/broadcast/", "X: y", body.as_bytes()).await;
        }
        (Way::Redis, _) => {
            let mut connection = server.redis.as_ref()?.connect();
            let head = format!("*3\r\n$7\r\nPUBLISH\r\n$6\r\nroom-1\r\n${}\r\n", bytes.len());
            connection.write_all(&[head.as_bytes(), bytes, b"\r\n"].concat()).expect("redis reads");
        }
        (Way::JsonRpc | Way::AiowsJson, _) | (Way::AiowsText, Kind::Binary) => return None,
    }
    Some(kind)
}

async fn every_way_in_reaches_every_way_out(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.publish_key = Some(Secret::new("key"));
        settings.limits.commands_per_second = 1000;
    })
    .await;
    let mut clients = Clients::new(&server).await;
    let mut cells = 0;
    for way in WAYS {
        for payload in &PAYLOADS {
            let cell = format!("{way:?} {}", payload.bytes.escape_ascii());
            if let Some(kind) = publish(&server, way, payload).await {
                clients.expect(payload.bytes, kind, &cell).await;
                cells += 4;
            }
        }
    }
    // Of forty pairs of way and payload, five cannot be: JSON-RPC and JSON packages carry JSON only, text no bytes.
    let publications = if backend == Backend::Redis { 35 } else { 30 };
    assert_eq!(cells, 4 * publications);
}
