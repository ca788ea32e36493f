//! Tokens that limit their bearer to a part of the world: on every way out.

mod missed;
mod presence;
mod properties;
mod reading;
mod refused;
mod tracked;
mod viewports;
mod ways;

use std::fs;

use geocast_server::{Count, KeyFile, Settings, TokenSettings};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    client::Client,
    server::{Backend, TestServer},
    signing::Signer,
    stores::on_both_stores,
    waiting::AGAIN,
};

on_both_stores!(
    what_is_pushed_is_within,
    a_collection_is_pushed_without_what_is_outside,
    a_filter_tells_nothing_of_what_is_outside,
    channels_of_a_viewport_are_limited,
    a_package_is_within,
    a_rohrpost_token_counts_for_its_subscription_alone,
    the_same_channel_can_be_asked_for_with_other_rights,
    what_is_read_and_then_subscribed_to_has_no_gap_to_slip_through,
);

/// A coordinate outside of the area: no text with these digits may ever leave.
const OUTSIDE: &str = "20.125";

/// A server that takes tokens, and its file of keys.
async fn start(
    backend: Backend,
    adjust: impl FnOnce(&mut Settings),
) -> (TestServer, tempfile::NamedTempFile) {
    let keys = tempfile::NamedTempFile::new().expect("a file");
    fs::write(keys.path(), Signer::jwks()).expect("it can be written");
    let server = TestServer::start_with(backend, |settings| {
        settings.tokens = Some(TokenSettings::new(vec![KeyFile::Jwks(keys.path().to_owned())]));
        adjust(settings);
    });
    (server.await, keys)
}

/// A token that may read everything within these limits.
fn token(geo: &Value) -> String {
    Signer::Es256.token(&json!({ "sub": ["*"], "geo": geo }))
}

/// From 0 to 10 degrees, with a hole from 4 to 6.
fn within() -> Value {
    let ring = |low: f64, high: f64| json!([[low, low], [high, low], [high, high], [low, high], [low, low]]);
    json!({ "within": { "type": "Polygon", "coordinates": [ring(0.0, 10.0), ring(4.0, 6.0)] } })
}

async fn text(server: &TestServer, geo: &Value) -> Client {
    let mut client = Client::connect_raw(server.address, &format!("/ws?token={}", token(geo))).await;
    assert_eq!(client.next().await["content"]["status"], "open");
    client
}

async fn rpc(server: &TestServer, geo: &Value) -> Caller {
    let path = format!("/rpc?token={}", token(geo));
    Caller { client: Client::connect_raw(server.address, &path).await, next: 0 }
}

fn point(id: &str, x: f64) -> String {
    feature(id, &json!({ "type": "Point", "coordinates": [x, 1] }))
}

fn feature(id: &str, geometry: &Value) -> String {
    json!({ "type": "Feature", "id": id, "geometry": geometry, "properties": {} }).to_string()
}

