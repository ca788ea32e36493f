use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use super::{
    described,
    frames::{Client, Frames, all, named, text},
    requests::carry_out,
};
use crate::{geocast::Running, redis_server::RedisServer};

#[test]
fn what_is_said_over_websockets_is_as_described() {
    let frames = Frames::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let world = World::new(&frames);
        in_json_rpc(&world).await;
        in_text(&world).await;
        in_aiows(&world).await;
        through_filters(&world).await;
        world.ends_subscriptions().await;
        when_redis_was_away(&frames).await;
    });
    let frames = frames.take();
    assert_eq!(named(&frames), Ok(all(&described("asyncapi"))), "what was said, and what is described");

    for (operation, wrong) in [
        ("rpc.send", r#"{"jsonrpc":"1.0","id":"ping","result":1}"#),
        ("text.send", r#"{"source":"websocket","content":"PONG","timestamp":1.0}"#),
        ("rohrpost.send", "{}"),
    ] {
        let named = named(&[(operation.to_owned(), Message::text(wrong))]);
        assert!(named.is_err(), "{wrong} is {named:?}");
    }
}

/// A server and what is said there.
struct World {
    folder: TempDir,
    server: Running,
    frames: Frames,
}

impl World {
    fn new(frames: &Frames) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        configure(&folder, "vehicles,news*,room");
        let config = folder.path().join("geocast.toml").display().to_string();
        let served = ["serve", "--port", "0", "--config", &config, "--history", "vehicles=100"];
        let more = ["--presence", "room", "--filters", "broadcast_messages_by_token"];
        let server = Running::server(&[&served[..], &more].concat());
        Self { folder, server, frames: Frames::clone(frames) }
    }

    async fn client(&self, path: &str, dialect: &'static str) -> Client {
        Client::connect(self.server.address(), path, dialect, &self.frames).await
    }

    fn publish(&self, channel: &str, payload: &str) {
        carry_out(&self.server, "POST", &format!("/api/publish/{channel}"), "Accept: */*", payload);
    }

    /// Everybody is told that nobody may read any more what they are subscribed to.
    async fn ends_subscriptions(&self) {
        let mut rpc = self.client("/rpc", "rpc").await;
        rpc.say(call("subscribe", &json!(["news"]))).await;
        rpc.hear(&[r#""id":"subscribe""#]).await;
        let mut text = self.client("/ws", "text").await;
        text.say("SUB news").await;
        text.say("PING").await;
        text.hear(&["PONG"]).await;
        let mut rohrpost = in_rohrpost(self).await;
        configure(&self.folder, "vehicles");
        self.server.signal("HUP");
        rpc.hear(&[r#""method":"ended""#]).await;
        text.hear(&["access_denied"]).await;
        rohrpost.hear(&["ACCESS_DENIED"]).await;
    }
}

async fn in_json_rpc(world: &World) {
    let mut client = world.client("/rpc?pwd=key", "rpc").await;
    for (method, params, heard) in calls() {
        client.say(call(method, &params)).await;
        client.hear(&[&[&*format!(r#""id":"{method}""#)], heard].concat()).await;
    }
    client.say(format!("[{},{}]", call("ping", &json!({})), call("get", &json!(["vehicles"])))).await;
    client.hear(&[r#"[{"jsonrpc":"2.0","id":"#]).await;
    let mut other = world.client("/rpc", "rpc").await;
    other.say(call("subscribe", &json!({ "channel": "room", "info": { "name": "Ada" } }))).await;
    other.hear(&[r#""id":"subscribe""#]).await;
    client.hear(&[r#""joined":[{"info":{"name":"Ada"}}]"#]).await;
}

/// Calls of all methods, and what is to be heard besides the answer to each.
fn calls() -> Vec<(&'static str, Value, &'static [&'static str])> {
    let point = |x: f64| json!({ "type": "Feature", "id": 7, "geometry": { "type": "Point", "coordinates": [x, 47] }, "properties": { "line": 7 } });
    let put = |x: f64| json!({ "channel": "vehicles", "key": "7", "data": point(x) });
    let track = |format: &str| json!({ "channel": "vehicles", "track": true, "format": format });
    vec![
        ("ping", json!({ "data": 1 }), &[]),
        ("rpc.discover", json!({}), &[]),
        ("viewport", json!({ "bbox": [5.9, 45.8, 10.5, 47.8] }), &[]),
        ("subscribe", json!(["vehicles"]), &[]),
        ("publish", put(8.0), &[r#""method":"message""#]),
        ("get", json!({ "channel": "vehicles", "key": null }), &[]),
        ("get", json!({ "channel": "no channel" }), &[r#""error""#]),
        ("history", json!({ "channel": "vehicles" }), &[]),
        ("subscribe", track("changes"), &[r#""method":"enter""#]),
        ("publish", put(9.0), &[r#""method":"update""#]),
        ("publish", put(50.0), &[r#""method":"leave""#]),
        ("publish", put(8.5), &[r#""method":"enter""#]),
        ("subscribe", track("maplibre"), &[r#""diff":{"add""#]),
        ("publish", put(8.6), &[r#""diff":{"update""#]),
        ("publish", put(50.0), &[r#""diff":{"remove""#]),
        ("buffer", json!({ "milliseconds": 0, "count": 1 }), &[]),
        ("publish", put(8.7), &[r#"[{"jsonrpc":"2.0","method":"diff""#]),
        ("session", json!({}), &[]),
        ("buffer", json!([0, 0]), &[]),
        ("projection", json!({ "crs": "EPSG:3857" }), &[r#""diff":{"update""#]),
        ("unsubscribe", json!({ "channel": "vehicles" }), &[]),
        ("subscribe", json!({ "channel": "room", "presence": true }), &[]),
        ("presence", json!({ "channel": "room" }), &[]),
    ]
}

/// Behind what was said in JSON-RPC there is one vehicle.
async fn in_text(world: &World) {
    let mut client = world.client("/ws", "text").await;
    for (said, heard) in [
        ("PING", "PONG"),
        ("BBOX 1 2 3", "wrong_arity"),
        ("GET vehicles", r#""source":"vehicles""#),
        ("GET nothing", r#""content":null"#),
        ("SUB vehicles since=now", r#""subscribed""#),
        ("SUB vehicles track", r#""change":"enter""#),
        ("BBOX 50 50 51 51", r#""change":"leave""#),
        ("SUB vehicles track maplibre", ""),
        ("BBOX", r#""add""#),
        ("DEL vehicles", ""),
        ("SUB news", ""),
        ("PING", "PONG"),
    ] {
        client.say(said).await;
        if !heard.is_empty() {
            client.hear(&[heard]).await;
        }
    }
    world.publish("news", "1");
    client.hear(&[r#""source":"news""#]).await;
    client.say("BUFFER 0 2").await;
    client.say("PING").await;
    client.hear(&["PONG"]).await;
    world.publish("news", r#"{"speed":7.10}"#);
    world.publish("news", "text");
    client.hear(&[r#""source":"buffer""#]).await;
}

/// Leaves a client that is subscribed to a group.
async fn in_rohrpost(world: &World) -> Client {
    let mut client = world.client("/rohrpost/", "rohrpost").await;
    let group = |name: &str| json!({ "type": name, "id": 5 });
    for (kind, data, heard) in [
        ("ping", json!({ "a": 1 }), "pong"),
        ("dance", json!(null), "Unknown message type"),
        ("subscribe", group("secret"), "ACCESS_DENIED"),
        ("subscribe", group("news"), r#"{"group":"news-5"}"#),
        ("unsubscribe", group("other"), r#"{"group":"other-5"}"#),
    ] {
        client.say(json!({ "id": 7, "type": kind, "data": data }).to_string()).await;
        client.hear(&[heard]).await;
    }
    world.publish("news-5", r#"{"speed":7.10}"#);
    client.hear(&["subscription-update"]).await;
    client
}

async fn in_aiows(world: &World) {
    let mut client = world.client("/channel/news/", "aiows").await;
    client.settle().await;
    for (kind, package) in [("json", r#"{"speed":7.10}"#), ("text", "Hello"), ("bytes", "bytes")] {
        carry_out(&world.server, "POST", "/channel/news/", &format!("Package-Type: {kind}"), package);
        client.hear(&[package]).await;
    }
    client.say("close").await;
}

async fn through_filters(world: &World) {
    let mut one = world.client("/pipeline", "pipeline").await;
    let mut other = world.client("/pipeline", "pipeline").await;
    for client in [&mut one, &mut other] {
        client.say("token:blue").await;
        client.hear(&["blue"]).await;
    }
    for message in [Message::text("Hello"), Message::binary(&b"bytes"[..])] {
        let heard = text(&message);
        one.say(message).await;
        other.hear(&[&heard]).await;
    }
}

/// On Redis, where offsets are written in another way, too.
async fn when_redis_was_away(frames: &Frames) {
    let redis = RedisServer::start(&[]);
    let url = redis.url();
    let served =
        ["serve", "--port", "0", "--redis", &url, "--channels", "news,vehicles", "--publish-key", "key"];
    let more = ["--history", "vehicles=100", "--redis-probe-interval", "200ms"];
    let server = Running::server(&[&served[..], &more].concat());
    let mut text = Client::connect(server.address(), "/ws", "text", frames).await;
    let mut rpc = Client::connect(server.address(), "/rpc?pwd=key", "rpc", frames).await;
    text.say("SUB vehicles since=now").await;
    text.hear(&[r#""subscribed""#]).await;
    rpc.say(call("publish", &json!(["vehicles", 7]))).await;
    rpc.hear(&[r#""offset":""#]).await;
    text.hear(&[r#""source":"vehicles""#]).await;
    rpc.say(call("subscribe", &json!(["news"]))).await;
    rpc.hear(&[r#""id":"subscribe""#]).await;
    text.say("SUB news").await;
    text.say("PING").await;
    text.hear(&["PONG"]).await;
    assert_ne!(redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]), "0");
    text.hear(&[r#""gap":{"channel":"news"}"#]).await;
    rpc.hear(&[r#""method":"gap""#]).await;
}

/// A call whose id is its method.
fn call(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": method, "method": method, "params": params }).to_string()
}

fn configure(folder: &TempDir, channels: &str) {
    let text = format!("channels = \"{channels}\"\npublish_key = \"key\"\n");
    fs::write(folder.path().join("geocast.toml"), text).expect("the folder is ours");
}
