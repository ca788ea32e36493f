//! JSON-RPC 2.0: batches, notifications, ids and errors.

use geocast_server::Secret;
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_batch_is_answered_in_one_array,
    notifications_are_not_answered,
    ids_come_back_as_they_were_written,
    what_cannot_be_done_says_why,
    a_call_may_come_in_a_binary_frame,
);

async fn a_batch_is_answered_in_one_array(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", "1").await;
    let mut caller = Caller::connect(&server).await;
    let batch = r#"[
        {"jsonrpc":"2.0","id":1,"method":"subscribe","params":["map"]},
        {"jsonrpc":"2.0","method":"ping"},
        {"jsonrpc":"2.0","id":"two","method":"get","params":["map"]},
        7,
        {"jsonrpc":"2.0","id":3,"method":"nonsense"},
        {"jsonrpc":"2.0","id":4,"method":"projection","params":["EPSG:2056"]}
    ]"#;
    caller.client.send(batch).await;
    let replies = caller.client.next().await;
    let short: Vec<Value> = replies
        .as_array()
        .expect("an array")
        .iter()
        .map(|reply| json!([reply["id"], reply["error"]["code"], reply["result"]["crs"]]))
        .collect();
    let expected = json!([
        [1, null, null],
        ["two", null, "EPSG:4326"],
        [null, -32600, null],
        [3, -32601, null],
        [4, null, "EPSG:2056"]
    ]);
    assert_eq!(json!(short), expected, "{replies}");
    assert_eq!(replies[1]["result"]["values"], json!([1]));
    server.publish("map", "2").await;
    assert_eq!(caller.pushed().await["content"], 2);
}

async fn notifications_are_not_answered(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    for quiet in [
        r#"{"jsonrpc":"2.0","method":"subscribe","params":["news"]}"#,
        r#"{"jsonrpc":"2.0","method":"nonsense"}"#,
        r#"{"jsonrpc":"2.0","method":"get","params":["news"]}"#,
        r#"[{"jsonrpc":"2.0","method":"ping"},{"jsonrpc":"2.0","method":"ping"}]"#,
    ] {
        caller.client.send(quiet).await;
    }
    assert_eq!(caller.call("ping", json!([])).await, "pong");
    server.publish("news", "1").await;
    assert_eq!(caller.pushed().await["content"], 1);
}

async fn ids_come_back_as_they_were_written(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    for id in ["null", "0", "-1", "1.0", "1e2", "12345678901234567890123", r#""""#, r#""\u00e9 \"q\"""#] {
        caller
            .client
            .send(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"get","params":["news"]}}"#))
            .await;
        let reply = caller.client.next_text().await;
        assert!(reply.starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"#)), "{id}: {reply}");
    }
    for id in ["[1]", "{}", "true"] {
        caller.client.send(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)).await;
        let reply = caller.client.next().await;
        assert_eq!((&reply["id"], &reply["error"]["code"]), (&Value::Null, &json!(-32600)), "{id}: {reply}");
    }
}

async fn what_cannot_be_done_says_why(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.channels = Some("map,news*".parse().expect("patterns"));
        settings.limits.subscriptions = 1;
        settings.publish_key = Some(Secret::new("k"));
    })
    .await;
    let mut caller = Caller::publisher(&server, "k").await;
    caller.call("subscribe", json!(["map"])).await;
    for (method, params, code, reason, named) in [
        ("subscribe", json!(["secret"]), -32000, "access_denied", "secret"),
        ("get", json!(["secret"]), -32000, "access_denied", "secret"),
        ("get", json!(["secret", "key"]), -32000, "access_denied", "secret"),
        ("publish", json!(["secret", 1]), -32000, "access_denied", "secret"),
        ("projection", json!(["EPSG:999998"]), -32001, "unknown_crs", "EPSG:999998"),
        ("subscribe", json!(["news"]), -32002, "limit_reached", "news"),
        ("buffer", json!([60_001, 1]), -32002, "limit_reached", "60001"),
        ("history", json!(["map"]), -32006, "history_unavailable", "history"),
    ] {
        let (found, data, message) = caller.refused(method, params.clone()).await;
        assert_eq!((found, &data["reason"]), (code, &json!(reason)), "{method} {params}: {message}");
        assert!(message.contains(named), "{message}");
    }
    for (method, params, parameter) in [
        ("viewport", json!([[1, 4, 3, 0]]), "bbox"),
        ("viewport", json!({ "zoom": 3 }), "bbox"),
        ("projection", json!(["mercator"]), "crs"),
        ("subscribe", json!([]), "channel"),
        ("subscribe", json!(["a*"]), "channel"),
        ("subscribe", json!({ "channel": "map", "chanel": 1 }), "chanel"),
        ("subscribe", json!({ "channel": "map", "format": "maplibre" }), "format"),
    ] {
        let (code, data, message) = caller.refused(method, params.clone()).await;
        assert_eq!((code, &data["parameter"]), (-32602, &json!(parameter)), "{method} {params}: {message}");
    }
    for (frame, code) in [("{", -32700), ("[]", -32600), ("7", -32600), (r#"{"method":"ping"}"#, -32600)] {
        caller.client.send(frame).await;
        let reply = caller.client.next().await;
        let found = (reply["id"].is_null(), reply["error"]["code"].as_i64());
        assert_eq!(found, (true, Some(code)), "{frame}: {reply}");
    }
    let fifty_one = vec![json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }); 51];
    caller.client.send(json!(fifty_one).to_string()).await;
    assert_eq!(caller.client.next().await["error"]["code"], -32600);
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":[{}{}]}}"#,
        "[".repeat(40),
        "]".repeat(40)
    );
    caller.client.send(deep).await;
    assert_eq!(caller.client.next().await["error"]["code"], -32600);
    assert_eq!(caller.call("ping", json!([])).await, "pong");
}

async fn a_call_may_come_in_a_binary_frame(backend: Backend) {
    use futures_util::SinkExt;
    use tokio_tungstenite::tungstenite::Message;

    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    let call = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    caller.client.socket.send(Message::binary(call.to_vec())).await.expect("the connection is open");
    assert_eq!(caller.client.next().await["result"], "pong");
    caller.client.socket.send(Message::binary(vec![0xff])).await.expect("the connection is open");
    assert_eq!(caller.client.next().await["error"]["code"], -32700);
}
