//! Faults that were found once, and must not come back.

use std::{num::NonZeroUsize, time::Duration};

use geocast_server::Count;
use serde_json::json;

use crate::{
    client::Client,
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::{PATIENCE, until},
};

on_both_stores!(
    a_large_message_closes_nobody,
    what_came_before_leaving_does_not_come_again,
    a_replay_is_no_slow_consumer,
);

/// One message larger than the outbox once closed every idle subscriber.
async fn a_large_message_closes_nobody(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.outbox = 64 * 1024).await;
    let mut plain = server.subscriber("news", &[]).await;
    let mut metres = server.subscriber("news", &["PROJECTION epsg:3857"]).await;
    let points = vec!["[1,2]"; 12_000].join(",");
    for payload in [
        format!(r#"{{"type":"MultiPoint","coordinates":[{points}]}}"#),
        "\u{1}".repeat(20_000),
        "\"end\"".to_owned(),
    ] {
        server.publish("news", payload).await;
    }
    for client in [&mut plain, &mut metres] {
        // The first one has also heard how the second one subscribed.
        while client.next_content().await["type"] != "MultiPoint" {}
        assert_eq!(client.next_content().await, "\u{1}".repeat(20_000));
        assert_eq!(client.next_content().await, "end");
    }
    server.put("state", "1", format!("\"{}\"", "x".repeat(200_000))).await;
    plain.send("GET state").await;
    assert_eq!(plain.next_content().await, "x".repeat(200_000));
    assert_eq!(server.count(Count::ClosedSlow), 0);
}

/// A GET of a subscribed channel once left a mark, from which a later SUB replayed what had been received.
async fn what_came_before_leaving_does_not_come_again(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &[]).await;
    client.send("GET news").await;
    assert_eq!(client.next_content().await, json!(null));
    server.publish("news", "1").await;
    assert_eq!(client.next_content().await, 1);
    client.send("DEL news").await;
    client.settled().await;
    client.send("SUB news").await;
    client.expect_nothing(&server).await;
}

/// What came between a GET and a SUB once went into the outbox all at once.
async fn a_replay_is_no_slow_consumer(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.outbox = 128 * 1024).await;
    let mut client = server.client().await;
    client.send("GET cars").await;
    assert_eq!(client.next_content().await, json!(null));
    let payload = format!("\"{}\"", "x".repeat(10_000));
    for _ in 0..40 {
        server.publish("cars", payload.clone()).await;
    }
    server.counted(Count::Events, 40).await;
    client.send("SUB cars").await;
    for _ in 0..40 {
        assert_eq!(client.next_content().await, "x".repeat(10_000));
    }
}

/// A worker once did not read its inbox any more while its connections were being closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_server_still_delivers() {
    let server = TestServer::start_with(Backend::Embedded, |settings| {
        settings.workers = NonZeroUsize::MIN;
        settings.timeouts.close = PATIENCE;
    })
    .await;
    let mut others = Vec::new();
    for _ in 0..300 {
        others.push(Client::connect_raw(server.address, "/ws").await);
    }
    let mut subscribers = Vec::new();
    for _ in 0..20 {
        subscribers.push(server.subscriber("news", &[]).await);
    }
    let (store, counters) = (std::sync::Arc::clone(&server.store), std::sync::Arc::clone(&server.counters));
    let before = counters.value(Count::Delivered);
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(20)).await;
    let channel = "news".parse().expect("a channel");
    store.publish(&channel, "1".into()).await.expect("the store takes messages");
    until("somebody to be told", async || match counters.value(Count::Delivered) {
        delivered if delivered > before => Ok(()),
        _ => Err("nobody who was left, or nobody who was told"),
    })
    .await;
    drop((others, subscribers));
    stopping.await.expect("the server ends");
}

/// With a small outbox, a burst that is read at once once closed its reader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_no_slow_consumer() {
    let server =
        TestServer::start_with(Backend::Embedded, |settings| settings.limits.outbox = 64 * 1024).await;
    let mut client = server.subscriber("news", &[]).await;
    let payload = format!("\"{}\"", "x".repeat(1000));
    let publishing = async {
        for _ in 0..300 {
            server.publish("news", payload.clone()).await;
        }
    };
    let reading = async {
        for _ in 0..300 {
            assert_eq!(client.next_content().await, "x".repeat(1000));
        }
    };
    tokio::join!(publishing, reading);
    assert_eq!(server.count(Count::ClosedSlow), 0);
}