/// Features that are not within, each in its own way.
fn outside() -> Vec<String> {
    let x: f64 = OUTSIDE.parse().expect("a number");
    let line = |positions: Value| json!({ "type": "LineString", "coordinates": positions });
    vec![
        point("outside", x),
        feature("multi", &json!({ "type": "MultiPoint", "coordinates": [[1, 1], [x, 1]] })),
        feature("leaves", &line(json!([[1, 1], [x, 1], [1, 2]]))),
        feature("through the hole", &line(json!([[3, 5], [7, 5]]))),
        feature("around", &json!({ "type": "Polygon", "coordinates": [[[3, 3], [7, 3], [7, 7], [3, 7], [3, 3]]] })),
        feature("both", &json!({ "type": "GeometryCollection", "geometries": [
            { "type": "Point", "coordinates": [1, 1] }, { "type": "Point", "coordinates": [x, 1] },
        ] })),
        format!(r#"{{"type":"Feature","id":"twice","geometry":{{"type":"Point","coordinates":[{x},1]}},"geometry":{{"type":"Point","coordinates":[1,1]}}}}"#),
        format!(r#"{{"lon":{x},"lat":1}}"#),
        format!("[{x},1]"),
        format!("text at {x}"),
        format!(r#"{{"type":"Point","coordinates":[{x},1],}}"#),
        json!({ "type": "FeatureCollection", "features": [serde_json::from_str::<Value>(&point("a", x)).expect("JSON")] }).to_string(),
        format!("\u{ff}text\n{}", point("marked", x)).replace('\u{c3}', ""),
    ]
}

/// A collection of which one feature is within, that says more than its features do.
fn mixed() -> String {
    format!(
        r#"{{"type":"FeatureCollection","bbox":[3.5,1,{OUTSIDE},1],"features":[{}, {}],"centre":[{OUTSIDE},1]}}"#,
        point("in", 3.5),
        point("out", OUTSIDE.parse().expect("a number"))
    )
}

async fn what_is_pushed_is_within(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let mut client = text(&server, &within()).await;
    client.send("SUB map").await;
    client.settled().await;
    let mut caller = rpc(&server, &within()).await;
    caller.call("subscribe", json!(["map"])).await;
    let mut all = server.subscriber("map", &[]).await;
    let before = server.count(Count::WithheldAccess);
    for payload in outside() {
        server.publish("map", payload.clone()).await;
        assert_ne!(all.next_text().await, "", "{payload}");
    }
    server.publish("map", point("in", 3.5)).await;
    let notice = geocast_server::deletion_notice("outside");
    server.publish("map", notice).await;
    server.publish("map", "reload").await;
    // Nothing else comes before these; the helpers' words have no digits in them.
    let mut contents = Vec::new();
    while contents.last() != Some(&json!("reload")) {
        let content = client.next_content().await;
        assert!(!content.to_string().contains(OUTSIDE), "{content}");
        contents.push(content);
    }
    contents.retain(|content| {
        !content.as_str().is_some_and(|text| text.contains("that is all") || text.contains("there"))
    });
    assert_eq!(contents[0]["id"], "in");
    assert_eq!(contents[1]["deleted"], true);
    assert_eq!(contents.len(), 3, "{contents:?}");
    let mut ids = Vec::new();
    while ids.last() != Some(&Value::Null) {
        let content = caller.pushed().await["content"].take();
        if content["id"].is_string() || content == "reload" {
            ids.push(content["id"].clone());
        }
    }
    assert_eq!(ids, [json!("in"), json!("outside"), Value::Null]);
    server.counted(Count::WithheldAccess, before + 2 * outside().len() as u64).await;
    // What it may not see and what it does not look at are one to the client.
    let session = caller.call("session", json!({})).await;
    assert_eq!(session["withheld"], json!({ "outside": outside().len() }), "{session}");
    // Also where there is one that it does not look at.
    caller.call("viewport", json!({ "bbox": [3, 0, 4, 2] })).await;
    for payload in [point("in", 8.0), point("outside", 20.125)] {
        server.publish("map", payload).await;
    }
    server.publish("map", point("in", 3.5)).await;
    assert_eq!(caller.pushed().await["content"]["id"], "in");
    caller.next += 1;
    let ask = json!({ "jsonrpc": "2.0", "id": caller.next, "method": "session" });
    caller.client.send(ask.to_string()).await;
    let session = caller.client.next_text().await;
    let expected = format!(r#""withheld":{{"outside":{}}}"#, outside().len() + 2);
    assert_eq!(session.matches(&expected).count(), 2, "{session}");
}

async fn a_collection_is_pushed_without_what_is_outside(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let expected: Value = serde_json::from_str(&point("in", 3.5)).expect("JSON");
    for before in [&[][..], &["BBOX 3 0 30 10"], &["BBOX 3 0 30 10 members=whole"], &["PROJECTION epsg:3857"]]
    {
        let mut client = text(&server, &within()).await;
        for command in before {
            client.send(*command).await;
        }
        client.send("SUB map").await;
        client.settled().await;
        server.publish("map", mixed()).await;
        let content = client.next_content().await;
        assert_eq!(content["features"].as_array().map(Vec::len), Some(1), "{content}");
        assert_eq!(content.as_object().map(serde_json::Map::len), Some(2), "{content}");
        assert_eq!(content["features"][0]["id"], "in");
        if before != ["PROJECTION epsg:3857"] {
            assert_eq!(content["features"][0], expected);
        }
        // The one that is within is not in sight, and the one that is in sight is not within.
        client.send("BBOX 15 0 30 10 members=whole crs=epsg:4326").await;
        client.settled().await;
        server.publish("map", mixed()).await;
        client.expect_nothing(&server).await;
    }
    // Others get it as it came.
    let mut all = server.subscriber("map", &[]).await;
    server.publish("map", mixed()).await;
    assert!(all.next_text().await.contains(&mixed()));
}

async fn a_filter_tells_nothing_of_what_is_outside(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let line = |id: &str, x: f64, line: &str| json!({ "type": "Feature", "id": id, "geometry": { "type": "Point", "coordinates": [x, 1] }, "properties": { "line": line } });
    let collection =
        json!({ "type": "FeatureCollection", "features": [line("in", 3.5, "S"), line("out", 20.125, "T")] });
    let mut caller = rpc(&server, &within()).await;
    caller.call("subscribe", json!(["map"])).await;
    for (properties, seen) in [(json!({ "line": "S" }), true), (json!({ "line": "T" }), false)] {
        for bbox in [Value::Null, json!([0, 0, 90, 90])] {
            let mut params = json!({ "properties": properties });
            if bbox.is_array() {
                (params["bbox"], params["members"]) = (bbox, json!("whole"));
            }
            caller.call("viewport", params).await;
            server.publish("map", line("out", 20.125, "T").to_string()).await;
            server.publish("map", collection.to_string()).await;
            server.publish("map", "reload").await;
            let first = caller.pushed().await["content"].take();
            if seen {
                assert_eq!(first["features"], json!([line("in", 3.5, "S")]), "{properties}");
                assert_eq!(caller.pushed().await["content"], "reload");
            } else {
                assert_eq!(first, "reload", "{properties}");
            }
        }
    }
    // What does not match and is not within is not within; of what is within, the filter is told.
    let session = caller.call("session", json!({})).await;
    assert_eq!(session["withheld"], json!({ "outside": 4, "filtered": 2 }), "{session}");
}

async fn channels_of_a_viewport_are_limited(backend: Backend) {
    let (server, _keys) =
        start(backend, |settings| settings.viewport_channels = vec!["map".parse().expect("a channel")]).await;
    let mut client = text(&server, &within()).await;
    client.send("BBOX 0 0 90 90").await;
    server.subscribed(&mut client, "map").await;
    for payload in outside().into_iter().chain([point("in", 3.5)]) {
        server.publish("map", payload).await;
    }
    assert_eq!(client.next_content().await["id"], "in");
    client.expect_nothing(&server).await;
}

async fn a_package_is_within(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let path = format!("/channel/map/?token={}", token(&within()));
    let mut client = Client::connect_raw(server.address, &path).await;
    while client.next_text_within(AGAIN).await.is_none() {
        server.publish("map", "are you there?").await;
    }
    for payload in outside().into_iter().chain([point("in", 3.5)]).chain(outside()) {
        server.publish("map", payload).await;
    }
    server.publish("map", "that is all").await;
    let mut came = Vec::new();
    loop {
        match client.next_text().await.as_str() {
            "are you there?" => {}
            "that is all" => break,
            text => came.push(text.to_owned()),
        }
    }
    assert_eq!(came, [point("in", 3.5)]);
}

async fn a_rohrpost_token_counts_for_its_subscription_alone(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let subscribe = |group: &str, token: Option<String>| {
        let mut request = json!({ "id": 1, "type": "subscribe", "data": { "type": group, "id": 1 } });
        if let Some(token) = token {
            request["auth_jwt"] = json!(token);
        }
        request.to_string()
    };
    // Whoever connects is not limited; then one that is.
    for limited in [false, true] {
        let path =
            if limited { format!("/rohrpost/?token={}", token(&within())) } else { "/rohrpost/".to_owned() };
        let mut client = Client::connect_raw(server.address, &path).await;
        let elsewhere = json!({ "within": { "type": "Polygon", "coordinates": [[[20, 0], [30, 0], [30, 5], [20, 5], [20, 0]]] } });
        for (group, token) in
            [("free", None), ("map", Some(token(&within()))), ("other", Some(token(&elsewhere)))]
        {
            let reply = client.ask(&subscribe(group, token)).await;
            assert_eq!(reply, format!(r#"{{"id":1,"type":"subscribe","data":{{"group":"{group}-1"}}}}"#));
        }
        let x: f64 = OUTSIDE.parse().expect("a number");
        for group in ["free", "map", "other"] {
            let group = format!("{group}-1");
            server.publish(&group, point("outside", x)).await;
            server.publish(&group, point("in", 3.5)).await;
        }
        let mut seen = Vec::new();
        server.heard().await;
        client.send(r#"{"id":2,"type":"ping"}"#).await;
        loop {
            let text = client.next_text().await;
            if text == r#"{"id":2,"type":"pong"}"# {
                break;
            }
            let group =
                ["free", "map", "other"].into_iter().find(|group| text.contains(&format!("\"{group}-1\"")));
            seen.push((group.expect("a group"), text.contains(OUTSIDE)));
        }
        let free: &[(&str, bool)] =
            if limited { &[("free", false)] } else { &[("free", true), ("free", false)] };
        assert_eq!(seen, [free, &[("map", false), ("other", true)]].concat(), "limited: {limited}");
    }
}

async fn the_same_channel_can_be_asked_for_with_other_rights(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let mut client = server.rohrpost().await;
    let subscribe = json!({ "id": 1, "type": "subscribe", "data": { "type": "map", "id": 1 } });
    client.ask(&subscribe.to_string()).await;
    let mut limited = subscribe.clone();
    limited["auth_jwt"] = json!(token(&within()));
    client.ask(&limited.to_string()).await;
    server.publish("map-1", point("outside", 20.125)).await;
    server.publish("map-1", point("in", 3.5)).await;
    assert!(client.next_text().await.contains("3.5"));
    client.ask(&subscribe.to_string()).await;
    server.publish("map-1", point("outside", 20.125)).await;
    assert!(client.next_text().await.contains(OUTSIDE));
}

async fn what_is_read_and_then_subscribed_to_has_no_gap_to_slip_through(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let mut client = text(&server, &within()).await;
    client.send("GET map").await;
    assert_eq!(client.next_content().await, Value::Null);
    for payload in outside().into_iter().chain([point("in", 3.5)]) {
        server.publish("map", payload).await;
    }
    server.heard().await;
    client.send("SUB map").await;
    assert_eq!(client.next_content().await["id"], "in");
    client.expect_nothing(&server).await;
}
