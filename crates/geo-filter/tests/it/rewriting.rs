use geocast_geo_filter::{Decimals, Document, Limits};
use proptest::prelude::*;

use crate::random;

const COLLECTION: &str = r#"{"features": [ {"type":"Feature","id":0,"geometry":{"type":"Point","coordinates":[1,2]}} ,
  {"type":"Feature","id":1,"geometry":null},{"type":"Feature","id":2,"geometry":{"type":"LineString","coordinates":[[3,4],[5,6]]}}
 ],"type":"FeatureCollection","note":"[,]"}"#;

fn shifted(json: &str, members: Option<&[usize]>) -> Option<String> {
    let document = crate::read(json);
    let shape = document.shape().map(|[x, y]| [x + 100.0, y + 0.5]);
    let out = document.rewrite(json.as_bytes(), &shape, members, Decimals::METRES)?;
    Some(String::from_utf8(out).unwrap())
}

#[test]
fn only_x_and_y_change() {
    for (json, expected) in [
        (r#"{"type":"Point","coordinates":[1,2]}"#, r#"{"type":"Point","coordinates":[101,2.5]}"#),
        (
            " {\"bbox\":[1,2,1,2] , \"coordinates\" : [ 1.000 ,\n\t-2e0 , 7.10, 12345678901234567890 ],\"type\":\"Point\", \"n\":7.10}\n",
            " {\"bbox\":[1,2,1,2] , \"coordinates\" : [ 101 ,\n\t-1.5 , 7.10, 12345678901234567890 ],\"type\":\"Point\", \"n\":7.10}\n",
        ),
        (
            r#"{"type":"GeometryCollection","geometries":[{"type":"MultiLineString","coordinates":[[[0,0],[1,1]],[]]},{"type":"Point","coordinates":[]},{"coordinates":[[[[0,0],[1,0,9],[0,1],[0,0]]]],"type":"MultiPolygon"}]}"#,
            r#"{"type":"GeometryCollection","geometries":[{"type":"MultiLineString","coordinates":[[[100,0.5],[101,1.5]],[]]},{"type":"Point","coordinates":[]},{"coordinates":[[[[100,0.5],[101,0.5,9],[100,1.5],[100,0.5]]]],"type":"MultiPolygon"}]}"#,
        ),
        (
            r#"{"type":"Feature","properties":{"coordinates":[1,2],"geometry":{"type":"Point","coordinates":[1,2]}},"geometry":{"type":"Point","coordinates":[1,2]}}"#,
            r#"{"type":"Feature","properties":{"coordinates":[1,2],"geometry":{"type":"Point","coordinates":[1,2]}},"geometry":{"type":"Point","coordinates":[101,2.5]}}"#,
        ),
        ("\"text\"", "\"text\""),
    ] {
        assert_eq!(shifted(json, None).unwrap(), expected);
    }
}

#[test]
fn features_are_cut_out_with_their_commas() {
    let document = crate::read(COLLECTION);
    let trim = |members: &[usize]| String::from_utf8(document.trim(COLLECTION.as_bytes(), members)).unwrap();
    assert_eq!(trim(&[0, 1, 2]), COLLECTION);
    let feature = [
        r#"{"type":"Feature","id":0,"geometry":{"type":"Point","coordinates":[1,2]}}"#,
        r#"{"type":"Feature","id":1,"geometry":null}"#,
        r#"{"type":"Feature","id":2,"geometry":{"type":"LineString","coordinates":[[3,4],[5,6]]}}"#,
    ];
    let tail = "\n ],\"type\":\"FeatureCollection\",\"note\":\"[,]\"}";
    for (members, middle) in [
        (vec![], String::new()),
        (vec![0], feature[0].to_owned()),
        (vec![1], feature[1].to_owned()),
        (vec![2], feature[2].to_owned()),
        (vec![0, 1], format!("{} ,\n  {}", feature[0], feature[1])),
        (vec![2, 0], format!("{},{}", feature[0], feature[2])),
        (vec![1, 2], format!("{},{}", feature[1], feature[2])),
    ] {
        assert_eq!(trim(&members), format!("{{\"features\": [ {middle}{tail}"), "{members:?}");
    }
    let rewritten = shifted(COLLECTION, Some(&[1, 2])).unwrap();
    let line = feature[2].replace("[[3,4],[5,6]]", "[[103,4.5],[105,6.5]]");
    assert_eq!(rewritten, format!("{{\"features\": [ {},{line}{tail}", feature[1]));
    assert_eq!(shifted(COLLECTION, Some(&[])), None);
}

#[test]
fn the_last_of_two_features_members_is_the_one_that_is_trimmed() {
    let json = r#"{"features":[{"a":[1]},2],"type":"FeatureCollection","\u0066eatures":[{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}},{"type":"Feature","geometry":null}]}"#;
    let out = crate::read(json).trim(json.as_bytes(), &[1]);
    assert_eq!(
        std::str::from_utf8(&out).unwrap(),
        r#"{"features":[{"a":[1]},2],"type":"FeatureCollection","\u0066eatures":[{"type":"Feature","geometry":null}]}"#
    );
}

#[test]
fn nothing_leaves_that_is_not_finite() {
    let point = r#"{"type":"Point","coordinates":[1,2]}"#;
    let document = crate::read(point);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let shape = document.shape().map(|[x, _]| [x, bad]);
        assert!(shape.is_withheld());
        assert_eq!(shape.extent(), None);
        assert!(!shape.intersects(&geocast_geo_filter::Bbox::EVERYTHING));
        assert_eq!(document.rewrite(point.as_bytes(), &shape, None, Decimals::METRES), None);
    }

    let document = crate::read(COLLECTION);
    let shape = document.shape().map(|[x, y]| if x == 5.0 { [f64::NAN, y] } else { [x, y] });
    assert_eq!(shape.withheld(), [2]);
    assert!(!shape.is_withheld());
    assert_eq!(shape.members_inside(&geocast_geo_filter::Bbox::EVERYTHING), [0, 1]);
    for members in [None, Some(&[0, 1, 2][..])] {
        let out = document.rewrite(COLLECTION.as_bytes(), &shape, members, Decimals::METRES).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("\"id\":1") && !out.contains("\"id\":2") && !out.contains("NaN"), "{out}");
    }
    assert_eq!(document.rewrite(COLLECTION.as_bytes(), &shape, Some(&[2]), Decimals::METRES), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Numbers that are written as we write them come back as they were, and so does every other byte.
    #[test]
    fn identity_keeps_every_byte(json in random::document()) {
        let document = Document::read(json.as_bytes(), &Limits::default()).unwrap();
        let out = document.rewrite(json.as_bytes(), document.shape(), None, Decimals::DEGREES).unwrap();
        prop_assert_eq!(String::from_utf8(out).unwrap(), json);
    }

    /// What another parser reads from the rewritten document is what it reads from the source, but for x and y.
    #[test]
    fn another_parser_agrees(json in random::document(), keep in any::<u64>()) {
        let document = Document::read(json.as_bytes(), &Limits::default()).unwrap();
        let members: Vec<usize> = (0..document.shape().members()).filter(|m| keep >> m & 1 == 1).collect();
        let mut expected: serde_json::Value = json.parse().unwrap();
        if let Some(features) = expected.get_mut("features").and_then(|f| f.as_array_mut()) {
            let mut index = 0;
            features.retain(|_| { index += 1; members.contains(&(index - 1)) });
        }
        let out = document.trim(json.as_bytes(), &members);
        prop_assert_eq!(&serde_json::from_slice::<serde_json::Value>(&out).unwrap(), &expected);
    }
}
