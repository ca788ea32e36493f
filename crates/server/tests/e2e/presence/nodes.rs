//! Several nodes on one Redis.

use geocast_server::{RedisSettings, StoreSettings};

use super::*;
use crate::{redis_cluster::RedisCluster, redis_sentinels::RedisSentinels, redis_server::RedisServer};

pub(super) async fn node(url: &str) -> TestServer {
    let server = TestServer::start_with(Backend::Embedded, |settings| {
        rooms(settings);
        settings.store = StoreSettings::Redis(RedisSettings::new(url.parse().expect("a URL")));
    })
    .await;
    server.wait_until_ready().await;
    server
}

/// That clients of two nodes know of each other, and that who moves from one to the other has not left.
async fn nodes_know_of_each_other(url: &str) {
    let (here, there) = (node(url).await, node(url).await);
    let (mut watcher, mut asks) = (watcher(&here, "room").await, Caller::connect(&here).await);
    let ada = named(&there, "room", "Ada").await;
    assert_eq!(moves(&mut watcher).await, ["+Ada"]);
    let roll = until(&mut asks, "room", |roll| roll["clients"] == 2).await;
    assert_eq!(roll["entries"], json!([{ "info": { "name": "Ada" }, "connections": 1 }]));
    let same = named(&here, "room", "Ada").await;
    let roll = until(&mut asks, "room", |roll| roll["clients"] == 3).await;
    assert_eq!(roll["entries"], json!([{ "info": { "name": "Ada" }, "connections": 2 }]));
    drop(ada);
    until(&mut asks, "room", |roll| roll["clients"] == 2).await;
    // From here to there, without being on both.
    drop(same);
    let again = named(&there, "room", "Ada").await;
    let bob = named(&there, "room", "Bob").await;
    assert_eq!(moves(&mut watcher).await, ["+Bob"]);
    // A node that starts later knows all.
    let late = node(url).await;
    let mut asks_late = Caller::connect(&late).await;
    let roll = until(&mut asks_late, "room", |roll| roll["clients"] == 3).await;
    let entry = |name: &str| json!({ "info": { "name": name }, "connections": 1 });
    assert_eq!(roll["entries"], json!([entry("Ada"), entry("Bob")]));
    // A node that stops says so, and its clients are gone after the grace.
    drop((again, bob));
    there.stop().await;
    let mut left = moves(&mut watcher).await;
    while left.len() < 2 {
        left.extend(moves(&mut watcher).await);
    }
    assert_eq!(left, ["-Ada", "-Bob"]);
    until(&mut asks_late, "room", |roll| roll["clients"] == 1 && roll["entries"] == json!([])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_on_one_redis_know_of_each_other() {
    let redis = RedisServer::start(&[]);
    nodes_know_of_each_other(&redis.url()).await;
    let keys = redis.cli(&["KEYS", "*"]);
    assert!(keys.lines().all(|key| key.starts_with("{geocast:presence}:")), "{keys}");
    // What nobody cares for ends, or has ended already (-2), as a node takes with it what it said.
    for key in keys.lines() {
        let left: i64 = redis.cli(&["PTTL", key]).parse().expect("a number");
        assert!(left == -2 || (1..=120_000).contains(&left), "{key}: {left}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_behind_sentinels_know_of_each_other() {
    let sentinels = RedisSentinels::start(&[], &[]);
    nodes_know_of_each_other(&sentinels.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_on_a_cluster_know_of_each_other() {
    let cluster = RedisCluster::start(0);
    nodes_know_of_each_other(&cluster.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_come_at_once_are_all_known() {
    let redis = RedisServer::start(&[]);
    let url = redis.url();
    let (here, there) = (node(&url).await, node(&url).await);
    let mut asks = Caller::connect(&here).await;
    let mut clients = Vec::new();
    // More lines than are said at once.
    for client in 0..12 {
        let mut caller = Caller::connect(&there).await;
        for room in 0..50 {
            let params = json!({ "channel": format!("room{room}"), "info": { "name": client } });
            let request = json!({ "jsonrpc": "2.0", "id": room, "method": "subscribe", "params": params });
            caller.client.send(request.to_string()).await;
        }
        clients.push(caller);
    }
    for caller in &mut clients {
        for _ in 0..50 {
            assert!(caller.client.next().await["error"].is_null());
        }
    }
    for room in 0..50 {
        let all = |roll: &Value| roll["entries"].as_array().is_some_and(|entries| entries.len() == 12);
        let roll = until(&mut asks, &format!("room{room}"), all).await;
        assert_eq!(roll["clients"], 12);
    }
    let late = node(&url).await;
    let mut asks_late = Caller::connect(&late).await;
    until(&mut asks_late, "room49", |roll| roll["clients"] == 12).await;
    drop(clients);
    until(&mut asks, "room49", |roll| roll["clients"] == 0 && roll["entries"] == json!([])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_write_under_these_names_harms_nobody() {
    let redis = RedisServer::start(&[]);
    let url = redis.url();
    let here = node(&url).await;
    let mut asks = Caller::connect(&here).await;
    until(&mut asks, "room", |_| true).await;
    let (nodes, log, said) =
        ("{geocast:presence}:nodes", "{geocast:presence}:log", "{geocast:presence}:node:00000000000000aa");
    let lines = ["room {}", "room {\"user\":5}", "ro*om", "", " ", "room {\"user\":\"a\",\"x\":1}", "\u{ff}"];
    for line in lines {
        redis.cli(&["XADD", log, "*", "node", "00000000000000aa", "line", line, "count", "1"]);
        redis.cli(&["HSET", said, line, "1"]);
    }
    for fields in [
        &["node", "zz", "is", "gone"][..],
        &["node", "00000000000000aa", "line", "room", "count", "-1"],
        &["node", "00000000000000aa", "line", "room", "count", "99999999999"],
        &["x", "y"],
        &["node", "00000000000000aa"],
    ] {
        redis.cli(&[&["XADD", log, "*"], fields].concat());
    }
    redis.cli(&["HSET", said, "room", "many", "room2", "7"]);
    redis.cli(&["ZADD", nodes, "99999999999999", "00000000000000aa", "5", "zz"]);
    redis.cli(&["XADD", log, "*", "node", "00000000000000aa", "line", "room3", "count", "3"]);
    until(&mut asks, "room3", |roll| roll["clients"] == 3).await;
    assert_eq!(asks.call("presence", json!(["room"])).await["clients"], 0);
    // One that reads it all is none the wiser.
    let late = node(&url).await;
    let mut asks_late = Caller::connect(&late).await;
    until(&mut asks_late, "room2", |roll| roll["clients"] == 7).await;
    assert_eq!(asks_late.call("presence", json!(["room"])).await["clients"], 0);
    // What cannot be used at all is said, and does not keep anything else from working.
    redis.cli(&["SET", log, "x"]);
    let mut stale = false;
    for _ in 0..600 {
        stale = asks.call("presence", json!(["room3"])).await["stale"] == true;
        if stale {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(stale);
    let mut ada = named(&here, "room", "Ada").await;
    here.publish("room", "1").await;
    assert_eq!(ada.pushed().await["content"], 1);
    redis.cli(&["DEL", log]);
    until(&mut asks, "room", |roll| roll["clients"] == 1).await;
    until(&mut asks_late, "room", |roll| roll["clients"] == 1).await;
}
