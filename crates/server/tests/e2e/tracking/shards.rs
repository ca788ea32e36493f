//! Over a cluster, of which one shard is not heard for a while.

use std::{process::Command, time::Duration};

use geocast_server::{RedisSettings, StoreSettings};
use serde_json::json;

use super::follower::{Follower, point};
use crate::{caller::Caller, redis_cluster::RedisCluster, server::TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deaf_interval_of_a_shard_is_told_to_those_who_listen_to_it() {
    let cluster = RedisCluster::start(0);
    let url = cluster.url();
    let server = TestServer::start_on(None, |settings| {
        let mut redis = RedisSettings::new(url.parse().expect("a URL"));
        redis.probe_interval = Duration::from_millis(500);
        settings.store = StoreSettings::Redis(redis);
    })
    .await;
    server.wait_until_ready().await;
    let owner = cluster.owner("map");
    let elsewhere = (0..).map(|number| format!("c{number}")).find(|name| cluster.owner(name) != owner);
    let elsewhere = elsewhere.expect("there are channels elsewhere");
    for key in ["gone", "moved", "same"] {
        server.put("map", key, point(key, 5.0, 5.0)).await;
    }
    let mut follower = Follower::start(&server, None).await;
    assert_eq!(follower.keys(), ["gone", "moved", "same"]);
    let mut here = Caller::connect(&server).await;
    here.call("subscribe", json!(["map"])).await;
    let mut other = Caller::connect(&server).await;
    other.call("subscribe", json!([&elsewhere])).await;
    let node = &cluster.nodes[owner];
    // What is published in the shard changes the map like anything else.
    assert_eq!(node.cli(&["SPUBLISH", "map", &point("same", 7.0, 5.0)]), "1");
    assert_eq!(follower.told().await, "update same");
    assert_eq!(here.pushed().await["content"]["id"], "same");
    // Nobody hears of these.
    node.cli(&["HDEL", "map", "gone"]);
    node.cli(&["HSET", "map", "same", &point("same", 7.0, 5.0)]);
    node.cli(&["HSET", "map", "moved", &point("moved", 6.0, 5.0), "new", &point("new", 1.0, 1.0)]);
    let clients = node.cli(&["CLIENT", "LIST", "TYPE", "pubsub"]);
    let listens = clients.lines().find(|line| !line.contains(" ssub=0 ")).expect("it is listened to");
    let id = listens.split(' ').next().expect("a word").trim_start_matches("id=").to_owned();
    assert_eq!(node.cli(&["CLIENT", "KILL", "ID", &id]), "1");
    let mut told = Vec::new();
    while told.len() < 3 {
        told.push(follower.told().await);
    }
    told.sort();
    assert_eq!(told, ["enter new", "leave gone deleted", "update moved"]);
    let gap = here.client.next().await;
    assert_eq!((&gap["method"], &gap["params"]["source"]), (&json!("gap"), &json!("map")), "{gap}");
    server.wait_until_ready().await;
    let port = node.port().to_string();
    for (channel, caller) in [("map", &mut here), (elsewhere.as_str(), &mut other)] {
        let published = Command::new("redis-cli")
            .args(["-c", "-p", &port, "SPUBLISH", channel, r#"{"type":"Feature","id":"last"}"#])
            .output()
            .expect("redis-cli is installed");
        assert_eq!(String::from_utf8_lossy(&published.stdout).trim(), "1");
        // The other was told of nothing before.
        assert_eq!(caller.pushed().await["content"]["id"], "last", "{channel}");
    }
}
