use geo::BoundingRect;
use geojson::GeoJson;
use proptest::prelude::*;

use crate::random;

fn extent_of(geojson: &GeoJson) -> [f64; 4] {
    let geometry: geo::GeometryCollection<f64> = geojson.try_into().unwrap();
    let rect = geometry.bounding_rect().unwrap();
    [rect.min().x, rect.min().y, rect.max().x, rect.max().y]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn is_what_geojson_and_geo_say(json in random::document()) {
        let expected = extent_of(&json.parse().unwrap());
        prop_assert_eq!(crate::read(&json).shape().extent().unwrap().to_array(), expected);
    }
}

#[test]
fn numbers_are_read_to_the_last_bit() {
    for token in [
        "0.1",
        "7.451451451451451451451",
        "1e-320",
        "123456789.123456789",
        "-0.0",
        "9007199254740993",
        "1E+2",
    ] {
        let json = format!(r#"{{"type":"Point","coordinates":[{token},1]}}"#);
        let expected: f64 = token.parse().unwrap();
        assert_eq!(crate::read(&json).shape().positions()[0][0].to_bits(), expected.to_bits(), "{token}");
    }
}

#[test]
fn a_member_without_geometry_makes_the_extent_unbounded() {
    let json = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}},{"type":"Feature","geometry":null}]}"#;
    assert_eq!(crate::read(json).shape().extent(), None);
    assert_eq!(crate::read("null").shape().extent(), None);
}
