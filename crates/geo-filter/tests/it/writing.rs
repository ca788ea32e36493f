//! Coordinates with fewer decimals, and lines with fewer positions.

use std::{
    f64::consts::{FRAC_PI_4, PI},
    time::{Duration, Instant},
};

use geocast_geo_filter::{Decimals, Document, Limits, MapLength, Writing};
use proptest::prelude::*;

use crate::random;

fn written(json: &str, writing: impl for<'a> Fn(&'a Document) -> Writing<'a>) -> String {
    let document = crate::read(json);
    let out = document.write(json.as_bytes(), None, &writing(&document));
    String::from_utf8(out.expect("something remains")).expect("a text")
}

fn decimals(digits: u8) -> Decimals {
    Decimals::try_from(digits).expect("not too many")
}

/// So many degrees at the equator.
fn degrees(degrees: f64) -> MapLength {
    MapLength::try_from(degrees * 111_319.490_793).expect("a length")
}

fn simplified(json: &str, tolerance: f64) -> String {
    written(json, |document| Writing::as_they_came().simplified(document.shape(), degrees(tolerance)))
}

#[test]
fn numbers_that_are_too_long_are_rounded_and_others_stay() {
    let json = r#"{"type":"Feature","bbox":[1.23456,2],"geometry":{"type":"LineString","coordinates":[[1.23456 , 5.00, 1.23456],[ 1.2350,1e1,null ],[-0.001,1234.5e-3]]},"properties":{"a":1.23456}}"#;
    for (digits, expected) in [
        (2, "[[1.23 , 5.00, 1.23456],[ 1.24,1e1,null ],[0,1.23]]"),
        (0, "[[1 , 5, 1.23456],[ 1,1e1,null ],[0,1]]"),
        (4, "[[1.2346 , 5.00, 1.23456],[ 1.2350,1e1,null ],[-0.001,1234.5e-3]]"),
        (15, "[[1.23456 , 5.00, 1.23456],[ 1.2350,1e1,null ],[-0.001,1234.5e-3]]"),
    ] {
        let rounded = written(json, |_| Writing::as_they_came().with_at_most(decimals(digits)));
        let coordinates = "[[1.23456 , 5.00, 1.23456],[ 1.2350,1e1,null ],[-0.001,1234.5e-3]]";
        assert_eq!(rounded, json.replace(coordinates, expected), "{digits}");
    }
    let twice = Writing::as_they_came().with_at_most(decimals(1)).with_at_most(decimals(4));
    assert!(written(json, |_| twice).contains("[[1.2 , 5, 1.23456]"));
    let beyond = r#"{"type":"Point","coordinates":[1e999,1.55]}"#;
    assert_eq!(
        written(beyond, |_| Writing::as_they_came().with_at_most(decimals(1))),
        beyond.replace("1.55", "1.6")
    );
    assert_eq!(written("[1.55]", |_| Writing::as_they_came().with_at_most(decimals(1))), "[1.55]");
}

#[test]
fn a_shape_has_no_more_decimals_than_it_would_have() {
    let json = r#"{"type":"Point","coordinates":[1.23456,2]}"#;
    let document = crate::read(json);
    let moved = document.shape().map(|[x, y]| [x + 100.0, y / 3.0]);
    let writing = Writing::at(&moved, Decimals::METRES);
    for (writing, expected) in [
        (writing, "[101.235,0.667]"),
        (writing.with_at_most(decimals(1)), "[101.2,0.7]"),
        (writing.with_at_most(decimals(8)), "[101.235,0.667]"),
    ] {
        let out = document.write(json.as_bytes(), None, &writing).expect("it is finite");
        assert_eq!(String::from_utf8(out).expect("a text"), json.replace("[1.23456,2]", expected));
    }
}

