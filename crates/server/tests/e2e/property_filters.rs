//! Features chosen by their properties.

use geocast_server::Count;
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    what_does_not_match_is_withheld_and_counted,
    state_is_chosen_as_pushes_are,
    keywords_of_bbox_are_filters,
    keywords_mean_what_the_settings_say,
    one_member_has_to_be_inside_and_match,
    what_is_no_feature_passes,
    filters_need_no_box,
    filters_come_and_go_with_their_box,
    too_many_filters_are_refused,
);

/// A feature at that longitude, on the fifth parallel.
fn vehicle(id: u32, x: f64, properties: &Value) -> String {
    let geometry = json!({ "type": "Point", "coordinates": [x, 5.0] });
    json!({ "type": "Feature", "id": id, "geometry": geometry, "properties": properties }).to_string()
}

async fn what_does_not_match_is_withheld_and_counted(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    let wanted = json!({ "type": ["rail", "bus"], "delay": { "min": 60 } });
    let in_force = caller.call("viewport", json!({ "bbox": [0, 0, 10, 10], "properties": wanted })).await;
    let printed = json!({ "delay": { "min": 60, "max": null }, "type": ["bus", "rail"] });
    let expected =
        json!({ "bbox": [0, 0, 10, 10], "crs": "EPSG:4326", "properties": printed, "members": "whole" });
    assert_eq!(in_force, expected);
    caller.call("subscribe", json!(["map"])).await;
    for (id, x, properties) in [
        (1, 5.0, json!({ "type": "rail", "delay": 59 })),
        (2, 5.0, json!({ "type": "tram", "delay": 60 })),
        (3, 5.0, json!({ "type": "rail" })),
        (4, 50.0, json!({ "type": "rail", "delay": 60 })),
        (5, 50.0, json!({ "type": "tram" })),
        (6, 5.0, Value::Null),
        (7, 5.0, json!({ "type": "bus", "delay": 60.0, "name": "seven" })),
    ] {
        server.publish("map", vehicle(id, x, &properties)).await;
    }
    assert_eq!(caller.pushed().await["content"]["id"], 7);
    let session = caller.call("session", json!({})).await;
    assert_eq!(session["viewport"], expected);
    assert_eq!(session["withheld"], json!({ "filtered": 4, "outside": 2 }));
    assert_eq!(
        (
            server.count(Count::WithheldFiltered),
            server.count(Count::WithheldOutside),
            server.count(Count::Delivered)
        ),
        (4, 2, 1)
    );
}

async fn state_is_chosen_as_pushes_are(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "1", vehicle(1, 5.0, &json!({ "line": 7 }))).await;
    server.put("map", "2", vehicle(2, 5.0, &json!({ "line": 8 }))).await;
    server.put("map", "3", vehicle(3, 50.0, &json!({ "line": 7 }))).await;
    let mut caller = Caller::connect(&server).await;
    caller.call("viewport", json!({ "bbox": [0, 0, 10, 10], "properties": { "line": 7 } })).await;
    let values = caller.call("get", json!(["map"])).await["values"].take();
    assert_eq!(values.as_array().expect("a list").len(), 1);
    assert_eq!(values[0]["id"], 1);
    for (key, seen) in [("1", 1), ("2", 0), ("3", 0)] {
        let values = caller.call("get", json!(["map", key])).await["values"].take();
        assert_eq!(values.as_array().expect("a list").len(), seen, "{key}");
    }
    let mut client = server.client().await;
    client.send("BBOX 0 0 10 10 line=7").await;
    client.settled().await;
    for command in ["GET map", "GET map 1", "PGET map 1 projection=epsg:3857"] {
        client.send(command).await;
        assert_eq!(client.next_content().await["id"], 1, "{command}");
    }
    for command in ["GET map 2", "PGET map 2", "GET map 3"] {
        client.send(command).await;
        assert_eq!(client.next_content().await, Value::Null, "{command}");
    }
}

