//! What a review of JSON-RPC found, and what must not come back.

use geocast_server::{Count, Secret};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    what_was_published_before_a_close_is_published,
    a_batch_is_answered_by_no_more_than_may_be_sent,
    a_projection_that_cannot_be_made_changes_nothing,
    each_call_of_a_batch_counts,
    refusals_are_counted_as_what_they_are,
);

async fn what_was_published_before_a_close_is_published(backend: Backend) {
    let server =
        TestServer::start_with(backend, |settings| settings.publish_key = Some(Secret::new("k"))).await;
    let mut reader = Caller::connect(&server).await;
    reader.call("subscribe", json!(["news"])).await;
    for number in 0..10 {
        let mut publisher = Caller::publisher(&server, "k").await;
        for part in 0..3 {
            let call = json!({ "jsonrpc": "2.0", "method": "publish", "params": ["news", [number, part]] });
            publisher.client.send(call.to_string()).await;
        }
        publisher.client.socket.close(None).await.expect("the connection is open");
        for part in 0..3 {
            assert_eq!(reader.pushed().await["content"], json!([number, part]));
        }
    }
    server.counted(Count::Published, 30).await;
}

async fn a_batch_is_answered_by_no_more_than_may_be_sent(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("large", "key", format!("\"{}\"", "x".repeat(400_000))).await;
    let mut caller = Caller::connect(&server).await;
    let get = |id: u32| json!({ "jsonrpc": "2.0", "id": id, "method": "get", "params": ["large"] });
    caller.client.send(json!([get(1), get(2), get(3), get(4)]).to_string()).await;
    let replies = caller.client.next().await;
    let outcome = |place: usize| replies[place]["error"]["code"].as_i64();
    assert_eq!([0, 1, 2, 3].map(outcome), [None, None, Some(-32002), Some(-32002)]);
    assert_eq!(replies[2]["error"]["data"]["reason"], "limit_reached");
    assert_eq!(caller.call("get", json!(["large"])).await["values"].as_array().map(Vec::len), Some(1));
}

async fn a_projection_that_cannot_be_made_changes_nothing(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    caller.call("projection", json!(["EPSG:3857"])).await;
    caller.call("viewport", json!([[0, 0, 1000, 1000]])).await;
    let (code, data, _) = caller.refused("projection", json!(["EPSG:2218"])).await;
    assert_eq!((code, &data["reason"]), (-32004, &json!("projection_failed")));
    let session = caller.call("session", json!([])).await;
    assert_eq!((&session["crs"], &session["viewport"]["crs"]), (&json!("EPSG:3857"), &json!("EPSG:3857")));
    assert_eq!(session["viewport"]["bbox"], json!([0, 0, 1000, 1000]));
    caller.call("viewport", json!([[0, 0, 2000, 2000]])).await;
}

async fn each_call_of_a_batch_counts(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.command_burst = 30;
        settings.limits.commands_per_second = 100;
    })
    .await;
    let mut caller = Caller::connect(&server).await;
    let batch: Vec<Value> =
        (0..50).map(|id| json!({ "jsonrpc": "2.0", "id": id, "method": "rpc.discover" })).collect();
    let start = std::time::Instant::now();
    for _ in 0..3 {
        caller.client.send(json!(batch).to_string()).await;
    }
    for _ in 0..3 {
        assert_eq!(caller.client.next().await.as_array().map(Vec::len), Some(50));
    }
    // 100 calls, or three batches but for the last, less the burst, at 100 per second.
    assert!(start.elapsed().as_millis() >= 600, "{:?}", start.elapsed());
    assert!(server.count(Count::CommandDelayed) >= 2);
}

async fn refusals_are_counted_as_what_they_are(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.channels = Some("news".parse().expect("patterns"));
        settings.publish_key = Some(Secret::new("k"));
    })
    .await;
    let mut caller = Caller::publisher(&server, "k").await;
    caller.refused("publish", json!(["secret", 1])).await;
    caller.refused("get", json!(["secret"])).await;
    caller.call("publish", json!(["news", 1])).await;
    assert_eq!(server.count(Count::PublishRefused), 1);
    assert_eq!(server.count(Count::ChannelRefused), 1);
    assert_eq!(server.count(Count::Published), 1);
    assert_eq!(server.count(Count::CommandMalformed), 0);
}
