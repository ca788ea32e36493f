use geocast_geo_filter::{Document, Limits};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn square(left: f64, bottom: f64, size: f64) -> Value {
    let (right, top) = (left + size, bottom + size);
    json!([[[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]]])
}

fn within(coordinates: &Value) -> Value {
    json!({ "within": { "type": "Polygon", "coordinates": coordinates } })
}

fn rights(claim: &Value) -> Result<Rights, String> {
    Rights::read(&claim.to_string()).map_err(|error| error.to_string())
}

fn event(payload: &[u8]) -> Event {
    let channel = "map".parse().expect("a channel");
    Event::new(channel, payload.to_vec().into(), 1, &Limits::default())
}

#[test]
fn a_claim_that_is_not_understood_is_none_to_be_passed_over() {
    let sound = within(&square(0.0, 0.0, 10.0));
    assert!(rights(&sound).is_ok());
    let with = |name: &str, value: Value| {
        let mut claim = sound.clone();
        claim[name] = value;
        claim
    };
    for (claim, said) in [
        (json!({}), "has none of"),
        (json!(null), "cannot be read"),
        (json!([]), "cannot be read"),
        (json!([{ "type": "Polygon", "coordinates": square(0.0, 0.0, 1.0) }]), "cannot be read"),
        (json!({ "within": ["Polygon", square(0.0, 0.0, 1.0)] }), "cannot be read"),
        (json!("CH"), "cannot be read"),
        (with("whithin", json!(1)), "unknown field `whithin`"),
        (with("within", json!(null)), "cannot be read"),
        (with("within", json!({ "type": "Point", "coordinates": [1, 2] })), "unknown variant `Point`"),
        (json!({ "within": { "type": "Polygon" } }), "missing field `coordinates`"),
        (json!({ "within": { "type": "Polygon", "coordinates": [[1, 2]] } }), "cannot be read"),
        (json!({ "within": { "type": "Polygon", "coordinates": [[[1]]] } }), "a longitude and a latitude"),
        (json!({ "within": { "type": "Polygon", "coordinates": [[["1", 2]]] } }), "cannot be read"),
        (json!({ "within": { "type": "Polygon", "coordinates": [] } }), "three are needed"),
        (json!({ "within": { "type": "MultiPolygon", "coordinates": [] } }), "nothing in it"),
        (
            json!({ "within": { "type": "Polygon", "coordinates": square(0.0, 0.0, 1.0), "crs": {} } }),
            "unknown field `crs`",
        ),
        (within(&json!([[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]])), "cross"),
        (within(&json!([[[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]])), "antimeridian"),
        (within(&square(85.0, 85.0, 10.0)), "is no longitude"),
        (with("max_area", json!(0)), "`max_area` 0"),
        (with("max_area", json!(-1)), "`max_area` -1"),
        (with("max_area", json!("1")), "cannot be read"),
        (with("properties", json!({})), "names none"),
        (with("properties", json!(["line"])), "must be an object"),
        (with("properties", json!({ "line": { "min": 1, "mix": 2 } })), "min and max"),
        (with("properties", json!({ "line": [[1]] })), "`properties`"),
        (with("zoom", json!([5])), "cannot be read"),
        (with("zoom", json!([5, 4])), "from 5 to 4"),
        (with("zoom", json!([1, 2, 3])), "cannot be read"),
    ] {
        let said_so = rights(&claim).expect_err("it is wrong");
        assert!(said_so.contains(said), "{claim}: {said_so}");
    }
    for text in [
        r#"{"max_area":1,"max_area":1000000}"#,
        r#"{"max_area":1e999}"#,
        r#"{"max_area":NaN}"#,
        r#"{"within":{"type":"Polygon","coordinates":[[[0,0],[NaN,0],[1,1],[0,0]]]}}"#,
        r#"{"within":{"type":"Polygon","coordinates":[[[0,0],[1e999,0],[1,1],[0,0]]]}}"#,
        r#"{"zoom":[-1e999,5]}"#,
        "",
        "{",
    ] {
        assert!(Rights::read(text).is_err(), "{text}");
    }
}

#[test]
fn too_much_is_refused_before_anything_is_made_of_it() {
    let ring = |count: u32| {
        let position = |at: u32| {
            let angle = f64::from(at % count) / f64::from(count) * std::f64::consts::TAU;
            [angle.cos(), angle.sin()]
        };
        json!([(0..=count).map(position).collect::<Vec<_>>()])
    };
    assert!(rights(&within(&ring(1023))).is_ok());
    assert!(rights(&within(&ring(1024))).expect_err("it is too much").contains("1025 positions"));
    assert!(rights(&within(&ring(1_000_000))).expect_err("it is too much").contains("1000001 positions"));
    let many =
        json!({ "within": { "type": "MultiPolygon", "coordinates": vec![square(0.0, 0.0, 1.0); 65] } });
    assert!(rights(&many).expect_err("it is too much").contains("65 polygons"));
}

#[test]
fn equal_claims_are_equal_rights_and_kept_once() {
    let known = KnownRights::default();
    let one = known.read(r#"{"zoom":[1,2],"max_area":5}"#).expect("a claim");
    assert!(Arc::ptr_eq(&one, &known.read(r#"{"zoom":[1,2],"max_area":5}"#).expect("a claim")));
    assert_eq!(one, known.read(r#"{ "max_area":5, "zoom":[1,2] }"#).expect("a claim"));
    assert_ne!(one, known.read(r#"{"zoom":[1,2],"max_area":6}"#).expect("a claim"));
    for count in 0..10_000 {
        known.read(&format!(r#"{{"max_area":{}}}"#, count + 1)).expect("a claim");
    }
    assert!(known.len() < 100, "{} are remembered that nobody has", known.len());
    assert!(Arc::ptr_eq(&one, &known.read(r#"{"zoom":[1,2],"max_area":5}"#).expect("a claim")));
}

#[test]
fn what_was_read_lately_is_not_read_again() {
    let known = KnownRights::default();
    let read =
        |area: u32| Arc::downgrade(&known.read(&format!(r#"{{"max_area":{area}}}"#)).expect("a claim"));
    let first = read(1);
    for area in 2..=16 {
        read(area);
    }
    let again = read(1);
    assert!(again.ptr_eq(&first) && first.strong_count() == 1, "nobody else has it");
    read(17);
    assert_eq!(first.strong_count(), 0);
}

#[test]
fn what_has_no_geometry_passes_if_no_coordinate_can_be_in_it() {
    let rights = rights(&within(&square(0.0, 0.0, 10.0))).expect("a claim");
    let outside = r#"{"type":"Point","coordinates":[20,5]}"#;
    for (payload, passes) in [
        (&b"reload"[..], true),
        (b"", true),
        (b"\"closed\"", true),
        (br#"{"state":"closed"}"#, true),
        (br#"{"type":"FeatureCollection","features":[]}"#, true),
        (br#"{"type":"Feature","geometry":null,"properties":{"name":"S"}}"#, true),
        (br#"{"type":"Feature","id":7,"geometry":null,"properties":null,"deleted":true}"#, true),
        (br#"{"type":"Feature","id":"7","geometry":null,"deleted":true,"properties":{}}"#, true),
        (br#"{"type":"Feature","id":"7","geometry":null,"deleted":true,"properties":{"x":20}}"#, false),
        (br#"{"type":"Feature","id":"7","geometry":null,"deleted":true,"bbox":[20,5,20,5]}"#, false),
        (br#"{"type":"Feature","id":[20,5],"geometry":null,"deleted":true}"#, false),
        (br#"{"type":"Feature","id":"7","geometry":null,"deleted":false}"#, false),
        (br#"{"type":"Feature","id":7,"geometry":null}"#, false),
        (br#"["Feature","20 5",null,null,true]"#, false),
        (b"7", false),
        (b"20, 5", false),
        ("\u{662}\u{660}".as_bytes(), false),
        (b"[20,5]", false),
        (br#"{"lon":20,"lat":5}"#, false),
        (br#""\u0032\u0030""#, false),
        // What is no GeoJSON, but nearly.
        (br#"{"type":"Point","coordinates":[20,5],}"#, false),
        (br#"{"type":"Pont","coordinates":[20,5]}"#, false),
        (br#"{"content":{"type":"Point","coordinates":[20,5]}}"#, false),
        (&[b"\xef\xbb\xbf", outside.as_bytes()].concat(), false),
        (&[b"\xfftext\n", outside.as_bytes()].concat(), false),
        (&[b"\xffbytes\n", outside.as_bytes()].concat(), false),
        (b"\xff\xfe", false),
        (b"\xffbytes\n\x01\x02", false),
    ] {
        let shown = String::from_utf8_lossy(payload);
        assert_eq!(rights.see(&event(payload)).is_some(), passes, "{shown}");
    }
}

#[test]
fn what_stands_twice_or_where_it_does_not_belong_is_not_sent() {
    let rights = rights(&within(&square(0.0, 0.0, 10.0))).expect("a claim");
    let (inside, outside) =
        (r#"{"type":"Point","coordinates":[5,5]}"#, r#"{"type":"Point","coordinates":[20,5]}"#);
    for (payload, passes) in [
        (format!(r#"{{"type":"Feature","geometry":{inside}}}"#), true),
        (format!(r#"{{"type":"Feature","geometry":{outside},"geometry":{inside}}}"#), false),
        (format!(r#"{{"type":"Feature","geometry":{inside},"geometry":{outside}}}"#), false),
        (format!(r#"{{"type":"Feature","ge\u006fmetry":{outside},"geometry":{inside}}}"#), false),
        (r#"{"type":"Point","coordinates":[20,5],"coordinates":[5,5]}"#.to_owned(), false),
        (format!(r#"{{"type":"Feature","geometry":{inside},"features":[{outside}]}}"#), false),
        (
            format!(
                r#"{{"type":"Feature","geometry":{{"type":"GeometryCollection","geometries":[{inside}],"features":[{outside}]}}}}"#
            ),
            false,
        ),
        (
            format!(
                r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","geometry":{inside},"coordinates":[20,5]}}]}}"#
            ),
            false,
        ),
        (
            format!(
                r#"{{"type":"FeatureCollection","features":[{outside}],"features":[{{"type":"Feature","geometry":{inside}}}]}}"#
            ),
            false,
        ),
    ] {
        assert_eq!(rights.see(&event(payload.as_bytes())).is_some(), passes, "{payload}");
    }
}

#[test]
fn of_two_lists_of_features_only_the_one_that_was_judged_is_sent() {
    let rights = rights(&json!({ "properties": { "line": "S1" } })).expect("a claim");
    let list = |line: &str| format!(r#""features":[{{"type":"Feature","properties":{{"line":"{line}"}}}}]"#);
    let collection =
        |lists: &[String]| event(format!(r#"{{"type":"FeatureCollection",{}}}"#, lists.join(",")).as_bytes());
    assert_eq!(rights.see(&collection(&[list("S1")])), Some(Permitted::All));
    assert_eq!(rights.see(&collection(&[list("S3"), list("S1")])), Some(Permitted::Members(vec![0])));
    assert_eq!(rights.see(&collection(&[list("S1"), list("S3")])), None);
}

#[test]
fn what_its_publisher_says_is_no_feature_is_not_judged_as_one() {
    let rights = rights(&json!({ "properties": { "line": "S1" } })).expect("a claim");
    let feature = br#"{"type":"Feature","geometry":null,"properties":{"line":"S1"}}"#;
    for (mark, passes) in [(&b""[..], true), (b"\xfftext\n", false), (b"\xffbytes\n", false)] {
        assert_eq!(rights.see(&event(&[mark, feature].concat())).is_some(), passes, "{mark:?}");
    }
}

#[test]
fn a_collection_is_trimmed_to_what_is_within() {
    let rights = rights(&within(&square(0.0, 0.0, 10.0))).expect("a claim");
    let limit = self::rights(&json!({ "max_area": 5 })).expect("a claim");
    let collection = |places: &[Option<f64>]| {
        let features: Vec<Value> = places
            .iter()
            .map(|x| json!({ "type": "Feature", "geometry": x.map(|x| json!({ "type": "Point", "coordinates": [x, 5] })) }))
            .collect();
        event(json!({ "type": "FeatureCollection", "features": features }).to_string().as_bytes())
    };
    for (places, seen, seen_anywhere) in [
        (&[Some(1.0), Some(2.0)][..], Some(Permitted::All), Some(Permitted::All)),
        (&[Some(1.0), Some(12.0)], Some(Permitted::Members(vec![0])), Some(Permitted::All)),
        (&[None, Some(2.0)], Some(Permitted::Members(vec![1])), Some(Permitted::Members(vec![1]))),
        (&[Some(11.0), Some(12.0)], None, Some(Permitted::All)),
    ] {
        assert_eq!(rights.see(&collection(places)), seen, "{places:?}");
        assert_eq!(limit.see(&collection(places)), seen_anywhere, "{places:?}");
    }
}

#[test]
fn features_are_limited_by_their_properties() {
    let claim = |limits: Value| rights(&limits).expect("a claim");
    let lines = claim(json!({ "properties": { "line": ["S1", "S2"], "delay": { "max": 5 } } }));
    let both =
        claim(json!({ "properties": { "line": "S1" }, "within": within(&square(0.0, 0.0, 10.0))["within"] }));
    assert!(!lines.need_viewport());
    let feature = |line: &str, delay: i32, x: Option<f64>| {
        let geometry = x.map(|x| json!({ "type": "Point", "coordinates": [x, 5] }));
        json!({ "type": "Feature", "geometry": geometry, "properties": { "line": line, "delay": delay } })
    };
    let collection = |features: &[Value]| json!({ "type": "FeatureCollection", "features": features });
    let (inside, outside) = (Some(5.0), Some(20.0));
    let bare = json!({ "type": "Point", "coordinates": [5, 5] });
    let notice = json!({ "type": "Feature", "id": 7, "geometry": null, "deleted": true });
    let telling = json!({ "type": "Feature", "geometry": null, "properties": { "line": "S3", "delay": 1 }, "deleted": true });
    for (payload, by_lines, by_both) in [
        (feature("S1", 5, inside), Some(Permitted::All), Some(Permitted::All)),
        (feature("S1", 5, outside), Some(Permitted::All), None),
        (feature("S1", 5, None), Some(Permitted::All), None),
        (feature("S1", 6, inside), None, Some(Permitted::All)),
        (feature("S3", 1, inside), None, None),
        (json!({ "type": "Feature", "geometry": bare, "properties": null }), None, None),
        (bare, None, None),
        (notice, Some(Permitted::All), Some(Permitted::All)),
        (telling, None, None),
        (json!("S1 is late"), None, None),
        (json!("late"), Some(Permitted::All), Some(Permitted::All)),
        (
            collection(&[feature("S1", 1, outside), feature("S3", 1, inside), feature("S1", 9, inside)]),
            Some(Permitted::Members(vec![0])),
            Some(Permitted::Members(vec![2])),
        ),
        (collection(&[feature("S3", 1, inside)]), None, None),
        (
            collection(&[feature("S3", 1, None), feature("S2", 1, None)]),
            Some(Permitted::Members(vec![1])),
            None,
        ),
        (
            collection(&[feature("S1", 1, inside), feature("S1", 2, inside)]),
            Some(Permitted::All),
            Some(Permitted::All),
        ),
        (collection(&[]), Some(Permitted::All), Some(Permitted::All)),
        (json!({ "type": "FeatureCollection", "features": [], "lines": ["S3 at 20, 5"] }), None, None),
    ] {
        let event = event(payload.to_string().as_bytes());
        assert_eq!(lines.see(&event), by_lines, "{payload}");
        assert_eq!(both.see(&event), by_both, "{payload}");
    }
}

#[test]
fn viewports_have_bounds() {
    let rights = rights(&json!({ "max_area": 12_400, "zoom": [6, 18.5] })).expect("a claim");
    assert!(rights.need_viewport());
    let check = |edges: &[[f64; 4]]| {
        let boxes: Vec<Bbox> = edges.iter().map(|edges| Bbox::try_from(*edges).expect("a box")).collect();
        rights.check_area(&boxes).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(check(&[[8.0, 0.0, 9.0, 1.0]]), Ok(()));
    assert_eq!(
        check(&[[8.0, 0.0, 9.1, 1.0]]),
        Err("the viewport has 13539.3 km², more than the 12400 km² that the token allows".to_owned())
    );
    assert!(check(&[[8.0, 0.0, 9.0, 1.0], [10.0, 0.0, 10.1, 1.0]]).is_err());
    assert!(check(&[Bbox::EVERYTHING.to_array()]).is_err());
    for (zoom, fits) in [
        (Some(6.0), true),
        (Some(18.5), true),
        (Some(5.99), false),
        (Some(19.0), false),
        (Some(f64::NAN), false),
        (None, false),
    ] {
        assert_eq!(rights.check_zoom(zoom).is_ok(), fits, "{zoom:?}");
    }
}

/// Objects with the members that GeoJSON knows, some of them twice and some where they do not belong. What is outside has a 20
/// in it.
fn object() -> impl Strategy<Value = String> {
    let types = ["Point", "LineString", "GeometryCollection", "Feature", "FeatureCollection", "Pont"];
    let places = ["[1,2]", "[20,2]", "[[1,2],[3,4]]", "[[1,2],[20,4]]", "[20]", "[]", "null"];
    let kind = prop::sample::select(types.to_vec()).prop_map(|kind| format!(r#""type":"{kind}""#));
    let place = prop::sample::select(places.to_vec()).prop_map(|place| format!(r#""coordinates":{place}"#));
    let object = |members: Vec<String>| format!("{{{}}}", members.join(","));
    let geometry = prop::collection::vec(prop_oneof![kind.clone(), place.clone()], 1..4).prop_map(object);
    let sound = prop::sample::select(vec!["[1,2]", "[3,4]", "[20,2]"])
        .prop_map(|place| format!(r#"{{"type":"Point","coordinates":{place}}}"#));
    prop_oneof![geometry, sound].prop_recursive(4, 24, 3, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3).prop_map(|list| list.join(","));
        let member = prop_oneof![
            kind.clone(),
            place.clone(),
            inner.clone().prop_map(|value| format!(r#""geometry":{value}"#)),
            list.clone().prop_map(|list| format!(r#""geometries":[{list}]"#)),
            list.clone().prop_map(|list| format!(r#""features":[{list}]"#)),
        ];
        let feature = inner.prop_map(|value| format!(r#"{{"type":"Feature","geometry":{value}}}"#));
        let collection =
            list.prop_map(|list| format!(r#"{{"type":"FeatureCollection","features":[{list}]}}"#));
        prop_oneof![prop::collection::vec(member, 1..5).prop_map(object), feature, collection]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_stands_where_geometry_may_stand_is_sent_from_outside(payload in object()) {
        thread_local!(static RIGHTS: Rights = rights(&within(&square(0.0, 0.0, 10.0))).expect("a claim"));
        let event = event(payload.as_bytes());
        let sent = match RIGHTS.with(|rights| rights.see(&event)) {
            None => Vec::new(),
            Some(Permitted::All) => event.payload().to_vec(),
            Some(Permitted::Members(members)) => {
                let document = event.document().expect("it was judged");
                Document::features_alone(&document.trim(event.payload(), &members))
            }
        };
        prop_assert!(!String::from_utf8_lossy(&sent).contains("20"));
    }
}
