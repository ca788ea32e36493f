//! Subscriptions that the store has not confirmed: nobody is told that they are in force, whoever asked first.

use std::{num::NonZeroUsize, time::Duration};

use geocast_server::{RedisSettings, Settings, StoreSettings};
use serde_json::json;

use crate::{
    caller::Caller,
    client::Client,
    redis_server::RedisServer,
    server::{TestServer, patient_redis},
};

const SUBSCRIBE: &str = r#"{"id":1,"type":"subscribe","data":{"type":"collection","id":5}}"#;
const SUBSCRIBED: &str = r#"{"id":1,"type":"subscribe","data":{"group":"collection-5"}}"#;

/// A server whose clients are all on one worker.
async fn start(redis: RedisServer, adjust: impl FnOnce(&mut RedisSettings)) -> TestServer {
    let mut store = patient_redis(&redis.url());
    adjust(&mut store);
    TestServer::start_on(Some(redis), |settings: &mut Settings| {
        settings.workers = NonZeroUsize::MIN;
        settings.store = StoreSettings::Redis(store);
    })
    .await
}

async fn expect_silence(client: &mut Client) {
    let answer = client.next_text_within(Duration::from_millis(100)).await;
    assert_eq!(answer, None, "the store has confirmed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_before_the_store_has_confirmed() {
    let server = start(RedisServer::start(&[]), |_| ()).await;
    let redis = server.redis.as_ref().expect("there is one");
    let (mut first, mut second) = (server.rohrpost().await, server.rohrpost().await);
    let mut caller = Caller::connect(&server).await;
    redis.freeze();
    // Of the same client and of others, in the same dialect and in another.
    first.send_together(&[SUBSCRIBE, SUBSCRIBE]).await;
    expect_silence(&mut first).await;
    second.send(SUBSCRIBE).await;
    let call =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": { "channel": "collection-5" } });
    caller.client.send(call.to_string()).await;
    expect_silence(&mut second).await;
    expect_silence(&mut caller.client).await;
    expect_silence(&mut first).await;
    redis.thaw();
    assert_eq!(first.next_text().await, SUBSCRIBED);
    assert_eq!(first.next_text().await, SUBSCRIBED);
    assert_eq!(second.next_text().await, SUBSCRIBED);
    assert_eq!(caller.client.next().await["result"]["channel"], "collection-5");
    // Confirmed for all, and once for each.
    let mut third = server.rohrpost().await;
    assert_eq!(third.ask(SUBSCRIBE).await, SUBSCRIBED);
    server.publish("collection-5", "1").await;
    for client in [&mut first, &mut second, &mut third] {
        assert!(client.next_update().await.1.contains("\"object\":1"));
        expect_nothing_more(client).await;
    }
}

async fn expect_nothing_more(client: &mut Client) {
    assert_eq!(client.ask(r#"{"id":9,"type":"ping"}"#).await, r#"{"id":9,"type":"pong"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_refuses_is_refused_to_everybody() {
    let redis = RedisServer::start(&[]);
    let rules = "ACL SETUSER map on >secret ~* resetchannels &open* &__geocast_probe:* +@all";
    assert_eq!(redis.cli(&rules.split(' ').collect::<Vec<_>>()), "OK");
    let url = redis.url().replace("redis://", "redis://map:secret@");
    let server = start(redis, |store| store.url = url.parse().expect("a URL")).await;
    let (mut first, mut second) = (server.rohrpost().await, server.rohrpost().await);
    for client in [&mut first, &mut second] {
        for _ in 0..2 {
            let answer = client.ask(SUBSCRIBE).await;
            let before = r#"{"id":1,"type":"subscribe","error":"the store refused: "#;
            assert!(answer.starts_with(before), "{answer}");
        }
    }
    // The rights may be changed while clients wait.
    let redis = server.redis.as_ref().expect("there is one");
    assert_eq!(redis.cli(&["ACL", "SETUSER", "map", "&collection-*"]), "OK");
    assert_eq!(second.ask(SUBSCRIBE).await, SUBSCRIBED);
    assert_eq!(first.ask(SUBSCRIBE).await, SUBSCRIBED);
    server.redis.as_ref().expect("there is one").cli(&["PUBLISH", "collection-5", "1"]);
    for client in [&mut first, &mut second] {
        assert!(client.next_update().await.1.contains("\"object\":1"));
    }
}
