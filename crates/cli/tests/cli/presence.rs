//! Who is on a channel, when the process that they are connected to dies.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{geocast::Running, redis_server::RedisServer};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn subscribed(server: SocketAddr, params: Value) -> Client {
    let (mut client, _) = connect_async(format!("ws://{server}/rpc")).await.expect("it listens");
    call(&mut client, "subscribe", params).await;
    client
}

/// The result of a call; notifications before it are passed over.
async fn call(client: &mut Client, method: &str, params: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    client.send(Message::text(request.to_string())).await.expect("the connection is open");
    loop {
        let mut frame = next(client).await;
        if frame["id"] == 1 {
            assert!(frame["error"].is_null(), "{frame}");
            return frame["result"].take();
        }
    }
}

async fn next(client: &mut Client) -> Value {
    loop {
        let message = timeout(Duration::from_secs(60), client.next()).await.expect("a message comes in time");
        if let Message::Text(text) = message.expect("the connection is open").expect("it is a message") {
            return serde_json::from_str(text.as_str()).expect("it is JSON");
        }
    }
}

/// Who are the next to come or to go.
async fn moved(client: &mut Client, how: &str) -> Value {
    loop {
        let mut frame = next(client).await;
        if frame["method"] == "presence" && frame["params"][how] != json!([]) {
            return frame["params"].take();
        }
    }
}

#[tokio::test]
async fn a_node_that_is_killed_is_missed_by_all_others_within_thirty_seconds() {
    let redis = RedisServer::start(&[]);
    let url = redis.url();
    let arguments = ["serve", "--port", "0", "--redis", &url, "--channels", "room*", "--presence", "room*"];
    let nodes: Vec<Running> = (0..3).map(|_| Running::server(&arguments)).collect();
    let addresses: Vec<SocketAddr> = nodes.iter().map(Running::address).collect();
    let named = |name: &str| json!({ "channel": "room", "info": { "name": name } });
    let person = |name: &str| json!({ "info": { "name": name } });
    let watch = json!({ "channel": "room", "presence": true });
    let mut watchers = [subscribed(addresses[0], watch.clone()).await, subscribed(addresses[1], watch).await];
    // Eve is on the one that dies and on another one; Bob only on another one.
    let mut bob = subscribed(addresses[1], named("Bob")).await;
    let _eve_here = subscribed(addresses[0], named("Eve")).await;
    let [_ada, _eve] =
        [subscribed(addresses[2], named("Ada")).await, subscribed(addresses[2], named("Eve")).await];
    for watcher in &mut watchers {
        let mut missing = vec![person("Ada"), person("Bob"), person("Eve")];
        while !missing.is_empty() {
            let told = moved(watcher, "joined").await;
            let joined = told["joined"].as_array().expect("a list").clone();
            missing.retain(|person| !joined.contains(person));
        }
    }
    let mut nodes = nodes.into_iter();
    let _others = [nodes.next(), nodes.next()];
    let mut dying = nodes.next().expect("there are three");
    let killed = Instant::now();
    dying.signal("KILL");
    dying.wait();
    for watcher in &mut watchers {
        let told = moved(watcher, "left").await;
        assert_eq!(told["left"], json!([person("Ada")]), "{told}");
        assert!(killed.elapsed() < Duration::from_secs(30), "after {:?}", killed.elapsed());
    }
    let roll = call(&mut bob, "presence", json!(["room"])).await;
    assert_eq!((&roll["clients"], &roll["stale"]), (&json!(4), &json!(false)), "{roll}");
    let names: Vec<&Value> =
        roll["entries"].as_array().expect("a list").iter().map(|entry| &entry["info"]["name"]).collect();
    assert_eq!(names, ["Bob", "Eve"]);
}