async fn keywords_of_bbox_are_filters(backend: Backend) {
    let server = TestServer::start(backend).await;
    // As a browser client says it.
    let bbox = "BBOX 0 0 10 10 9 gen=5 gen_level=30 graph=np mots=rail,bus tenant=sbb";
    let mut client = server.subscriber("map", &[bbox]).await;
    for (id, properties) in [
        (1, json!({ "type": "tram", "tenant": "sbb" })),
        (2, json!({ "type": "rail", "tenant": "bls" })),
        (3, json!({ "mots": "rail", "tenant": "sbb" })),
        (4, json!({ "type": "bus", "tenant": "sbb" })),
    ] {
        server.publish("map", vehicle(id, 5.0, &properties)).await;
    }
    assert_eq!(client.next_content().await["id"], 4);
    // A text is also a number or a boolean that is written so; without a value, nothing is asked.
    client.send("BBOX 0 0 10 10 line=7,x late=true name=").await;
    client.settled().await;
    for (id, properties) in [
        (5, json!({ "line": 7.5, "late": true })),
        (6, json!({ "line": 7, "late": false })),
        (7, json!({ "line": 7, "late": "true" })),
        (8, json!({ "line": "x", "late": true })),
    ] {
        server.publish("map", vehicle(id, 5.0, &properties)).await;
    }
    assert_eq!(client.next_content().await["id"], 7);
    assert_eq!(client.next_content().await["id"], 8);
    client.send("BBOX").await;
    client.settled().await;
    server.publish("map", vehicle(9, 5.0, &Value::Null)).await;
    assert_eq!(client.next_content().await["id"], 9);
}

async fn keywords_mean_what_the_settings_say(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.bbox_keywords = ["kind=type", "layer="].map(|text| text.parse().expect("a keyword")).into();
    })
    .await;
    let mut client = server.subscriber("map", &["BBOX 0 0 10 10 kind=rail layer=5 gen=5"]).await;
    for (id, properties) in [
        (1, json!({ "type": "rail" })),
        (2, json!({ "kind": "rail", "gen": 5 })),
        (3, json!({ "type": "rail", "gen": 5 })),
    ] {
        server.publish("map", vehicle(id, 5.0, &properties)).await;
    }
    assert_eq!(client.next_content().await["id"], 3);
}

async fn one_member_has_to_be_inside_and_match(backend: Backend) {
    let server = TestServer::start(backend).await;
    let collection = |members: &[(u32, Option<f64>, &str)]| {
        let features: Vec<Value> = members
            .iter()
            .map(|(id, x, kind)| {
                let geometry = x.map(|x| json!({ "type": "Point", "coordinates": [x, 5.0] }));
                json!({ "type": "Feature", "id": id, "geometry": geometry, "properties": { "type": kind } })
            })
            .collect();
        json!({ "type": "FeatureCollection", "features": features }).to_string()
    };
    let split = collection(&[(1, Some(5.0), "bus"), (2, Some(50.0), "rail")]);
    let mixed = collection(&[
        (1, Some(5.0), "bus"),
        (2, Some(50.0), "rail"),
        (3, Some(6.0), "rail"),
        (4, None, "rail"),
    ]);
    let placeless = collection(&[(5, None, "bus"), (6, None, "rail")]);
    let ids = |content: &Value| -> Vec<u64> {
        let features = content["features"].as_array().expect("features");
        features.iter().map(|feature| feature["id"].as_u64().expect("a number")).collect()
    };
    for (members, projection, expected) in [
        ("whole", "PROJECTION epsg:4326", [vec![1, 2, 3, 4], vec![5, 6]]),
        ("inside", "PROJECTION epsg:4326", [vec![3, 4], vec![6]]),
        ("inside", "PROJECTION epsg:3857", [vec![3, 4], vec![6]]),
    ] {
        let bbox = format!("BBOX 0 0 10 10 crs=epsg:4326 members={members} type=rail");
        let mut client = server.subscriber("map", &[projection, &bbox]).await;
        for payload in [&split, &mixed, &placeless] {
            server.publish("map", payload.clone()).await;
        }
        let got = [ids(&client.next_content().await), ids(&client.next_content().await)];
        assert_eq!(got, expected, "{members} {projection}");
    }
}

