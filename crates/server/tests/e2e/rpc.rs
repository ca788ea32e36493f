//! JSON-RPC 2.0, at `/rpc` and between commands of the text dialect.

use geocast_server::{Count, Secret};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    client::Client,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_subscriber_is_told_so_and_then_gets_what_is_published,
    state_is_read_as_far_as_it_is_in_view,
    a_viewport_and_a_projection_are_acknowledged_and_hold,
    what_is_published_reaches_every_dialect,
    the_session_says_what_was_withheld_and_why,
    pushes_are_collected_into_an_array,
    each_subscription_has_its_own_dialect,
    the_dialect_is_chosen_by_path_or_name,
    the_description_names_every_method,
);

/// A point feature of that id.
fn point(id: u32, x: f64, y: f64) -> String {
    format!(
        r#"{{"type":"Feature","id":{id},"geometry":{{"type":"Point","coordinates":[{x:?},{y:?}]}},"properties":{{"n":1.50}}}}"#
    )
}

async fn a_subscriber_is_told_so_and_then_gets_what_is_published(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    let subscribed = caller.call("subscribe", json!({ "channel": "news" })).await;
    assert_eq!(subscribed, json!({ "channel": "news", "tracked": false }));
    server.publish("news", r#"{"big":12345678901234567890,"n":7.10}"#).await;
    let text = caller.client.next_text().await;
    let expected = r#"{"jsonrpc":"2.0","method":"message","params":{"source":"news","content":{"big":12345678901234567890,"n":7.10},"timestamp":"#;
    assert!(text.starts_with(expected) && text.ends_with("}}"), "{text}");
    server.publish("news", "no JSON").await;
    assert_eq!(caller.pushed().await["content"], "no JSON");
    let ended = caller.call("unsubscribe", json!(["news"])).await;
    assert_eq!(ended, json!({ "channel": "news", "subscribed": false }));
    server.publish("news", "1").await;
    server.heard().await;
    assert_eq!(caller.call("ping", json!({ "data": [1] })).await, json!([1]));
}

async fn state_is_read_as_far_as_it_is_in_view(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", point(1, 5.0, 5.0)).await;
    server.put("map", "b", point(2, 50.0, 50.0)).await;
    let mut caller = Caller::connect(&server).await;
    let all = caller.call("get", json!(["map"])).await;
    assert_eq!((&all["channel"], &all["crs"]), (&json!("map"), &json!("EPSG:4326")));
    assert_eq!(all["values"].as_array().map(Vec::len), Some(2));
    caller.call("viewport", json!({ "bbox": [0, 0, 10, 10] })).await;
    let seen = caller.call("get", json!(["map"])).await;
    assert_eq!(seen["values"], json!([serde_json::from_str::<Value>(&point(1, 5.0, 5.0)).expect("JSON")]));
    let one = caller.call("get", json!({ "channel": "map", "key": "a", "projection": "EPSG:3857" })).await;
    assert_eq!((&one["key"], &one["crs"]), (&json!("a"), &json!("EPSG:3857")));
    let x = one["values"][0]["geometry"]["coordinates"][0].as_f64().expect("a number");
    assert!((x - 556_597.45).abs() < 0.01, "{one}");
    let outside = caller.call("get", json!({ "channel": "map", "key": "b" })).await;
    assert_eq!(outside["values"], json!([]));
    let missing = caller.call("get", json!({ "channel": "map", "key": "z" })).await;
    assert_eq!(missing["values"], json!([]));
}

async fn a_viewport_and_a_projection_are_acknowledged_and_hold(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    assert_eq!(caller.call("projection", json!(["epsg:3857"])).await, json!({ "crs": "EPSG:3857" }));
    let viewport = json!({ "bbox": [0, 0, 10, 10], "crs": "EPSG:4326", "zoom": 9.5, "members": "inside" });
    assert_eq!(caller.call("viewport", viewport.clone()).await, viewport);
    caller.call("subscribe", json!(["map"])).await;
    server.publish("map", point(1, 50.0, 50.0)).await;
    server.publish("map", point(2, 5.0, 5.0)).await;
    let push = caller.pushed().await;
    assert_eq!(push["content"]["id"], 2);
    assert!(push["content"]["geometry"]["coordinates"][0].as_f64().is_some_and(|x| x > 500_000.0), "{push}");
    let cleared = caller.call("viewport", json!([])).await;
    assert_eq!((&cleared["bbox"], &cleared["crs"]), (&Value::Null, &json!("EPSG:3857")));
    server.publish("map", point(3, 50.0, 50.0)).await;
    assert_eq!(caller.pushed().await["content"]["id"], 3);
}

async fn what_is_published_reaches_every_dialect(backend: Backend) {
    let server =
        TestServer::start_with(backend, |settings| settings.publish_key = Some(Secret::new("k"))).await;
    let mut text = server.subscriber("map", &[]).await;
    let mut caller = Caller::publisher(&server, "k").await;
    caller.call("subscribe", json!(["map"])).await;
    let feature: Value = serde_json::from_str(&point(1, 5.0, 5.0)).expect("JSON");
    let params = json!({ "channel": "map", "data": feature, "key": "a" });
    let call = json!({ "jsonrpc": "2.0", "id": 9, "method": "publish", "params": params });
    caller.client.send(call.to_string()).await;
    // The push and the acknowledgement are made by two parts of the server: either may be first.
    let mut both = [caller.client.next().await, caller.client.next().await];
    both.sort_by_key(|message| message.get("id").is_none());
    let [reply, push] = both;
    assert_eq!(reply["result"], json!({ "channel": "map", "key": "a" }));
    assert_eq!(push["params"]["content"], feature);
    assert_eq!(text.next_content().await, feature);
    assert_eq!(caller.call("get", json!(["map", "a"])).await["values"], json!([feature]));
}

async fn the_session_says_what_was_withheld_and_why(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    let empty = caller.call("session", json!([])).await;
    let nothing = json!({ "granted": 0, "delivered": 0, "waiting": 0, "replaced": 0, "slow": 0 });
    let expected = json!({
        "channels": [], "crs": "EPSG:4326", "viewport": null, "withheld": {}, "accounts": {}, "connection": nothing,
    });
    assert_eq!(empty, expected);
    caller.call("viewport", json!([[0, 0, 10, 10]])).await;
    caller.call("subscribe", json!(["map"])).await;
    for x in 0..5 {
        server.publish("map", point(x, 8.0 + f64::from(x), 5.0)).await;
    }
    for id in 0..3 {
        assert_eq!(caller.pushed().await["content"]["id"], id);
    }
    caller.call("viewport", json!([[20, 0, 30, 10]])).await;
    server.publish("map", point(7, 8.0, 5.0)).await;
    server.publish("map", point(8, 25.0, 5.0)).await;
    assert_eq!(caller.pushed().await["content"]["id"], 8);
    let session = caller.call("session", json!([])).await;
    assert_eq!(session["channels"], json!(["map"]));
    assert_eq!(session["withheld"], json!({ "outside": 3 }));
    let account = json!({ "tracked": false, "events": 7, "granted": 4, "withheld": { "outside": 3 } });
    assert_eq!(session["accounts"], json!({ "map": account }));
    let sent = json!({ "granted": 4, "delivered": 4, "waiting": 0, "replaced": 0, "slow": 0 });
    assert_eq!(session["connection"], sent);
    assert_eq!(session["viewport"]["bbox"], json!([20, 0, 30, 10]));
    assert_eq!(server.count(Count::WithheldOutside), 3);
}

async fn pushes_are_collected_into_an_array(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    caller.call("subscribe", json!(["news"])).await;
    assert_eq!(caller.call("buffer", json!([0, 3])).await, json!({ "milliseconds": 60_000, "count": 3 }));
    for number in 0..3 {
        server.publish("news", number.to_string()).await;
    }
    let pushes = caller.client.next().await;
    let contents: Vec<&Value> =
        pushes.as_array().expect("an array").iter().map(|push| &push["params"]["content"]).collect();
    assert_eq!(contents, [0, 1, 2]);
    assert_eq!(caller.call("buffer", json!([0, 0])).await, json!({ "milliseconds": 0, "count": 0 }));
    server.publish("news", "9").await;
    assert_eq!(caller.pushed().await["content"], 9);
}

async fn each_subscription_has_its_own_dialect(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    client.send("SUB a").await;
    client.send(r#" {"jsonrpc":"2.0","id":1,"method":"subscribe","params":["b"]}"#).await;
    assert_eq!(client.next().await["result"]["channel"], "b");
    client.settled().await;
    for (channel, path) in [("a", "content"), ("b", "params")] {
        server.publish(channel, "1").await;
        let message = client.next().await;
        assert!(message.get(path).is_some(), "{channel}: {message}");
    }
    // A new view changes what is seen, not how it is said.
    client.send("BBOX 0 0 10 10").await;
    client.settled().await;
    server.publish("b", point(1, 5.0, 5.0)).await;
    assert_eq!(client.next().await["params"]["content"]["id"], 1);
    // The last command decides.
    client.send("SUB b").await;
    client.settled().await;
    server.publish("b", point(2, 5.0, 5.0)).await;
    assert_eq!(client.next().await["content"]["id"], 2);
    // What is collected is collected of one dialect.
    client.send(r#"{"jsonrpc":"2.0","id":2,"method":"subscribe","params":["b"]}"#).await;
    client.next().await;
    client.send("BUFFER 60000 2").await;
    client.settled().await;
    server.publish("a", "1").await;
    server.publish("b", "2").await;
    assert_eq!(client.next().await["params"]["content"], 2);
    server.publish("a", "3").await;
    assert_eq!(client.next().await["source"], "buffer");
}

async fn the_dialect_is_chosen_by_path_or_name(backend: Backend) {
    use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};

    let server = TestServer::start(backend).await;
    for (path, name, confirmed) in [
        ("/rpc", None, None),
        ("/rpc/", Some("geocast.rpc"), Some("geocast.rpc")),
        ("/ws", Some("geocast.rpc"), Some("geocast.rpc")),
    ] {
        let mut request = format!("ws://{}{path}", server.address).into_client_request().expect("a request");
        if let Some(name) = name {
            request.headers_mut().insert("sec-websocket-protocol", name.parse().expect("a value"));
        }
        let (socket, response) = connect_async(request).await.expect("the server takes connections");
        let protocol =
            response.headers().get("sec-websocket-protocol").map(|value| value.to_str().expect("text"));
        assert_eq!(protocol, confirmed, "{path} {name:?}");
        let mut caller = Caller { client: Client::from(socket), next: 0 };
        caller.client.send("PING").await;
        assert_eq!(
            caller.client.next().await["error"]["code"],
            -32700,
            "nobody is greeted, and it is strict"
        );
        assert_eq!(caller.call("ping", json!([])).await, "pong");
    }
}

async fn the_description_names_every_method(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    let description = caller.call("rpc.discover", json!([])).await;
    assert_eq!(description["info"]["title"], "geocast");
    let methods = description["methods"].as_array().expect("an array");
    assert!(methods.len() >= 11, "{methods:?}");
    for method in methods {
        let name = method["name"].as_str().expect("a name");
        let (code, ..) = match name {
            // These need no parameters.
            "ping" | "session" | "rpc.discover" | "viewport" => continue,
            _ => caller.refused(name, json!([])).await,
        };
        assert_eq!(code, -32602, "{name} is known and misses its parameters");
    }
}
