//! Presence tells nothing of what its subscribers may see, and where they look.

use super::*;

on_both_stores!(
    neither_rights_nor_viewports_are_told,
    who_may_see_nothing_of_a_channel_is_there_all_the_same,
);

async fn with_presence(backend: Backend) -> (TestServer, tempfile::NamedTempFile) {
    start(backend, |settings| {
        settings.presence = Some("map".parse().expect("a pattern"));
        settings.timeouts.presence_grace = std::time::Duration::ZERO;
    })
    .await
}

/// The next notification of who comes and goes, as it was sent, once it names somebody.
async fn moved(caller: &mut Caller) -> String {
    loop {
        let told = caller.moved().await;
        if told["joined"] != json!([]) || told["left"] != json!([]) {
            return told.to_string();
        }
    }
}

async fn neither_rights_nor_viewports_are_told(backend: Backend) {
    let (server, _keys) = with_presence(backend).await;
    let mut watcher = rpc(
        &server,
        &json!({ "within": { "type": "Polygon", "coordinates": [
        [[20, 0], [30, 0], [30, 10], [20, 10], [20, 0]] ] } }),
    )
    .await;
    watcher
        .client
        .send(r#"{"jsonrpc":"2.0","method":"subscribe","params":{"channel":"map","presence":true}}"#)
        .await;
    let mut asks = rpc(&server, &within()).await;
    // What it looks at has numbers that nothing else has.
    let mut seen = rpc(&server, &json!({ "zoom": [3, 18], "within": within()["within"] })).await;
    let viewport = json!({ "bbox": [1.6875, 1.6875, 2.6875, 2.6875], "zoom": 7.8125, "fields": ["secret"] });
    seen.call("viewport", viewport).await;
    seen.call("subscribe", json!({ "channel": "map", "track": true, "info": { "name": "Ada" } })).await;
    let joined = moved(&mut watcher).await;
    let roll = asks.call("presence", json!(["map"])).await;
    let entry = json!([{ "info": { "name": "Ada" }, "connections": 1 }]);
    assert_eq!((&roll["clients"], &roll["entries"]), (&json!(2), &entry));
    seen.call("unsubscribe", json!(["map"])).await;
    let left = moved(&mut watcher).await;
    let members: Vec<&str> = roll.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(members, ["channel", "clients", "entries", "stale", "truncated"]);
    for told in [&joined, &left, &roll.to_string()] {
        for secret in ["1.6875", "2.6875", "7.8125", "secret", "within", "zoom", "Polygon", "bbox"] {
            assert!(!told.contains(secret), "{secret} is in {told}");
        }
    }
    let told: Value = serde_json::from_str(&joined).expect("JSON");
    let members: Vec<&str> = told.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(members, ["clients", "joined", "left", "source", "timestamp", "truncated"]);
    assert_eq!(told["joined"], json!([{ "info": { "name": "Ada" } }]));
}

/// Its number does not change with what is published, and it is told of others as anybody is.
async fn who_may_see_nothing_of_a_channel_is_there_all_the_same(backend: Backend) {
    let (server, _keys) = with_presence(backend).await;
    let mut blind = rpc(
        &server,
        &json!({ "within": { "type": "Polygon", "coordinates": [
        [[80, 80], [81, 80], [81, 81], [80, 81], [80, 80]] ] } }),
    )
    .await;
    blind.call("subscribe", json!({ "channel": "map", "info": { "name": "Blind" } })).await;
    for payload in outside() {
        server.publish("map", payload).await;
    }
    let mut asks = rpc(&server, &within()).await;
    let roll = asks.call("presence", json!(["map"])).await;
    assert_eq!(roll["entries"], json!([{ "info": { "name": "Blind" }, "connections": 1 }]));
    let own = blind.call("presence", json!(["map"])).await;
    assert_eq!((&own["clients"], &own["entries"]), (&roll["clients"], &roll["entries"]));
}
