//! Over Redis, which may be away, and whose other clients write as they like.

use geocast_server::StoreSettings;

use super::follower::{Follower, point};
use crate::server::{TestServer, patient_redis};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_while_redis_was_deaf_is_told_as_a_difference() {
    let mut server = TestServer::start_noticing_soon().await;
    for key in ["gone", "moved", "same"] {
        server.put("map", key, point(key, 5.0, 5.0)).await;
    }
    let mut follower = Follower::start(&server, Some([0.0, 0.0, 10.0, 10.0])).await;
    assert_eq!(follower.keys(), ["gone", "moved", "same"]);
    let redis = server.redis.as_mut().expect("it is there");
    // Nobody hears of these.
    redis.cli(&["HDEL", "map", "gone"]);
    redis.cli(&["HSET", "map", "moved", &point("moved", 6.0, 5.0), "new", &point("new", 1.0, 1.0)]);
    redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let mut told = Vec::new();
    while told.len() < 3 {
        told.push(follower.told().await);
    }
    told.sort();
    assert_eq!(told, ["enter new", "leave gone deleted", "update moved"]);
    assert_eq!(follower.settle().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_tell_the_same() {
    let one = TestServer::start(crate::server::Backend::Redis).await;
    let url = one.redis.as_ref().expect("it is there").url();
    let two = TestServer::start_on(None, |settings| {
        settings.store = StoreSettings::Redis(patient_redis(&url));
    })
    .await;
    let mut followers = [Follower::start(&one, None).await, Follower::start(&two, None).await];
    for round in 0..10 {
        for key in 0..20 {
            let node = if (round + key) % 2 == 0 { &one } else { &two };
            let key = key.to_string();
            node.put("map", &key, point(&key, f64::from(round), 5.0)).await;
        }
    }
    for follower in &mut followers {
        follower.settle().await;
    }
    let [one, two] = followers;
    assert_eq!(one.map.len(), 20);
    assert_eq!(one.map, two.map);
}