async fn what_is_no_feature_passes(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "7", vehicle(7, 5.0, &json!({ "type": "bus" }))).await;
    let mut client = server.subscriber("map", &["BBOX 0 0 10 10 type=rail"]).await;
    let point = r#"{"type":"Point","coordinates":[5.0,5.0]}"#;
    for payload in [point, r#"{"type":"bus"}"#, "plain text", "[1]"] {
        server.publish("map", vehicle(1, 5.0, &json!({ "type": "bus" }))).await;
        server.publish("map", payload).await;
        let expected = serde_json::from_str(payload).unwrap_or_else(|_| Value::from(payload));
        assert_eq!(client.next_content().await, expected, "{payload}");
    }
    // So does the notice that a key is no more.
    let channel = "map".parse().expect("a channel");
    server
        .store
        .remove(&channel, "7", geocast_server::deletion_notice("7"))
        .await
        .expect("the store answers");
    assert_eq!(client.next_content().await["deleted"], true);
}

async fn filters_need_no_box(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    let in_force = caller.call("viewport", json!({ "properties": { "type": "rail" } })).await;
    assert_eq!(in_force, json!({ "bbox": null, "crs": "EPSG:4326", "properties": { "type": ["rail"] } }));
    assert_eq!(caller.call("session", json!({})).await["viewport"], in_force);
    caller.call("subscribe", json!(["map"])).await;
    server.publish("map", vehicle(1, 5.0, &json!({ "type": "bus" }))).await;
    server.publish("map", vehicle(2, 50.0, &json!({ "type": "rail" }))).await;
    assert_eq!(caller.pushed().await["content"]["id"], 2);
    assert_eq!(caller.call("viewport", json!({})).await, json!({ "bbox": null, "crs": "EPSG:4326" }));
    assert_eq!(caller.call("session", json!({})).await["viewport"], Value::Null);
    server.publish("map", vehicle(3, 5.0, &json!({ "type": "bus" }))).await;
    assert_eq!(caller.pushed().await["content"]["id"], 3);
    for params in
        [json!({ "members": "inside", "properties": {} }), json!({ "crs": "EPSG:4326", "properties": {} })]
    {
        assert_eq!(caller.refused("viewport", params).await.0, -32602);
    }
}

async fn filters_come_and_go_with_their_box(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    caller.call("subscribe", json!(["map"])).await;
    let first = json!({ "bbox": [0, 0, 10, 10], "properties": { "type": "rail" } });
    let in_force = caller.call("viewport", first).await;
    // A box that is refused, here or when its transformation is known, takes its filters with it.
    for refused in [
        json!({ "bbox": [5, 3, 9, 1], "properties": { "type": "bus" } }),
        json!({ "bbox": [1_200_000, 2_600_000, 1_210_000, 2_610_000], "crs": "EPSG:2056", "properties": { "type": "bus" } }),
    ] {
        assert_eq!(caller.refused("viewport", refused).await.0, -32602);
        assert_eq!(caller.call("session", json!({})).await["viewport"], in_force);
        server.publish("map", vehicle(1, 5.0, &json!({ "type": "bus" }))).await;
        server.publish("map", vehicle(2, 5.0, &json!({ "type": "rail" }))).await;
        assert_eq!(caller.pushed().await["content"]["id"], 2);
    }
    let next = caller.call("viewport", json!({ "bbox": [0, 0, 10, 10] })).await;
    assert_eq!(next.get("properties"), None);
    server.publish("map", vehicle(3, 5.0, &json!({ "type": "bus" }))).await;
    assert_eq!(caller.pushed().await["content"]["id"], 3);
}

async fn too_many_filters_are_refused(backend: Backend) {
    let server = TestServer::start(backend).await;
    let filters = |number: usize| (0..number).map(|name| format!(" p{name}=1")).collect::<String>();
    let mut client = server.subscriber("map", &[&format!("BBOX 0 0 10 10{}", filters(64))]).await;
    client.send(format!("BBOX 0 0 10 10{}", filters(65))).await;
    assert_eq!(client.next_error().await["content"]["error"]["code"], "too_many_properties");
    let all: serde_json::Map<String, Value> = (0..64).map(|name| (format!("p{name}"), json!(1))).collect();
    server.publish("map", vehicle(1, 5.0, &json!({ "p0": 1 }))).await;
    server.publish("map", vehicle(2, 5.0, &Value::Object(all))).await;
    assert_eq!(client.next_content().await["id"], 2);
}
