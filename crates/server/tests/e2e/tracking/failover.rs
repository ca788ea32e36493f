//! Over a Redis whose master is replaced.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use geocast_server::StoreSettings;
use serde_json::{Value, json};

use super::follower::{Follower, point};
use crate::{
    caller::Caller,
    redis_cluster::RedisCluster,
    redis_sentinels::RedisSentinels,
    redis_server::RedisServer,
    server::{TestServer, patient_redis},
    waiting::{PATIENCE, until},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maps_are_right_after_sentinels_have_replaced_the_master() {
    let mut redis = RedisSentinels::start(&[], &[]);
    let url = redis.url();
    let [master, replica] = &mut redis.servers;
    maps_are_right_after_the_end_of(master, replica, &url).await;
    assert_eq!(redis.master(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maps_are_right_after_a_cluster_has_replaced_a_master() {
    // The channel `map` has the slot 8118, which is the second master's.
    let mut redis = RedisCluster::start(1);
    let url = redis.url();
    let (masters, replica) = redis.nodes.split_at_mut(3);
    maps_are_right_after_the_end_of(&mut masters[1], &replica[0], &url).await;
}

/// The `master` of a channel is killed under load, and the `replica` takes its place. Clients stay, are told of the gap, and
/// have the map of the new master.
async fn maps_are_right_after_the_end_of(master: &mut RedisServer, replica: &RedisServer, url: &str) {
    let server = TestServer::start_on(None, |settings| {
        let mut redis = patient_redis(url);
        redis.command_timeout = Duration::from_secs(2);
        redis.probe_interval = Duration::from_millis(500);
        settings.store = StoreSettings::Redis(redis);
    })
    .await;
    server.wait_until_ready().await;
    let mut follower = Follower::start(&server, None).await;
    let mut listener = Caller::connect(&server).await;
    listener.call("subscribe", json!(["map"])).await;
    for key in 0..20 {
        server.put("map", &key.to_string(), point(&key.to_string(), 1.0, 5.0)).await;
    }
    master.wait_for_replica();
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (store, stop) = (Arc::clone(&server.store), Arc::clone(&stop));
        let map = "map".parse().expect("a channel");
        async move {
            for number in 0_u32.. {
                let (key, x) = ((number % 20).to_string(), f64::from(number % 1000) / 10.0);
                // There is no master for a while, and that is not the point.
                let _away = store.put(&map, &key, point(&key, x, 5.0).into()).await;
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    master.kill();
    let killed = Instant::now();
    while listener.client.next().await["method"] != "gap" {
        assert!(killed.elapsed() < PATIENCE, "nobody is told");
    }
    // Who heard messages from this very master is told before there is another.
    while !replica.cli(&["ROLE"]).starts_with("master") {
        assert!(killed.elapsed() < PATIENCE, "nobody takes its place");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.store(true, Ordering::Relaxed);
    load.await.expect("publishing does not panic");
    // What the new master has, which may have lost what the old one took last.
    let deadline = Instant::now() + PATIENCE;
    let mut state = replica.cli(&["HVALS", "map"]);
    while state.lines().count() != 20 {
        assert!(Instant::now() < deadline, "the new master has {state:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        state = replica.cli(&["HVALS", "map"]);
    }
    let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON").to_string();
    let mut expected: Vec<String> = state.lines().map(parsed).collect();
    expected.sort();
    loop {
        follower.settle().await;
        let mut map: Vec<_> = follower.map.values().map(ToString::to_string).collect();
        map.sort();
        if map == expected {
            break;
        }
        assert!(Instant::now() < deadline, "{map:?}\n{expected:?}");
    }
    // The other nodes of a cluster hear a moment later of the new master.
    server.wait_until_ready().await;
    until("the new master to take a value", async || {
        let (map, value) = ("map".parse().expect("a channel"), point("1", 99.0, 9.0));
        server.store.put(&map, "1", value.into()).await
    })
    .await;
    until("the map to have it", async || {
        follower.settle().await;
        match &follower.map["1"]["geometry"]["coordinates"] {
            new if *new == json!([99.0, 9.0]) => Ok(()),
            old => Err(old.to_string()),
        }
    })
    .await;
}