#[test]
fn positions_go_with_the_separator_before_them() {
    let line = |coordinates: &str| format!(r#"{{"coordinates":{coordinates},"type":"LineString"}}"#);
    for (coordinates, expected) in [
        ("[[0,0],[1,0],[2,0]]", "[[0,0],[2,0]]"),
        ("[ [0.0,0] , [1,0, 7] ,\n[ 2 , 0e0 , 9 ] ]", "[ [0.0,0] ,\n[ 2 , 0e0 , 9 ] ]"),
        ("[[0,0],[1,0.1],[2,0],[3,0],[4,1]]", "[[0,0],[3,0],[4,1]]"),
        ("[[0,0],[1,0]]", "[[0,0],[1,0]]"),
        ("[[0,0]]", "[[0,0]]"),
        ("[[0,0],[0,0],[0,0]]", "[[0,0],[0,0]]"),
        ("[[4000,0],[4001,0],[4002,0]]", "[[4000,0],[4001,0],[4002,0]]"),
        ("[[0,0],[1,0],[1e999,0]]", "[[0,0],[1,0],[1e999,0]]"),
    ] {
        assert_eq!(simplified(&line(coordinates), 0.5), line(expected), "{coordinates}");
    }
}

#[test]
fn each_line_and_ring_is_simplified_for_itself_and_points_are_not() {
    let geometries = |line: &str, ring: &str, points: &str| {
        format!(
            r#"{{"type":"GeometryCollection","geometries":[{{"type":"MultiPoint","coordinates":{points}}},{{"type":"MultiLineString","coordinates":[{line}, {line},[]]}},{{"type":"Polygon","coordinates":[{ring}]}},{{"type":"MultiPolygon","coordinates":[[{ring},{ring}],[{ring}]]}}]}}"#
        )
    };
    let points = "[[0,0],[1,0],[2,0]]";
    let long = "[[0,0],[0,1],[0,2],[2,2],[2,1],[2,0],[1,0.1],[0,0]]";
    let json = geometries(points, long, points);
    assert_eq!(
        simplified(&json, 0.5),
        geometries("[[0,0],[2,0]]", "[[0,0],[0,2],[2,2],[2,0],[0,0]]", points)
    );
    let small: serde_json::Value = simplified(&json, 100.0).parse().expect("JSON");
    assert_eq!(small["geometries"][2]["coordinates"][0].as_array().map(Vec::len), Some(4));
}

#[test]
fn what_is_written_elsewhere_is_measured_on_the_map() {
    let json = r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":[[0,0],[1,0],[2,0]]}},{"type":"Feature","geometry":{"type":"LineString","coordinates":[[0,0],[1,0,5],[2,0]]}}]}"#;
    let document = crate::read(json);
    // Here it bends, on the map it does not.
    let moved = document.shape().map(|[x, _]| [x + 100.0, x * x]);
    let writing = Writing::at(&moved, Decimals::METRES).simplified(document.shape(), degrees(0.1));
    let out = document.write(json.as_bytes(), Some(&[1]), &writing).expect("it is finite");
    assert_eq!(
        String::from_utf8(out).expect("a text"),
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":[[100,0],[102,4]]}}]}"#
    );
    let gone = document.write(json.as_bytes(), Some(&[]), &Writing::as_they_came());
    assert_eq!(gone, None);
}

#[test]
fn a_line_made_for_it_takes_no_longer_than_others() {
    // What is farthest is next to an end each time, so that one position at a time is cut off.
    let position = |index: u32| {
        let x = (1.0 - f64::from(index) / 100_001.0) * if index.is_multiple_of(2) { 90.0 } else { -90.0 };
        format!("[{x},{}]", index % 7)
    };
    let positions: Vec<String> = (0..100_000).map(position).collect();
    let json = format!(r#"{{"type":"LineString","coordinates":[{}]}}"#, positions.join(","));
    let begun = Instant::now();
    let out = simplified(&json, 1e-5);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(out.matches(",[").count() > 99_000);
}

/// Lines whose positions have their number for a height.
fn numbered(lines: &[Vec<[f64; 2]>]) -> String {
    let mut number = 0;
    let mut position = |[x, y]: &[f64; 2]| {
        number += 1;
        format!("[ {x:.3},{y:e} , {number}]")
    };
    let lines = lines.iter().map(|line| line.iter().map(&mut position).collect::<Vec<_>>().join(" ,"));
    let lines: Vec<String> = lines.map(|line| format!("[{line}]")).collect();
    format!(r#"{{"type":"MultiLineString","coordinates":[{}]}}"#, lines.join(","))
}

/// Web Mercator as it stands in textbooks.
fn on_the_map([longitude, latitude]: [f64; 2]) -> [f64; 2] {
    let x = 6_378_137.0 * longitude * PI / 180.0;
    [x, 6_378_137.0 * (FRAC_PI_4 + latitude * PI / 360.0).tan().ln()]
}

/// The distance to a line between two places, by the triangle's area where the place is beside it.
fn distance(place: [f64; 2], from: [f64; 2], to: [f64; 2]) -> f64 {
    let length = |[x1, y1]: [f64; 2], [x2, y2]: [f64; 2]| (x2 - x1).hypot(y2 - y1);
    let (a, b, c) = (length(place, from), length(place, to), length(from, to));
    if c == 0.0 || a * a >= b * b + c * c || b * b >= a * a + c * c {
        return a.min(b);
    }
    let cross = (to[0] - from[0]) * (place[1] - from[1]) - (to[1] - from[1]) * (place[0] - from[0]);
    cross.abs() / c
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_further_from_what_is_sent_than_the_tolerance(
        lines in prop::collection::vec(
            prop::collection::vec((-179.0..179.0_f64, -84.0..84.0_f64).prop_map(|(x, y)| [x, y]), 2..30), 1..4,
        ),
        tolerance in 0.5..90.0_f64,
    ) {
        let json = numbered(&lines);
        let out: serde_json::Value = simplified(&json, tolerance).parse().expect("JSON");
        let source: serde_json::Value = json.parse().expect("JSON");
        let tolerance = degrees(tolerance).metres() * (1.0 + 1e-9) + 1e-6;
        let positions = |value: &serde_json::Value, line: usize| -> Vec<[f64; 3]> {
            serde_json::from_value(value["coordinates"][line].clone()).expect("positions")
        };
        for line in 0..lines.len() {
            let (all, left) = (positions(&source, line), positions(&out, line));
            prop_assert!(left.len() >= 2 && left[0] == all[0] && left.last() == all.last());
            let mut from = 0;
            for pair in left.windows(2) {
                let of = |wanted: &[f64; 3]| all.iter().position(|position| position == wanted).expect("it is one of them");
                let to = of(&pair[1]);
                prop_assert!(of(&pair[0]) == from && to > from);
                for [x, y, _] in &all[from..=to] {
                    let [from, to] = [&pair[0], &pair[1]].map(|[x, y, _]| on_the_map([*x, *y]));
                    prop_assert!(distance(on_the_map([*x, *y]), from, to) <= tolerance);
                }
                from = to;
            }
        }
    }

    /// What stays has the bytes that it had.
    #[test]
    fn positions_stay_byte_for_byte(
        line in prop::collection::vec((-179.0..179.0_f64, -84.0..84.0_f64).prop_map(|(x, y)| [x, y]), 2..30),
        tolerance in 0.5..90.0_f64,
    ) {
        let json = numbered(&[line]);
        let inner = |json: &str| -> Vec<String> {
            let (_, inner) = json.split_once("[[[").expect("a line");
            inner.trim_end_matches("]]]}").split("] ,[").map(str::to_owned).collect()
        };
        let (all, left) = (inner(&json), inner(&simplified(&json, tolerance)));
        let mut rest = all.iter();
        prop_assert!(left.iter().all(|position| rest.any(|known| known == position)), "{left:?} of {all:?}");
    }

    /// All kinds of documents are still documents of the same kind, with fewer positions and shorter numbers.
    #[test]
    fn documents_stay_what_they_were(
        json in random::document(), digits in 0..3_u8, tolerance in 0.01..9.0_f64, keep in any::<u64>(),
    ) {
        let document = Document::read(json.as_bytes(), &Limits::default()).expect("within limits");
        let members: Vec<usize> = (0..document.shape().members()).filter(|m| keep >> m & 1 == 1).collect();
        let trimmed = String::from_utf8(document.trim(json.as_bytes(), &members)).expect("a text");
        let writing =
            Writing::as_they_came().with_at_most(decimals(digits)).simplified(document.shape(), degrees(tolerance));
        let Some(out) = document.write(json.as_bytes(), Some(&members), &writing) else {
            prop_assert!(document.is_collection() && members.is_empty());
            return Ok(());
        };
        let (out, trimmed) = (serde_json::from_slice(&out).expect("JSON"), trimmed.parse().expect("JSON"));
        check_thinner(&trimmed, &out, digits);
    }
}

/// The same but for positions of lines that are not there any more, and numbers of coordinates that are shorter.
fn check_thinner(source: &serde_json::Value, out: &serde_json::Value, digits: u8) {
    use serde_json::Value::{Array, Object};
    match (source, out) {
        (Object(source), Object(out)) => {
            assert_eq!(source.keys().collect::<Vec<_>>(), out.keys().collect::<Vec<_>>());
            for (name, value) in source {
                match (name.as_str(), source.get("type").and_then(|kind| kind.as_str())) {
                    ("coordinates", Some(kind)) => check_coordinates(kind, value, &out[name], digits),
                    ("properties", _) => assert_eq!(value, &out[name]),
                    _ => check_thinner(value, &out[name], digits),
                }
            }
        }
        (Array(source), Array(out)) => {
            assert_eq!(source.len(), out.len());
            source.iter().zip(out).for_each(|(source, out)| check_thinner(source, out, digits));
        }
        _ => assert_eq!(source, out),
    }
}

fn check_coordinates(kind: &str, source: &serde_json::Value, out: &serde_json::Value, digits: u8) {
    let each = |kind: &str| {
        let (source, out) = (source.as_array().expect("an array"), out.as_array().expect("an array"));
        assert_eq!(source.len(), out.len());
        source.iter().zip(out).for_each(|(source, out)| check_coordinates(kind, source, out, digits));
    };
    let fewest = match kind {
        "MultiPoint" => return each("Point"),
        "MultiLineString" => return each("LineString"),
        "Polygon" => return each("Ring"),
        "MultiPolygon" => return each("Polygon"),
        "LineString" => 2,
        "Ring" => 4,
        _ => usize::MAX,
    };
    if kind == "Point" {
        for (source, out) in
            source.as_array().expect("a position").iter().zip(out.as_array().expect("a position"))
        {
            let (source, out) = (source.as_f64().expect("a number"), out.as_f64().expect("a number"));
            assert!((source - out).abs() <= 0.500_001 * 10_f64.powi(-i32::from(digits)), "{source} {out}");
            let scaled = out * 10_f64.powi(i32::from(digits));
            assert!((scaled - scaled.round()).abs() < 1e-9, "{out} has more than {digits} decimals");
        }
        return;
    }
    let (source, out) = (source.as_array().expect("an array"), out.as_array().expect("an array"));
    assert!(out.len() >= source.len().min(fewest) && out.len() <= source.len(), "{kind} of {}", out.len());
    if let (Some(first), Some(last)) = (source.first(), source.last()) {
        check_coordinates("Point", first, &out[0], digits);
        check_coordinates("Point", last, &out[out.len() - 1], digits);
    }
}
