//! What is said when Redis was away.

use geocast_server::Count;
use serde_json::{Value, json};

use crate::{caller::Caller, client::Client, server::TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_subscriber_of_messages_is_told_of_a_deaf_interval_in_its_dialect() {
    let server = TestServer::start_noticing_soon().await;
    let mut text = server.subscriber("news", &["SUB cars"]).await;
    text.send("BUFFER 60000 100").await;
    text.settled().await;
    let mut caller = Caller::connect(&server).await;
    caller.call("subscribe", json!(["news"])).await;
    let mut aiows = Client::connect_raw(server.address, "/channel/news/").await;
    let mut nobody = server.client().await;
    server.publish("news", "1").await;
    assert_eq!(caller.pushed().await["content"], 1);
    assert_eq!(aiows.next().await, 1);
    let kill = server.redis.as_ref().expect("it is there").cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    assert_eq!(kill.trim(), "1");
    // What was collected comes first.
    assert_eq!(text.next().await["content"][0]["content"], 1);
    let mut told = Vec::new();
    for _ in 0..2 {
        let envelope = text.next().await;
        assert_eq!(envelope["source"], "websocket");
        told.push(envelope["content"]["gap"]["channel"].clone());
    }
    told.sort_by_key(Value::to_string);
    assert_eq!(told, ["cars", "news"]);
    let gap = caller.client.next().await;
    assert_eq!((&gap["method"], &gap["params"]["source"]), (&json!("gap"), &json!("news")), "{gap}");
    server.counted(Count::Gaps, 3).await;
    server.publish("news", "2").await;
    assert_eq!(caller.pushed().await["content"], 2);
    // Here there is no word for it.
    assert_eq!(aiows.next().await, 2);
    nobody.expect_nothing(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_state_before_a_deaf_interval_and_subscribes_behind_it_is_told() {
    let server = TestServer::start_noticing_soon().await;
    let mut witness = server.subscriber("news", &[]).await;
    let mut client = server.client().await;
    client.send("GET news").await;
    assert_eq!(client.next_content().await, Value::Null);
    server.publish("news", "1").await;
    assert_eq!(witness.next_content().await, 1);
    let kill = server.redis.as_ref().expect("it is there").cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    assert_eq!(kill.trim(), "1");
    assert_eq!(witness.next_content().await["gap"]["channel"], "news");
    // Whoever is told has been subscribed again; every worker has been told before.
    server.publish("news", "3").await;
    assert_eq!(witness.next_content().await, 3);
    server.heard().await;
    client.send("SUB news").await;
    assert_eq!(client.next_content().await["gap"]["channel"], "news");
    assert_eq!(client.next_content().await, 1);
    assert_eq!(client.next_content().await, 3);
    client.settled().await;
    // Where nothing was missed since, nothing is told.
    client.send_together(&["DEL news", "GET news", "SUB news"]).await;
    assert_eq!(client.next_content().await, Value::Null);
    client.settled().await;
    server.counted(Count::Gaps, 2).await;
}
