//! Rights to what is published in shards, which are lost and given back.

use std::collections::BTreeSet;

use super::{
    clusters::{names, subscribed_to_all},
    redis_cluster::RedisCluster,
    shards::all_heard,
    *,
};

/// Changes the rights of everybody on all nodes.
fn allow(cluster: &RedisCluster, rules: &[&str]) {
    for node in &cluster.nodes {
        assert_eq!(node.cli(&[&["ACL", "SETUSER", "default"], rules].concat()), "OK");
    }
}

/// Waits until all channels have been told of a gap.
async fn all_told(store: &RedisStore, inbox: &mut Inbox) {
    let (begin, mut told) = (Instant::now(), BTreeSet::new());
    while told.len() < names().len() {
        assert!(begin.elapsed() < 3 * PATIENCE, "{told:?} {:?}", store.health().await);
        sleep(Duration::from_millis(20)).await;
        told.extend(inbox.partial_gaps().into_keys());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_that_were_heard_are_not_given_up() {
    let cluster = RedisCluster::start(0);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    allow(&cluster, &["-ssubscribe"]);
    // Each of the three was lost.
    let begin = Instant::now();
    while store.interruptions() < 3 {
        assert!(begin.elapsed() < 3 * PATIENCE, "{:?}", store.health().await);
        sleep(Duration::from_millis(20)).await;
    }
    assert!(store.health().await.is_err());
    allow(&cluster, &["+@all"]);
    all_told(&store, &mut inbox).await;
    healthy(&store).await;
    all_heard(&cluster, 1, &mut inbox, "again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_that_were_forbidden_for_a_while_are_heard_again() {
    let cluster = RedisCluster::start(0);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    allow(&cluster, &["resetchannels", "&__geocast*", "&other"]);
    // Until each was refused on the connections that are new.
    let begin = Instant::now();
    let deaf = "nothing is heard of the shards of 30 channels";
    while !matches!(store.health().await, Err(StoreError::Unavailable(reason)) if reason.ends_with(deaf)) {
        assert!(begin.elapsed() < 3 * PATIENCE, "{:?}", store.health().await);
        sleep(Duration::from_millis(20)).await;
    }
    allow(&cluster, &["allchannels"]);
    all_told(&store, &mut inbox).await;
    healthy(&store).await;
    all_heard(&cluster, 1, &mut inbox, "again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_that_are_forbidden_at_the_start_are_asked_for_again() {
    let cluster = RedisCluster::start(0);
    allow(&cluster, &["-ssubscribe"]);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    healthy(&store).await;
    allow(&cluster, &["+@all"]);
    all_told(&store, &mut inbox).await;
    healthy(&store).await;
    all_heard(&cluster, 1, &mut inbox, "at last").await;
}
