use geocast_geo_filter::{Bbox, Decimals, Document, Kind, Limits, ReadError};

fn check(payload: impl AsRef<[u8]>, expected: Kind) {
    let payload = payload.as_ref();
    let document = Document::read(payload, &Limits::default()).unwrap();
    assert_eq!(document.kind(), expected, "{}", String::from_utf8_lossy(payload));
    assert_eq!(document.shape().positions().is_empty(), expected != Kind::Geographic);
}

#[test]
fn all_geometry_types_are_geographic() {
    for geometry in [
        r#"{"type":"Point","coordinates":[1,2]}"#,
        r#"{"type":"Point","coordinates":[1,2,3]}"#,
        r#"{"type":"Point","coordinates":[1,2,3,4]}"#,
        r#"{"type":"Point","coordinates":[1,2,null]}"#,
        r#"{"type":"MultiPoint","coordinates":[[1,2],[3,4]]}"#,
        r#"{"type":"LineString","coordinates":[[1,2],[3,4,5]]}"#,
        r#"{"type":"LineString","coordinates":[[1,2]]}"#,
        r#"{"type":"MultiLineString","coordinates":[[[1,2],[3,4]],[[5,6],[7,8]]]}"#,
        r#"{"type":"Polygon","coordinates":[[[0,0],[9,0],[0,9],[0,0]],[[1,1],[2,1],[1,2],[1,1]]]}"#,
        r#"{"type":"MultiPolygon","coordinates":[[[[0,0],[9,0],[0,9],[0,0]]],[]]}"#,
        r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}"#,
        r#"{"type":"GeometryCollection","geometries":[{"type":"GeometryCollection","geometries":
            [{"type":"LineString","coordinates":[]},{"type":"Point","coordinates":[1,2]}]}]}"#,
    ] {
        check(geometry, Kind::Geographic);
        check(format!(r#"{{"type":"Feature","properties":null,"geometry":{geometry}}}"#), Kind::Geographic);
        check(
            format!(
                r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","geometry":{geometry}}}]}}"#
            ),
            Kind::Geographic,
        );
    }
}

#[test]
fn member_order_escapes_and_duplicates_are_as_for_a_json_parser() {
    check(r#" {"coordinates":[1,2],"x":{"type":"Feature"},"type":"Point"} "#, Kind::Geographic);
    check(r#"{"geometry":{"coordinates":[1,2],"type":"Point"},"type":"Feature"}"#, Kind::Geographic);
    check(r#"{"\u0074ype":"\u0050oint","coordin\u0061tes":[1,2]}"#, Kind::Geographic);
    check(r#"{"type":"Point","coordinates":[1],"coordinates":[1,2]}"#, Kind::Geographic);
    check(r#"{"type":"Point","coordinates":[1,2],"coordinates":[1]}"#, Kind::Json);
    check(r#"{"type":"Point","coordinates":[1,2],"type":"Circle"}"#, Kind::Json);
    check(
        r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"geometry":null}"#,
        Kind::Json,
    );
    check(r#"{"\ud800":1,"type":"Point","coordinates":[1,2]}"#, Kind::Geographic);
    check(r#"{"id":"\ud800","type":"Point","coordinates":[1,2]}"#, Kind::Geographic);
    let json = r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},
                   "geometry":{"type":"Point","coordinates":[3,4]}}"#;
    assert_eq!(crate::read(json).shape().positions(), [[3.0, 4.0]]);
}

#[test]
fn a_number_that_is_too_large_is_in_no_box() {
    for json in [
        r#"{"type":"Point","coordinates":[1e999,2]}"#,
        r#"{"type":"LineString","coordinates":[[1,2],[1,-1e999]]}"#,
    ] {
        let document = crate::read(json);
        assert!(document.shape().is_withheld() && !document.shape().intersects(&Bbox::EVERYTHING), "{json}");
        assert_eq!(document.rewrite(json.as_bytes(), document.shape(), None, Decimals::METRES), None);
    }
}

#[test]
fn what_has_no_position_is_json() {
    for json in [
        "null",
        "true",
        "5",
        "1e999",
        r#""text""#,
        r#""\ud800""#,
        "[]",
        "{}",
        "[1,2]",
        r#"{"type":"Feature","geometry":null}"#,
        r#"{"type":"Feature"}"#,
        r#"{"type":"Feature","geometry":5}"#,
        r#"{"type":"Feature","geometry":"\ud800"}"#,
        r#"{"type":"Feature","geometry":{"type":"Circle","coordinates":[1,2]}}"#,
        r#"{"type":"Feature","geometry":{"type":"Feature","geometry":null}}"#,
        r#"{"type":"point","coordinates":[1,2]}"#,
        r#"{"type":["Point"],"coordinates":[1,2]}"#,
        r#"{"type":"Point"}"#,
        r#"{"type":"Point","coordinates":[]}"#,
        r#"{"type":"Point","coordinates":null}"#,
        r#"{"type":"Point","coordinates":[1]}"#,
        r#"{"type":"Point","coordinates":["1","2"]}"#,
        r#"{"type":"Point","coordinates":[[1,2]]}"#,
        r#"{"type":"Point","coordinates":{"x":1,"y":2}}"#,
        r#"{"type":"LineString","coordinates":[]}"#,
        r#"{"type":"LineString","coordinates":[1,2]}"#,
        r#"{"type":"Polygon","coordinates":[[]]}"#,
        r#"{"type":"MultiPolygon","coordinates":[[[[1,2],[3]]]]}"#,
        r#"{"type":"GeometryCollection","geometries":[]}"#,
        r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},null]}"#,
        r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},
            {"type":"Point","coordinates":[1]}]}"#,
        r#"{"type":"FeatureCollection","features":[]}"#,
        r#"{"type":"FeatureCollection","features":{"type":"Feature"}}"#,
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null},7]}"#,
        r#"{"type":"FeatureCollection","features":[{"type":"Point","coordinates":[1,2]}]}"#,
        r#"{"type":"Topology","objects":{}}"#,
    ] {
        check(json, Kind::Json);
    }
}

