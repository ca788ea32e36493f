//! The history of a channel.

use serde_json::json;

use super::{OUTSIDE, mixed, outside, point, rpc, start, within};
use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(what_was_missed_is_within);

async fn publish(server: &TestServer) {
    for payload in outside() {
        server.publish("map", payload).await;
    }
    server.publish("map", point("in", 3.5)).await;
    server.publish("map", mixed()).await;
}

async fn what_was_missed_is_within(backend: Backend) {
    let (server, _keys) = start(backend, |settings| {
        let bound = geocast_server::HistoryBound { messages: Some(100), age: None };
        let rule = geocast_server::ChannelRule::parse("map=x", |_| Ok::<_, String>(bound));
        settings.history = vec![rule.expect("a rule")];
    })
    .await;
    let mut caller = rpc(&server, &within()).await;
    let told = caller.call("subscribe", json!(["map"])).await;
    caller.call("unsubscribe", json!(["map"])).await;
    publish(&server).await;
    let since = json!({ "channel": "map", "since": told["offset"], "epoch": told["epoch"] });
    assert_eq!(caller.call("subscribe", since.clone()).await["recovered"], json!(true));
    let pushed = [caller.pushed().await, caller.pushed().await];
    server.heard().await;
    let read = caller.call("history", since).await;
    let told = format!("{pushed:?} {read}");
    assert!(!told.contains(OUTSIDE) && !told.contains("hole"), "{told}");
    assert_eq!(pushed[0]["content"]["id"], "in");
    assert_eq!(pushed[1]["content"]["features"].as_array().map(Vec::len), Some(1));
    assert_eq!(read["messages"].as_array().map(Vec::len), Some(2), "{read}");
}
