use proptest::prelude::*;

use crate::{bbox, oracle, random, read};

const VIEW: [f64; 4] = [0.0, 0.0, 10.0, 10.0];

fn check(name: &str, geometry: &str, expected: bool) {
    for json in [
        geometry.to_owned(),
        format!(r#"{{"type":"Feature","geometry":{geometry}}}"#),
        format!(r#"{{"type":"GeometryCollection","geometries":[{geometry}]}}"#),
        format!(r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","geometry":{geometry}}}]}}"#),
    ] {
        let document = read(&json);
        assert_eq!(document.shape().intersects(&bbox(VIEW)), expected, "{name}: {json}");
        assert_eq!(
            document.shape().members_inside(&bbox(VIEW)),
            if expected { vec![0] } else { vec![] },
            "{name}"
        );
    }
}

#[test]
fn a_hit_is_a_true_intersection_with_the_closed_box() {
    let point = |c: &str| format!(r#"{{"type":"Point","coordinates":{c}}}"#);
    let line = |c: &str| format!(r#"{{"type":"LineString","coordinates":{c}}}"#);
    let polygon = |c: &str| format!(r#"{{"type":"Polygon","coordinates":{c}}}"#);
    for (name, geometry, expected) in [
        ("point inside", point("[5,5]"), true),
        ("point with z", point("[5,5,-1e9]"), true),
        ("point outside", point("[11,5]"), false),
        ("point on an edge", point("[10,5]"), true),
        ("point on a corner", point("[0,10]"), true),
        ("point a hair outside", point("[10.000000000000002,5]"), false),
        ("points around", r#"{"type":"MultiPoint","coordinates":[[-1,5],[11,5],[5,-1],[5,11]]}"#.into(), false),
        ("one of two points", r#"{"type":"MultiPoint","coordinates":[[-1,5],[5,5]]}"#.into(), true),
        ("line across without a vertex inside", line("[[-5,5],[15,6]]"), true),
        ("line through a corner", line("[[-1,1],[1,-1]]"), true),
        ("line past a corner", line("[[-1,0.5],[0.5,-1]]"), false),
        ("line along an edge", line("[[-5,10],[15,10]]"), true),
        ("line around", line("[[-1,-1],[-1,11],[11,11],[11,-1]]"), false),
        ("line of one point inside", line("[[5,5]]"), true),
        ("line of one point outside", line("[[15,5]]"), false),
        ("line of two equal points inside", line("[[5,5],[5,5]]"), true),
        ("line of two equal points outside", line("[[15,5],[15,5]]"), false),
        (
            "second line across",
            r#"{"type":"MultiLineString","coordinates":[[[20,0],[20,9]],[[-5,5],[15,6]]]}"#.into(),
            true,
        ),
        ("lines on both sides", r#"{"type":"MultiLineString","coordinates":[[[20,0],[20,9]],[[-5,5],[-5,6]]]}"#.into(), false),
        ("polygon inside", polygon("[[[1,1],[2,1],[2,2],[1,1]]]"), true),
        ("polygon that covers the box", polygon("[[[-9,-9],[19,-9],[19,19],[-9,19],[-9,-9]]]"), true),
        ("polygon that is not closed covers too", polygon("[[[-9,-9],[19,-9],[19,19],[-9,19]]]"), true),
        ("polygon clockwise covers too", polygon("[[[-9,-9],[-9,19],[19,19],[19,-9],[-9,-9]]]"), true),
        ("polygon over one side", polygon("[[[-9,4],[-9,6],[19,6],[19,4],[-9,4]]]"), true),
        ("polygon touches a corner", polygon("[[[10,10],[20,10],[20,20],[10,10]]]"), true),
        ("polygon beside", polygon("[[[11,0],[20,0],[20,10],[11,0]]]"), false),
        ("polygon around with a bay", polygon("[[[-9,-9],[19,-9],[19,-1],[-1,-1],[-1,19],[-9,19],[-9,-9]]]"), false),
        (
            "box in a hole",
            polygon("[[[-9,-9],[19,-9],[19,19],[-9,19],[-9,-9]],[[-1,-1],[-1,11],[11,11],[11,-1],[-1,-1]]]"),
            false,
        ),
        (
            "box that fills a hole",
            polygon("[[[-9,-9],[19,-9],[19,19],[-9,19],[-9,-9]],[[0,0],[0,10],[10,10],[10,0],[0,0]]]"),
            true,
        ),
        (
            "hole in the box",
            polygon("[[[-9,-9],[19,-9],[19,19],[-9,19],[-9,-9]],[[4,4],[4,5],[5,5],[5,4],[4,4]]]"),
            true,
        ),
        ("polygon of one point", polygon("[[[5,5]]]"), true),
        ("polygon that is a line across", polygon("[[[-5,5],[15,5],[-5,5]]]"), true),
        (
            "second polygon covers",
            r#"{"type":"MultiPolygon","coordinates":[[[[20,20],[21,20],[20,21],[20,20]]],[[[-9,-9],[19,-9],[19,19],[-9,19],[-9,-9]]]]}"#.into(),
            true,
        ),
        (
            "one polygon's hole does not take from another",
            r#"{"type":"MultiPolygon","coordinates":[[[[-9,-9],[19,-9],[19,19],[-9,19],[-9,-9]],[[-1,-1],[-1,11],[11,11],[11,-1],[-1,-1]]],[],[[[4,4],[5,4],[4,5],[4,4]]]]}"#.into(),
            true,
        ),
        ("box is in the extent alone", line("[[-20,5],[5,30]]"), false),
    ] {
        check(name, &geometry, expected);
    }
}

#[test]
fn what_has_no_geometry_passes() {
    for json in [
        "5",
        r#"{"type":"Feature","geometry":null}"#,
        r#"{"type":"Circle","coordinates":[99,99]}"#,
        r#"{"type":"FeatureCollection","features":[]}"#,
        r#"{"type":"LineString","coordinates":[]}"#,
        "no JSON",
    ] {
        assert!(read(json).shape().intersects(&bbox(VIEW)), "{json}");
    }
}

#[test]
fn a_collection_passes_with_any_member_and_is_trimmed_to_those_that_pass() {
    let feature = |geometry: &str| format!(r#"{{"type":"Feature","geometry":{geometry}}}"#);
    let inside = feature(r#"{"type":"Point","coordinates":[5,5]}"#);
    let outside = feature(r#"{"type":"Point","coordinates":[50,5]}"#);
    let across = feature(r#"{"type":"LineString","coordinates":[[-5,5],[15,6]]}"#);
    let malformed = feature(r#"{"type":"Point","coordinates":["a","b"]}"#);
    let none = feature("null");
    for (features, members) in [
        (vec![&inside, &outside, &across], vec![0, 2]),
        (vec![&outside, &outside], vec![]),
        (vec![&outside, &none], vec![1]),
        (vec![&malformed, &outside], vec![0]),
    ] {
        let features = features.into_iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let document = read(&format!(r#"{{"type":"FeatureCollection","features":[{features}]}}"#));
        assert!(document.is_collection());
        assert_eq!(document.shape().members_inside(&bbox(VIEW)), members, "{features}");
        assert_eq!(document.shape().intersects(&bbox(VIEW)), !members.is_empty(), "{features}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_plain_way(json in random::document(), edges in random::bbox()) {
        let document = read(&json);
        prop_assert_eq!(document.shape().intersects(&bbox(edges)), oracle::document_hits(&json, edges));
        let value: serde_json::Value = json.parse().unwrap();
        if let Some(features) = value["features"].as_array() {
            let expected: Vec<usize> =
                (0..features.len()).filter(|&m| oracle::hits(&features[m], edges)).collect();
            prop_assert_eq!(document.shape().members_inside(&bbox(edges)), expected);
        }
    }
}

#[test]
fn a_shape_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<geocast_geo_filter::Shape>();
    shared::<geocast_geo_filter::Document>();
    let document = read(r#"{"type":"LineString","coordinates":[[-5,5],[15,6]]}"#);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(document.shape().intersects(&bbox(VIEW))));
        }
    });
}