#[test]
fn what_is_not_json_is_text_or_binary() {
    for text in [
        "",
        " ",
        "hello",
        "{",
        "[1,]",
        "NaN",
        "Infinity",
        "01",
        "1.",
        ".5",
        "+1",
        "'a'",
        "{}{}",
        "[1 2]",
        "nul",
        "\u{feff}{}",
        r#"{"type":"Point","coordinates":[NaN,1]}"#,
        r#"{"type":"Point","coordinates":[1,2]"#,
        r#"{"type":"Point","coordinates":[1,2]},"#,
        r#"{"type":"Point","coordinates":[-inf,2]}"#,
        r#"{"type":"Point","coordinates":[0x1,2]}"#,
        r#"{"type":"Point","coordinates":[1_0,2]}"#,
        r#"{"type":"Point","coordinates":[1.e5,2]}"#,
        r#"{"a":"\x"}"#,
        "{\"a\":\"\u{0}\"}",
        "\"tab\there\"",
    ] {
        check(text, Kind::Text);
    }
    check(b"\xff\xfe", Kind::Binary);
    check(b"{\"a\":\"\xc3\x28\"}", Kind::Binary);
    check(b"{\"type\":\"Point\",\"coordinates\":[1,2],\"x\":\"\xed\xa0\x80\"}", Kind::Binary);
}

#[test]
fn limits_hold_for_the_whole_document() {
    let nested = |depth: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
    check(nested(32), Kind::Json);
    let error = Document::read(nested(33).as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(error, ReadError::TooDeep { limit: 32 });
    assert_eq!(error.to_string(), "JSON nests deeper than 32");

    let point = |depth: usize| {
        format!(
            r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":[1,2]}},"properties":{}}}"#,
            nested(depth)
        )
    };
    check(point(31), Kind::Geographic);
    assert!(Document::read(point(32).as_bytes(), &Limits::default()).is_err());
    // Brackets in a string do not count, however many there are.
    check(format!(r#"{{"a":"{}"}}"#, "[{".repeat(500)), Kind::Json);

    let limits = Limits::default().with_depth(3).with_vertices(3);
    let line = |count: usize| {
        format!(r#"{{"type":"LineString","coordinates":[{}]}}"#, ["[1,2]"; 9][..count].join(","))
    };
    assert!(Document::read(line(3).as_bytes(), &limits).is_ok());
    let error = Document::read(line(4).as_bytes(), &limits).unwrap_err();
    assert_eq!(error.to_string(), "geometry has more than 3 vertices");
    let polygon = br#"{"type":"Polygon","coordinates":[[[1,2]]]}"#;
    assert_eq!(Document::read(polygon, &limits).unwrap_err(), ReadError::TooDeep { limit: 3 });
    // What is no geometry has no vertices.
    let foreign = line(4).replace("LineString", "Topology");
    assert_eq!(Document::read(foreign.as_bytes(), &limits).unwrap().kind(), Kind::Json);
}
