//! Tokens that limit their bearer to features with certain properties.

use serde_json::{Value, json};

use super::{rpc, start, text, tracked::told};
use crate::{server::Backend, stores::on_both_stores};

on_both_stores!(what_is_pushed_and_read_has_the_properties, a_key_leaves_with_its_properties);

/// What only features have that may not be seen: no text with it may ever leave.
const HIDDEN: &str = "hidden";

fn limits() -> Value {
    json!({ "properties": { "line": ["S1", "S2"] } })
}

fn train(id: &str, line: &str, x: f64) -> Value {
    let geometry = json!({ "type": "Point", "coordinates": [x, 1] });
    json!({ "type": "Feature", "id": id, "geometry": geometry, "properties": { "line": line } })
}

async fn what_is_pushed_and_read_has_the_properties(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let mut client = text(&server, &limits()).await;
    server.put("map", "a", train("a", "S1", 1.0).to_string()).await;
    server.put("map", "b", train("b", HIDDEN, 1.0).to_string()).await;
    client.send("GET map").await;
    assert_eq!(client.next_content().await["properties"]["line"], "S1");
    // As if it were not there.
    client.send("GET map b").await;
    assert_eq!(client.next_content().await, Value::Null);
    client.send("SUB map").await;
    client.settled().await;
    // Who asks for more than is allowed, and whoever looks at all of a collection, gets what is allowed.
    client.send(&format!("BBOX 0 0 10 10 line={HIDDEN},S2")).await;
    client.settled().await;
    let placeless =
        |line: &str| json!({ "type": "Feature", "geometry": null, "properties": { "line": line } });
    let collection = |features: &[Value]| {
        json!({ "type": "FeatureCollection", "of": HIDDEN, "features": features }).to_string()
    };
    for payload in [
        train("c", HIDDEN, 2.0).to_string(),
        json!({ "type": "Point", "coordinates": [2, 2] }).to_string(),
        format!("{HIDDEN} 1"),
        collection(&[train("d", HIDDEN, 2.0)]),
        train("e", "S1", 2.0).to_string(),
        collection(&[train("f", HIDDEN, 2.0), train("g", "S2", 2.0), train("h", "S2", 20.0)]),
        collection(&[placeless(HIDDEN), placeless("S2")]),
        "reload".to_owned(),
    ] {
        server.publish("map", payload).await;
    }
    let expected = [
        json!({ "type": "FeatureCollection", "features": [train("g", "S2", 2.0)] }),
        json!({ "type": "FeatureCollection", "features": [placeless("S2")] }),
        json!("reload"),
    ];
    for content in expected {
        assert_eq!(client.next_content().await, content);
    }
}

async fn a_key_leaves_with_its_properties(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    server.put("map", "a", train("a", "S1", 1.0).to_string()).await;
    server.put("map", "b", train("b", HIDDEN, 1.0).to_string()).await;
    let mut caller = rpc(&server, &limits()).await;
    caller.call("subscribe", json!({ "channel": "map", "track": true })).await;
    assert_eq!(told(&server, &mut caller).await, ["enter a"]);
    server.put("map", "a", train("a", HIDDEN, 1.0).to_string()).await;
    server.put("map", "b", train("b", "S2", 1.0).to_string()).await;
    assert_eq!(told(&server, &mut caller).await, ["enter b", "leave a access"]);
    caller.call("viewport", json!({ "bbox": [0, 0, 10, 10] })).await;
    server.put("map", "a", train("a", HIDDEN, 2.0).to_string()).await;
    server.put("map", "b", train("b", "S1", 2.0).to_string()).await;
    assert_eq!(told(&server, &mut caller).await, ["update b"]);
}
