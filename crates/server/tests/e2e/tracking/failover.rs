//! Over a Redis whose master is replaced.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use geocast_server::{Count, RedisSettings, StoreSettings};
use serde_json::json;

use super::follower::{Follower, point};
use crate::{caller::Caller, redis_sentinels::RedisSentinels, server::TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_stay_are_told_of_the_gap_and_have_the_right_map_after_a_failover() {
    let mut redis = RedisSentinels::start(&[], &[]);
    let url = redis.url();
    let server = TestServer::start_on(None, |settings| {
        let mut redis = RedisSettings::new(url.parse().expect("a URL"));
        redis.command_timeout = Duration::from_secs(2);
        redis.probe_interval = Duration::from_millis(500);
        settings.store = StoreSettings::Redis(redis);
    })
    .await;
    server.wait_until_ready().await;
    let mut follower = Follower::start(&server, None).await;
    let mut listener = Caller::connect(&server).await;
    listener.call("subscribe", json!(["map"])).await;
    // What the store took, as the value that each key had last.
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
    redis.servers[0].kill();
    let killed = Instant::now();
    let mut is_told = false;
    while !is_told {
        assert!(killed.elapsed() < Duration::from_secs(15), "nobody is told");
        is_told = listener.client.next().await["method"] == "gap";
    }
    stop.store(true, Ordering::Relaxed);
    load.await.expect("publishing does not panic");
    assert_eq!(redis.master(), 1);
    // The map is what the new master has, which may have lost what the old one took last.
    let published = redis.servers[1].cli(&["HVALS", "map"]);
    let mut expected: Vec<_> = published.lines().map(str::to_owned).collect();
    expected.sort();
    assert_eq!(expected.len(), 20);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        follower.settle().await;
        let mut map: Vec<_> = follower.map.values().map(ToString::to_string).collect();
        map.sort();
        let parsed =
            |text: &String| serde_json::from_str::<serde_json::Value>(text).expect("JSON").to_string();
        let mut wanted: Vec<_> = expected.iter().map(parsed).collect();
        wanted.sort();
        if map == wanted {
            break;
        }
        assert!(Instant::now() < deadline, "{map:?}\n{wanted:?}");
    }
    assert_eq!(server.count(Count::StoreInterrupted), 1);
    server.put("map", "1", point("1", 99.0, 9.0)).await;
    follower.settle().await;
    assert_eq!(follower.map["1"]["geometry"]["coordinates"], json!([99.0, 9.0]));
}
