use geocast_geo_filter::{Bbox, Decimals, Document, Kind, Limits, ReadError};
use proptest::prelude::*;

/// Reads a payload and does everything that can be done with it.
fn exercise(payload: &[u8]) -> Result<Document, ReadError> {
    let document = Document::read(payload, &Limits::default())?;
    check(payload, &document);
    Ok(document)
}

fn check(payload: &[u8], document: &Document) {
    let shape = document.shape();
    let unit = Bbox::try_from([0.0, 0.0, 1.0, 1.0]).unwrap();
    for bbox in [unit, Bbox::EVERYTHING].iter().chain(&shape.extent()) {
        let inside = shape.members_inside(bbox);
        assert_eq!(shape.members() > 0 && inside.is_empty(), !shape.intersects(bbox));
        let trimmed = document.trim(payload, &inside);
        let rewritten = document.rewrite(payload, shape, None, Decimals::METRES);
        for out in [Some(trimmed), rewritten].into_iter().flatten() {
            let again = Document::read(&out, &Limits::default()).unwrap();
            if document.kind() != Kind::Geographic {
                assert_eq!(out, payload);
            }
            assert!(again.kind() != Kind::Binary || document.kind() == Kind::Binary);
            assert!(again.kind() != Kind::Text || document.kind() == Kind::Text);
        }
    }
}

#[test]
fn ten_thousand_deep() {
    let deep = 10_000;
    for (open, close) in [
        ("[", "]"),
        (r#"{"a":"#, "}"),
        (r#"{"type":"GeometryCollection","geometries":["#, "]}"),
        (r#"{"type":"Feature","geometry":"#, "}"),
        (r#"{"type":"FeatureCollection","features":["#, "]}"),
        (r#"{"geometries":[{"geometry":"#, "}]}"),
        (r#"{"type":"Point","coordinates":["#, "]}"),
    ] {
        let nested = format!("{}1{}", open.repeat(deep), close.repeat(deep));
        assert_eq!(exercise(nested.as_bytes()).unwrap_err(), ReadError::TooDeep { limit: 32 }, "{open}");
        // The same without its end is not JSON.
        let open_ended = open.repeat(deep);
        assert_eq!(exercise(open_ended.as_bytes()).unwrap().kind(), Kind::Text, "{open}");
        let feature = format!(r#"{{"type":"Point","coordinates":[1,2],"x":{nested}}}"#);
        assert_eq!(exercise(feature.as_bytes()).unwrap_err(), ReadError::TooDeep { limit: 32 }, "{open}");
    }
}

#[test]
fn a_million_vertices() {
    let json = format!(r#"{{"type":"LineString","coordinates":[{}[1,2]]}}"#, "[1.5,2.5],".repeat(1_000_000));
    assert_eq!(exercise(json.as_bytes()).unwrap_err(), ReadError::TooManyVertices { limit: 100_000 });
    let exact = format!(r#"{{"type":"MultiPoint","coordinates":[{}[1,2]]}}"#, "[0,0],".repeat(99_999));
    assert_eq!(exercise(exact.as_bytes()).unwrap().shape().positions().len(), 100_000);
}

#[test]
fn a_number_of_a_million_digits() {
    let json = format!(r#"{{"type":"Point","coordinates":[0.{},2]}}"#, "1".repeat(1_000_000));
    assert_eq!(exercise(json.as_bytes()).unwrap().kind(), Kind::Geographic);
    let json = format!(r#"{{"type":"Point","coordinates":[{},2]}}"#, "1".repeat(1_000_000));
    assert!(exercise(json.as_bytes()).unwrap().shape().is_withheld(), "it is beyond the range of f64");
}

#[test]
fn a_payload_that_is_not_the_documents_harms_nobody() {
    let line = br#"{"type":"LineString","coordinates":[[1,2],[3,4]]}"#;
    let features = br#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":
        {"type":"Point","coordinates":[1,2]}},{"type":"Feature","geometry":null}]}"#;
    let payloads: [&[u8]; 5] = [line, features, b"", b"[1,2]", br#"{"features":[[],[],[]]}"#];
    for document in [&line[..], features] {
        let document = Document::read(document, &Limits::default()).unwrap();
        for payload in payloads {
            for shape in payloads.map(|shape| Document::read(shape, &Limits::default()).unwrap()) {
                let _ = document.rewrite(payload, shape.shape(), Some(&[1, 7]), Decimals::MAX);
                let _ = document.trim(payload, &[1, 7]);
            }
        }
    }
}

/// Pieces that documents are made of, good and bad.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"type\":",
    "\"coordinates\":",
    "\"geometry\":",
    "\"geometries\":[",
    "\"features\":[",
    "\"Point\"",
    "\"Polygon\"",
    "\"LineString\"",
    "\"Feature\"",
    "\"FeatureCollection\"",
    "\"GeometryCollection\"",
    "1",
    "-2.5",
    "1e999",
    "[1,2]",
    "[3,4,5]",
    "[[1,2],[3,4]]",
    "null",
    " ",
    "\"\\ud800\"",
    "\"\\\"",
    "NaN",
    "\u{feff}",
    "{\"type\":\"Point\",\"coordinates\":[0.5,0.5]}",
    "{\"type\":\"Feature\",\"geometry\":",
    "{\"type\":\"FeatureCollection\",\"features\":[",
    "]}",
    "}}",
];

/// Whether a text is JSON, asked of another parser.
fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn pieces_never_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..14)) {
        let text = pieces.concat();
        if let Ok(document) = exercise(text.as_bytes()) {
            prop_assert_eq!(document.kind() != Kind::Text, is_json(text.as_bytes()), "{}", text);
        }
    }

    #[test]
    fn damaged_documents_never_panic(seed in 0..SEEDS.len(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let mut payload = SEEDS[seed].as_bytes().to_vec();
        let at = at.index(payload.len());
        if cut { payload.remove(at); } else { payload[at] = byte; }
        if let Ok(document) = exercise(&payload) {
            let utf8 = std::str::from_utf8(&payload).is_ok();
            prop_assert_eq!(document.kind() == Kind::Binary, !utf8);
            prop_assert_eq!(matches!(document.kind(), Kind::Json | Kind::Geographic), utf8 && is_json(&payload));
        }
    }

    #[test]
    fn bytes_never_panic(payload in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = exercise(&payload);
    }
}

const SEEDS: &[&str] = &[
    r#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[7.45,46.95,540.0]},"properties":{"a":[1,{"b":"\"x\\"}]}}"#,
    r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,0]]]}}, {"type":"Feature","geometry":null}]}"#,
    r#"{"geometries":[{"coordinates":[[1,2],[-3e-1,4]],"type":"LineString"},{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[0,1],[0,0]]]]}],"type":"GeometryCollection"}"#,
];
