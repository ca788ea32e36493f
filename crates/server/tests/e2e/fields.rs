//! Only some of the properties of features.

use serde_json::{Value, json};

use crate::{
    caller::Caller,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    other_properties_are_cut_out_and_nothing_else,
    they_go_together_with_all_that_changes_a_payload,
    state_is_cut_as_pushes_are,
    tracked_changes_have_the_fields_alone,
    diffs_have_the_fields_alone,
    what_is_in_force_is_said,
    who_asks_for_other_fields_gets_them,
);

const FEATURE: &str = r#"{"type":"Feature", "id":7,"name":"outside","geometry":{"type":"Point","coordinates":[5.0,5]},"properties":{"name":"seven", "secret":{"name":1},"line":7.10,"more":[1,2]}}"#;
const CUT: &str = r#"{"type":"Feature", "id":7,"name":"outside","geometry":{"type":"Point","coordinates":[5.0,5]},"properties":{"name":"seven","line":7.10}}"#;

async fn other_properties_are_cut_out_and_nothing_else(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("map", &["BBOX 0 0 10 10 fields=line,name,absent"]).await;
    for (payload, expected) in [
        (FEATURE, CUT),
        (
            r#"{"type":"Feature","geometry":null,"properties":{"a":1}}"#,
            r#"{"type":"Feature","geometry":null,"properties":{}}"#,
        ),
        (r#"{"type":"Feature","properties":null}"#, r#"{"type":"Feature","properties":null}"#),
        (
            r#"{"type":"Point","coordinates":[5,5],"properties":{"a":1}}"#,
            r#"{"type":"Point","coordinates":[5,5],"properties":{"a":1}}"#,
        ),
        (r#"{"properties":{"a":1}}"#, r#"{"properties":{"a":1}}"#),
        ("[1]", "[1]"),
    ] {
        server.publish("map", payload).await;
        let text = client.next_text().await;
        assert!(
            text.starts_with(&format!(r#"{{"source":"map","content":{expected},"timestamp":"#)),
            "{text}"
        );
    }
    // Without a name, all are sent.
    client.send("BBOX 0 0 10 10 fields=").await;
    client.settled().await;
    server.publish("map", FEATURE).await;
    assert!(client.next_text().await.contains(FEATURE));
}

async fn they_go_together_with_all_that_changes_a_payload(backend: Backend) {
    let server = TestServer::start(backend).await;
    let member = |id: u32, x: u32| {
        format!(
            r#"{{"type":"Feature","id":{id},"properties":{{"a":1,"b":{id}}},"geometry":{{"type":"Point","coordinates":[{x},0]}}}}"#
        )
    };
    let collection =
        format!(r#"{{"type":"FeatureCollection","features":[{}, {}]}}"#, member(1, 50), member(2, 5));
    let cut = |id: u32, place: &str| {
        format!(
            r#"{{"type":"Feature","id":{id},"properties":{{"b":{id}}},"geometry":{{"type":"Point","coordinates":{place}}}}}"#
        )
    };
    for (words, features) in [
        ("fields=b", format!("{}, {}", cut(1, "[50,0]"), cut(2, "[5,0]"))),
        ("fields=b members=inside", cut(2, "[5,0]")),
        // A property that is asked for need not be sent.
        ("fields=b members=inside a=1 b=2", cut(2, "[5,0]")),
    ] {
        let mut client = server.subscriber("map", &[&format!("BBOX 0 0 10 10 {words}")]).await;
        server.publish("map", collection.clone()).await;
        let text = client.next_text().await;
        assert!(text.contains(&format!(r#""features":[{features}]"#)), "{words}: {text}");
    }
    let words = "BBOX 0 0 10 10 crs=epsg:4326 fields=b members=inside";
    let mut client = server.subscriber("map", &["PROJECTION epsg:3857", words]).await;
    server.publish("map", collection).await;
    let text = client.next_text().await;
    // echo 5 0 | cs2cs -f %.3f +proj=longlat +datum=WGS84 +to EPSG:3857
    assert!(text.contains(&format!(r#""features":[{}]"#, cut(2, "[556597.454,0]"))), "{text}");
}

async fn state_is_cut_as_pushes_are(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "7", FEATURE).await;
    let mut client = server.client().await;
    client.send("BBOX 0 0 10 10 fields=name,line").await;
    client.settled().await;
    for command in ["GET map", "GET map 7", "PGET map"] {
        client.send(command).await;
        let text = client.next_text().await;
        assert!(text.contains(&format!(r#""content":{CUT},"#)), "{command}: {text}");
    }
    let mut caller = Caller::connect(&server).await;
    caller.call("viewport", json!({ "fields": [] })).await;
    let values = caller.call("get", json!(["map"])).await["values"].take();
    assert_eq!(values[0]["properties"], json!({}));
}

/// A feature with a key, as it comes.
fn tram(x: f64, name: &str, speed: u32) -> String {
    let geometry = json!({ "type": "Point", "coordinates": [x, 5.0] });
    json!({ "type": "Feature", "id": "t", "geometry": geometry, "properties": { "name": name, "speed": speed } })
        .to_string()
}

async fn tracked_changes_have_the_fields_alone(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "t", tram(5.0, "one", 1)).await;
    let mut caller = Caller::connect(&server).await;
    caller.call("viewport", json!({ "bbox": [0, 0, 10, 10], "fields": ["name"] })).await;
    caller.call("subscribe", json!({ "channel": "map", "track": true })).await;
    let told = async |caller: &mut Caller| {
        let push = caller.client.next().await;
        (push["method"].clone(), push["params"]["content"]["properties"].clone())
    };
    assert_eq!(told(&mut caller).await, (json!("enter"), json!({ "name": "one" })));
    server.put("map", "t", tram(6.0, "two", 2)).await;
    assert_eq!(told(&mut caller).await, (json!("update"), json!({ "name": "two" })));
    // Other fields send everything again.
    caller
        .client
        .send(
            json!({ "jsonrpc": "2.0", "method": "viewport", "params": { "bbox": [0, 0, 10, 10] } })
                .to_string(),
        )
        .await;
    assert_eq!(told(&mut caller).await, (json!("update"), json!({ "name": "two", "speed": 2 })));
    server.put("map", "t", tram(50.0, "two", 2)).await;
    assert_eq!(told(&mut caller).await, (json!("leave"), Value::Null));
}

async fn diffs_have_the_fields_alone(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "t", tram(5.0, "one", 1)).await;
    let mut client = server.client().await;
    client.send_together(&["BBOX 0 0 10 10 fields=name", "SUB map track maplibre"]).await;
    assert_eq!(client.next_content().await["add"][0]["properties"], json!({ "name": "one" }));
    server.put("map", "t", tram(5.0, "two", 2)).await;
    let update = client.next_content().await["update"][0].take();
    assert_eq!(update["addOrUpdateProperties"], json!([{ "key": "name", "value": "two" }]));
}

async fn what_is_in_force_is_said(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    let wanted =
        json!({ "bbox": [0, 0, 10, 10], "zoom": 9.5, "fields": ["b", "a", "b"], "properties": { "a": 1 } });
    let in_force = json!({ "bbox": [0, 0, 10, 10], "crs": "EPSG:4326", "zoom": 9.5, "properties": { "a": [1] },
        "members": "whole", "fields": ["a", "b"] });
    assert_eq!(caller.call("viewport", wanted).await, in_force);
    assert_eq!(caller.call("session", json!({})).await["viewport"], in_force);
    let without_box = json!({ "bbox": null, "crs": "EPSG:4326", "fields": [] });
    assert_eq!(caller.call("viewport", json!({ "fields": [] })).await, without_box);
    assert_eq!(caller.call("session", json!({})).await["viewport"], without_box);
    for (fields, message) in [
        (json!("name"), "must be an array of names of properties"),
        (json!(["name", 7]), "must be an array of names of properties"),
        (json!([""]), "must be an array of names of properties"),
        (
            json!((0..65).map(|name| name.to_string()).collect::<Vec<_>>()),
            "has 65 items, at most 64 are allowed",
        ),
    ] {
        let (code, data, said) = caller.refused("viewport", json!({ "fields": fields })).await;
        assert_eq!((code, &data["parameter"]), (-32602, &json!("fields")), "{said}");
        assert!(said.contains(message), "{said}");
    }
    // What was said in the text dialect is told as well.
    let mut client = crate::client::Client::connect_raw(server.address, "/ws").await;
    client.next().await;
    client.send("BBOX 0 0 10 10 9.5 a=1 fields=b,a,b").await;
    client.send(json!({ "jsonrpc": "2.0", "id": 1, "method": "session" }).to_string()).await;
    let told = client.next().await["result"]["viewport"].take();
    assert_eq!(told["properties"], json!({ "a": ["1"] }));
    assert_eq!((&told["fields"], &told["zoom"]), (&json!(["a", "b"]), &json!(9.5)));
    client.send(format!("BBOX 0 0 10 10 fields={}", ["x"; 65].join(","))).await;
    assert_eq!(client.next_error().await["content"]["error"]["code"], "too_many_properties");
}

async fn who_asks_for_other_fields_gets_them(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut all = server.subscriber("map", &["BBOX 0 0 10 10"]).await;
    let mut name = server.subscriber("map", &["BBOX 0 0 10 10 fields=name"]).await;
    let mut line = server.subscriber("map", &["BBOX 0 0 9 9 fields=line"]).await;
    server.publish("map", "\"begin\"").await;
    server.publish("map", FEATURE).await;
    for client in [&mut all, &mut name, &mut line] {
        client.until("begin").await;
    }
    assert_eq!(all.next_content().await["properties"]["more"], json!([1, 2]));
    assert_eq!(name.next_content().await["properties"], json!({ "name": "seven" }));
    assert_eq!(line.next_content().await["properties"], json!({ "line": 7.1 }));
}
