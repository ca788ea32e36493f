//! Which geometries hit a viewport: true intersection, the box closed.

use geocast_server::Count;
use serde_json::{Value, json};

use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_geometry_hits_if_any_of_it_is_in_the_box,
    a_feature_hits_as_its_geometry_does,
    get_tests_as_live_delivery_does,
    z_is_kept_and_decides_nothing,
    the_other_members_of_a_document_do_not_matter,
);

/// The box of all tests here.
const BBOX: &str = "BBOX 0 0 10 10";

/// Geometries, and whether they hit [0, 10] × [0, 10].
fn cases() -> Vec<(&'static str, Value, bool)> {
    let geometry = |kind: &str, coordinates: Value| json!({"type": kind, "coordinates": coordinates});
    let collection = |members: Vec<Value>| json!({"type": "GeometryCollection", "geometries": members});
    let around = json!([[-20, -20], [30, -20], [30, 30], [-20, 30], [-20, -20]]);
    let hole = json!([[-5, -5], [15, -5], [15, 15], [-5, 15], [-5, -5]]);
    let small_hole = json!([[2, 2], [3, 2], [3, 3], [2, 3], [2, 2]]);
    let away = json!([[20, 20], [30, 20], [30, 30], [20, 30], [20, 20]]);
    // A triangle whose extent contains the box's corner, but which passes it by.
    let beside = json!([[9, 30], [30, 9], [30, 30], [9, 30]]);
    vec![
        ("point inside", geometry("Point", json!([5, 5])), true),
        ("point outside", geometry("Point", json!([15, 5])), false),
        ("point beside, latitude alone", geometry("Point", json!([5, 10.0001])), false),
        ("point on an edge", geometry("Point", json!([10, 5])), true),
        ("point on a corner", geometry("Point", json!([0, 0])), true),
        ("point just beyond an edge", geometry("Point", json!([10.000001, 5])), false),
        ("point swapped", geometry("Point", json!([5, 50])), false),
        ("points of which one is inside", geometry("MultiPoint", json!([[50, 50], [5, 5]])), true),
        ("points all outside, on both sides", geometry("MultiPoint", json!([[-5, 5], [15, 5]])), false),
        ("line inside", geometry("LineString", json!([[1, 1], [2, 2]])), true),
        ("line that crosses, no vertex inside", geometry("LineString", json!([[-5, 5], [15, 5]])), true),
        ("line that cuts a corner", geometry("LineString", json!([[-1, 2], [2, -1]])), true),
        ("line past a corner", geometry("LineString", json!([[-3, 2], [2, -3]])), false),
        ("line that touches a corner", geometry("LineString", json!([[-1, 1], [1, -1]])), true),
        ("line along an edge", geometry("LineString", json!([[10, -5], [10, 15]])), true),
        ("line outside", geometry("LineString", json!([[11, 0], [11, 10]])), false),
        (
            "lines of which the second crosses",
            geometry("MultiLineString", json!([[[20, 20], [30, 30]], [[5, -5], [5, 15]]])),
            true,
        ),
        (
            "lines on both sides",
            geometry("MultiLineString", json!([[[-5, 0], [-5, 9]], [[15, 0], [15, 9]]])),
            false,
        ),
        ("polygon inside", geometry("Polygon", json!([[[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]])), true),
        ("polygon that covers the box", geometry("Polygon", json!([around])), true),
        ("polygon with the box in its hole", geometry("Polygon", json!([around, hole])), false),
        ("polygon with a hole in the box", geometry("Polygon", json!([around, small_hole])), true),
        ("polygon that passes a corner by", geometry("Polygon", json!([beside])), false),
        ("polygon outside", geometry("Polygon", json!([away])), false),
        ("polygons of which one covers", geometry("MultiPolygon", json!([[away], [around]])), true),
        ("polygons that do not hit", geometry("MultiPolygon", json!([[away], [around, hole]])), false),
        (
            "collection with a point inside",
            collection(vec![geometry("Point", json!([50, 50])), geometry("Point", json!([5, 5]))]),
            true,
        ),
        ("collection outside", collection(vec![geometry("Point", json!([50, 50]))]), false),
        (
            "collection in a collection",
            collection(vec![collection(vec![geometry("LineString", json!([[5, -5], [5, 15]]))])]),
            true,
        ),
        (
            "collection of opposite points",
            { collection(vec![geometry("Point", json!([-5, 5])), geometry("Point", json!([15, 5]))]) },
            false,
        ),
    ]
}

fn feature(name: &str, geometry: &Value) -> Value {
    json!({"type": "Feature", "id": name, "properties": {"name": name}, "geometry": geometry})
}

async fn a_geometry_hits_if_any_of_it_is_in_the_box(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("shapes", &[BBOX]).await;
    let (mut wrong, mut misses) = (Vec::new(), 0);
    for (name, geometry, hits) in cases() {
        let brought = server.brings(&mut client, "shapes", [geometry.to_string()]).await;
        let expected = if hits { vec![geometry] } else { Vec::new() };
        misses += u64::from(!hits);
        if brought != expected {
            wrong.push((name, brought));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(server.count(Count::WithheldOutside), misses, "what is kept from a client is counted");
}

async fn a_feature_hits_as_its_geometry_does(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("shapes", &[BBOX]).await;
    let features = cases().into_iter().map(|(name, geometry, _)| feature(name, &geometry).to_string());
    let brought = server.brings(&mut client, "shapes", features).await;
    let names: Vec<_> = brought.iter().map(|feature| feature["id"].as_str().expect("a string")).collect();
    let expected: Vec<_> = cases().into_iter().filter(|(.., hits)| *hits).map(|(name, ..)| name).collect();
    assert_eq!(names, expected);
}

async fn get_tests_as_live_delivery_does(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.command_burst = 200).await;
    let mut client = server.client().await;
    client.send(BBOX).await;
    for (index, (name, geometry, hits)) in cases().into_iter().enumerate() {
        server.put("shapes", &index.to_string(), feature(name, &geometry).to_string()).await;
        client.send(format!("GET shapes {index}")).await;
        assert_eq!(!client.next_content().await.is_null(), hits, "{name}");
    }
    client.send("GET shapes").await;
    let expected: Vec<_> = cases().into_iter().filter(|(.., hits)| *hits).map(|(name, ..)| name).collect();
    let mut names = Vec::new();
    for _ in &expected {
        names.push(client.next_content().await["id"].as_str().expect("a string").to_owned());
    }
    client.settled().await;
    assert!(expected.iter().all(|name| names.iter().any(|other| other == name)), "{names:?}");
}

async fn z_is_kept_and_decides_nothing(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("shapes", &[BBOX]).await;
    let payloads = [
        (r#"{"type":"Point","coordinates":[5.0,5,431.20]}"#, true),
        (r#"{"type":"Point","coordinates":[5,5,-1e3,7]}"#, true),
        (r#"{"type":"Point","coordinates":[50,50,5]}"#, false),
        (r#"{"type":"LineString","coordinates":[[-5,5,1],[15,5,2]]}"#, true),
        (r#"{"type":"Polygon","coordinates":[[[-9,-9,1],[20,-9,2],[20,20,3],[-9,20,4],[-9,-9,1]]]}"#, true),
    ];
    for (payload, hits) in payloads {
        server.publish("shapes", payload).await;
        if hits {
            let text = client.next_text().await;
            assert!(text.contains(&format!(r#""content":{payload},"#)), "{payload}: {text}");
        }
    }
    assert!(server.received(&mut client, "shapes").await.is_empty());
}

async fn the_other_members_of_a_document_do_not_matter(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("shapes", &[BBOX]).await;
    let inside = r#"{"coordinates":[5,5],"type":"Point"}"#;
    let outside = r#"{"type":"Point","coordinates":[50,50]}"#;
    let hits = [
        format!(r#"{{"geometry":{inside},"properties":{{"geometry":{outside}}},"type":"Feature"}}"#),
        format!(
            r#"{{"properties":{{"coordinates":[50,50],"type":"Point"}},"geometry":{inside},"type":"Feature"}}"#
        ),
        format!(r#"{{"bbox":[50,50,60,60],"type":"Feature","geometry":{inside},"properties":null}}"#),
        r#"{"typ\u0065":"P\u006fint","coordinate\u0073":[5,5]}"#.to_owned(),
    ];
    let misses = [
        format!(r#"{{"geometry":{outside},"properties":{{"geometry":{inside}}},"type":"Feature"}}"#),
        format!(
            r#"{{"properties":{{"coordinates":[5,5],"type":"Point"}},"geometry":{outside},"type":"Feature"}}"#
        ),
        format!(r#"{{"bbox":[5,5,6,6],"type":"Feature","geometry":{outside},"properties":null}}"#),
        r#"{"typ\u0065":"P\u006fint","coordinate\u0073":[50,50]}"#.to_owned(),
    ];
    let expected: Vec<Value> = hits.iter().map(|hit| serde_json::from_str(hit).expect("JSON")).collect();
    let payloads = misses.into_iter().chain(hits);
    assert_eq!(server.brings(&mut client, "shapes", payloads).await, expected);
}
