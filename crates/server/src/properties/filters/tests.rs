use std::hash::{BuildHasher, RandomState};

use geocast_geo_filter::Limits;
use geocast_protocol::rpc::{Call, Frame};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value as Json, json};

use super::*;

/// Filters as a client writes them in JSON-RPC.
fn filters(properties: &Json) -> PropertyFilters {
    let call =
        json!({ "jsonrpc": "2.0", "method": "viewport", "params": { "properties": properties } }).to_string();
    let Frame::Single(request) = Frame::read(&call, 1) else { panic!("{call}") };
    let Ok(Call::Viewport { properties: Some(filters), .. }) = request.call else { panic!("{call}") };
    PropertyFilters::new(&filters)
}

fn event(payload: &str) -> Event {
    Event::new("map".parse().expect("a channel"), payload.to_owned().into(), 1, &Limits::default())
}

fn feature(properties: &str) -> String {
    format!(r#"{{"type":"Feature","geometry":null,"properties":{properties}}}"#)
}

/// Whether a feature whose property `a` is written so passes.
fn passes(filters: &PropertyFilters, value: &str) -> bool {
    filters.matching(&event(&feature(&format!(r#"{{"b":1,"a":{value}}}"#)))) == Some(vec![0])
}

#[test]
fn values_are_compared_as_what_they_are() {
    for (wanted, passing, others) in [
        (json!("5"), &[r#""5""#, r#""\u0035""#][..], &["5", "5.0", "null", r#""05""#, r#"["5"]"#][..]),
        (json!(5), &["5", "5.0", "0.5e1", "50E-1"], &[r#""5""#, "6", "true", "[5]", "-5"]),
        (json!(0), &["0", "-0", "0.0", "-0.0e5"], &["1e-300", "false", "null"]),
        (json!(true), &["true"], &["false", r#""true""#, "1", "null"]),
        (json!(null), &["null"], &["0", "false", r#""null""#, "{}"]),
        (json!([1, "x", null]), &["1", r#""x""#, "null"], &["2", r#""1""#, "true"]),
        (json!([]), &[], &["1", "null", "[]", r#""""#]),
        (
            json!({ "min": 1, "max": 2 }),
            &["1", "2.0", "1.5"],
            &["0.999", "2.001", r#""1.5""#, "null", "1e999"],
        ),
        (json!({ "min": 1 }), &["1", "1e999"], &["-1e999", "0"]),
        (json!({ "max": null }), &["1", "-5"], &["true", r#""1""#]),
    ] {
        let filters = filters(&json!({ "a": wanted }));
        for value in passing {
            assert!(passes(&filters, value), "{wanted} of {value}");
        }
        for value in others {
            assert!(!passes(&filters, value), "{wanted} of {value}");
        }
    }
}

#[test]
fn what_is_written_also_means_numbers_and_booleans() {
    let written = PropertyFilters::written([("a", ["5", "true", "x", "null"])]);
    for value in ["5", r#""5""#, "true", r#""true""#, r#""x""#, r#""null""#] {
        assert!(passes(&written, value), "{value}");
    }
    for value in ["5.0", "false", "null", r#"["x"]"#] {
        assert!(!passes(&written, value), "{value}");
    }
}

#[test]
fn every_filter_must_pass_and_what_is_missing_does_not() {
    let both = filters(&json!({ "a": [1, 2], "b": "x" }));
    for (properties, passes) in [
        (r#"{"a":1,"b":"x"}"#, true),
        (r#"{"a":3,"a":2,"b":"x"}"#, true),
        (r#"{"a":1}"#, false),
        (r#"{"b":"x"}"#, false),
        (r#"{"a":1,"b":"y"}"#, false),
        ("{}", false),
        ("null", false),
    ] {
        let expected = if passes { vec![0] } else { Vec::new() };
        assert_eq!(both.matching(&event(&feature(properties))), Some(expected), "{properties}");
    }
}

#[test]
fn what_is_no_feature_is_not_judged() {
    let filters = filters(&json!({ "a": 1 }));
    let deleted = r#"{"deleted":true,"geometry":null,"id":"7","properties":null,"type":"Feature"}"#;
    for payload in [r#"{"a":1}"#, r#"{"type":"Point","coordinates":[1,2]}"#, "[1]", "7", "plain", deleted] {
        assert_eq!(filters.matching(&event(payload)), None, "{payload}");
    }
    for judged in [
        r#"{"deleted":true,"geometry":null,"properties":{"a":2},"type":"Feature"}"#,
        r#"{"deleted":"true","geometry":null,"properties":null,"type":"Feature"}"#,
    ] {
        assert_eq!(filters.matching(&event(judged)), Some(Vec::new()), "{judged}");
    }
}

#[test]
fn equal_filters_are_one() {
    let hash = {
        let state = RandomState::new();
        move |filters: &PropertyFilters| state.hash_one(filters)
    };
    let one = filters(&json!({ "b": { "min": 0 }, "a": ["x", 1, "y", 1.0] }));
    let same = filters(&json!({ "a": ["y", "x", 1], "b": { "max": null, "min": -0.0 } }));
    assert_eq!((&one, hash(&one)), (&same, hash(&same)));
    for other in [
        json!({ "a": ["y", "x", "1"], "b": { "min": 0 } }),
        json!({ "a": ["y", "x", 1], "b": { "max": 0 } }),
        json!({ "a": ["y", "x", 1] }),
        json!({}),
    ] {
        assert_ne!(one, filters(&other), "{other}");
    }
    assert!(filters(&json!({})).is_empty() && filters(&json!({})) == PropertyFilters::default());
    assert_ne!(PropertyFilters::written([("a", ["1"])]), filters(&json!({ "a": "1" })));
}

#[test]
fn properties_that_many_ask_for_are_read_all_the_same() {
    let names: Vec<String> = (0..100).map(|number| format!("p{number}")).collect();
    let members: Vec<String> = names.iter().map(|name| format!(r#""{name}":"{name}""#)).collect();
    let event = event(&feature(&format!("{{{}}}", members.join(","))));
    for _ in 0..2 {
        for name in &names {
            let is = |value: &str| PropertyFilters::written([(name, [value])]).matching(&event);
            assert_eq!((is(name), is("other")), (Some(vec![0]), Some(Vec::new())));
        }
    }
}

/// A scalar, as JSON.
fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Json::from),
        (-3..4).prop_map(Json::from),
        prop::sample::select(vec![0.5, -0.0, 2.0, 1e300]).prop_map(Json::from),
        prop::sample::select(vec!["", "1", "a", "true", "é\"\\"]).prop_map(Json::from),
    ]
}

fn test() -> impl Strategy<Value = Json> {
    let side = || prop_oneof![Just(Json::Null), (-3..4).prop_map(Json::from)];
    prop_oneof![
        scalar(),
        vec(scalar(), 0..4).prop_map(Json::from),
        (side(), side()).prop_map(|(min, max)| json!({ "min": min, "max": max })),
    ]
}

fn properties() -> impl Strategy<Value = Json> {
    let value = prop_oneof![4 => scalar(), 1 => Just(json!([1])), 1 => Just(json!({ "a": 1 }))];
    let object = prop::collection::btree_map("[abc]", value, 0..4).prop_map(|members| json!(members));
    prop_oneof![9 => object, 1 => Just(Json::Null)]
}

/// The rule, said again of trees.
fn is_passing(tests: &Json, properties: &Json) -> bool {
    tests.as_object().expect("an object").iter().all(|(name, test)| {
        let Some(value) = properties.get(name) else { return false };
        let equal = |one: &Json| match (one.as_f64(), value.as_f64()) {
            (Some(one), Some(value)) => one == value,
            (None, None) => one == value,
            _ => false,
        };
        match test {
            Json::Object(range) => value.as_f64().is_some_and(|value| {
                range["min"].as_f64().is_none_or(|min| min <= value)
                    && range["max"].as_f64().is_none_or(|max| value <= max)
            }),
            Json::Array(list) => list.iter().any(equal),
            scalar => equal(scalar),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn collections_are_judged_member_by_member(
        tests in prop::collection::btree_map("[abc]", test(), 0..3),
        members in vec(properties(), 0..6),
    ) {
        let tests = json!(tests);
        let filters = filters(&tests);
        let expected: Vec<usize> =
            (0..members.len()).filter(|member| is_passing(&tests, &members[*member])).collect();
        let features: Vec<Json> = members
            .iter()
            .map(|properties| json!({ "type": "Feature", "geometry": null, "properties": properties }))
            .collect();
        for (member, one) in features.iter().enumerate() {
            let passes = filters.matching(&event(&one.to_string())) == Some(vec![0]);
            prop_assert_eq!(passes, expected.contains(&member), "{} of {}", tests, one);
        }
        let collection = json!({ "type": "FeatureCollection", "features": features }).to_string();
        prop_assert_eq!(filters.matching(&event(&collection)), Some(expected), "{} of {}", tests, collection);
        prop_assert_eq!(&filters, &PropertyFilters::new(&filters.to_wire()));
    }
}
