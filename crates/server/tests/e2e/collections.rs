//! FeatureCollections: whole, or the members inside.

use serde_json::{Value, json};

use crate::{
    positions::{ZURICH, assert_close},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_collection_passes_whole_if_any_member_hits,
    members_inside_trims_a_collection,
    members_inside_applies_to_get_and_to_projected_geometry,
    members_all_is_the_default_again,
    members_without_geometry_do_not_break_a_collection,
);

const IN: &str = r#"{"type":"Feature","id":"in","geometry":{"type":"Point","coordinates":[8.55,47.370]},"properties":{"n":1.50,"type":"rail"}}"#;
const OUT: &str =
    r#"{"type":"Feature","id":"out","geometry":{"type":"Point","coordinates":[50,50]},"properties":{}}"#;
const ALSO_IN: &str = r#"{"type":"Feature","id":"also in","geometry":{"type":"LineString","coordinates":[[4,46],[11,46]]},"properties":{}}"#;

fn collection(members: &[&str]) -> String {
    format!(r#"{{"type": "FeatureCollection","features":[{}],"extra":7.10}}"#, members.join(", "))
}

fn ids(collection: &Value) -> Vec<&str> {
    collection["features"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|member| member["id"].as_str().expect("a string"))
        .collect()
}

async fn a_collection_passes_whole_if_any_member_hits(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("sets", &["BBOX 5 45 10 50"]).await;
    for hit in [collection(&[OUT, IN, OUT]), collection(&[ALSO_IN]), collection(&[OUT, ALSO_IN])] {
        server.publish("sets", hit.clone()).await;
        let text = client.next_text().await;
        assert!(text.starts_with(&format!(r#"{{"source":"sets","content":{hit},"#)), "{text}");
    }
    let misses = [collection(&[OUT]), collection(&[OUT, OUT])];
    assert_eq!(server.brings(&mut client, "sets", misses).await, Vec::<Value>::new());
}

async fn members_inside_trims_a_collection(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut whole = server.subscriber("sets", &["BBOX 5 45 10 50"]).await;
    let mut trimmed = server.subscriber("sets", &["BBOX 5 45 10 50 members=inside"]).await;
    server.received(&mut whole, "sets").await;
    trimmed.until("sentinel").await;
    for (members, inside) in [
        (vec![OUT, IN, OUT, ALSO_IN, OUT], vec!["in", "also in"]),
        (vec![IN, OUT], vec!["in"]),
        (vec![OUT, ALSO_IN], vec!["also in"]),
        (vec![IN, ALSO_IN], vec!["in", "also in"]),
    ] {
        server.publish("sets", collection(&members)).await;
        let content = trimmed.next_content().await;
        assert_eq!(ids(&content), inside);
        assert_eq!((&content["type"], &content["extra"]), (&json!("FeatureCollection"), &json!(7.1)));
        assert_eq!(ids(&whole.next_content().await).len(), members.len(), "others get the whole");
    }
    server.publish("sets", collection(&[OUT, IN])).await;
    let text = trimmed.next_text().await;
    assert!(text.contains(IN), "a member that stays is not changed: {text}");
    assert_eq!(server.brings(&mut trimmed, "sets", [collection(&[OUT])]).await, Vec::<Value>::new());
}

async fn members_inside_applies_to_get_and_to_projected_geometry(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("sets", "1", collection(&[OUT, IN])).await;
    let mut client = server.client().await;
    client.send("PROJECTION epsg:3857").await;
    client.send("BBOX 5 45 10 50 crs=epsg:4326 members=inside").await;
    for command in ["GET sets", "GET sets 1"] {
        client.send(command).await;
        let content = client.next_content().await;
        assert_eq!(ids(&content), ["in"], "{command}");
        assert_close(&content["features"][0]["geometry"]["coordinates"], ZURICH.mercator);
    }
    client.send("SUB sets").await;
    server.subscribed(&mut client, "sets").await;
    let brought = server.brings(&mut client, "sets", [collection(&[OUT, IN])]).await;
    assert_eq!(ids(&brought[0]), ["in"]);
    assert_close(&brought[0]["features"][0]["geometry"]["coordinates"], ZURICH.mercator);
}

async fn members_all_is_the_default_again(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("sets", "1", collection(&[OUT, IN])).await;
    let mut client = server.client().await;
    for (bbox, expected) in [
        ("BBOX 5 45 10 50 members=inside", vec!["in"]),
        ("BBOX 5 45 10 50", vec!["out", "in"]),
        ("BBOX 5 45 10 50 12 members=inside mots=rail", vec!["in"]),
        ("BBOX", vec!["out", "in"]),
    ] {
        client.send(bbox).await;
        client.send("GET sets").await;
        assert_eq!(ids(&client.next_content().await), expected, "{bbox}");
    }
}

async fn members_without_geometry_do_not_break_a_collection(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut whole = server.subscriber("sets", &["BBOX 5 45 10 50"]).await;
    let nowhere = r#"{"type":"Feature","id":"nowhere","geometry":null,"properties":{}}"#;
    let brought = server.brings(&mut whole, "sets", [collection(&[nowhere, IN])]).await;
    assert_eq!(ids(&brought[0]), ["nowhere", "in"]);
    whole.send("BBOX 5 45 10 50 members=inside").await;
    whole.settled().await;
    let brought = server.brings(&mut whole, "sets", [collection(&[OUT, nowhere, IN])]).await;
    assert_eq!(ids(&brought[0]), ["nowhere", "in"], "what has no geometry passes the viewport");
}
