use std::sync::{Arc, LazyLock};

use geocast_geo_filter::{AxisOrder, Catalogue, Limits, Transform};
use geocast_hub::Interest;
use geocast_protocol::{Number, text::Members};
use serde_json::Value;

use super::{Sight, Window, Withheld};
use crate::{
    AbsentClientReference, Event, Happening,
    deflate::Deflate,
    dialect::{AnyDialect, Text},
    session::{Naming, Thinning, Viewport, Wishes},
};

const ZURICH: &str = r#"{"type":"Point","coordinates":[8.54,47.38,408.0]}"#;
const BERN_AND_ZURICH: &str = r#"{"type":"FeatureCollection","features":[
    {"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[7.45,46.95]}},
    {"type":"Feature","id":2,"geometry":{"type":"Point","coordinates":[8.54,47.38]}}]}"#;
const POLE: &str = r#"{"type":"Point","coordinates":[0,95]}"#;

thread_local! {
    static DIALECT: AnyDialect = AnyDialect::new(Text::new(AbsentClientReference::Null));
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load().unwrap());

fn transform(code: u32) -> Arc<Transform> {
    let (from, to) = (CATALOGUE.crs(4326).unwrap(), CATALOGUE.crs(code).unwrap());
    Arc::new(Transform::new(from, to, AxisOrder::Xy).unwrap())
}

fn sight(output: Option<u32>, window: Option<([f64; 4], Option<u32>, Members)>) -> Sight {
    let window = window.map(|(edges, crs, members)| {
        let known = CATALOGUE.crs(crs.unwrap_or(4326)).unwrap();
        let region = CATALOGUE.region(known, AxisOrder::Xy, edges).unwrap();
        Arc::new(Window::new(
            Viewport { corners: edges, region, crs: known, members, zoom: None, naming: Naming::next() },
            crs.map(transform),
        ))
    });
    Sight { output: output.map(transform), window, ..Sight::of_everything(DIALECT.with(AnyDialect::clone)) }
}

fn event(payload: &str) -> Happening {
    let limits = Limits::default().with_vertices(3);
    Arc::new(Event::new("map".parse().unwrap(), payload.to_owned().into(), 1, &limits)).into()
}

/// The content that a subscriber with this sight gets, or why it gets none.
fn content(sight: &Sight, payload: &str) -> Result<Value, Withheld> {
    let event = event(payload);
    let frame = Sight::render(&event, &sight.decide(&event)?)?;
    let mut envelope: Value = serde_json::from_slice(&frame.payloads().next().unwrap()).unwrap();
    Ok(envelope["content"].take())
}

fn ids(content: Result<Value, Withheld>) -> Result<Vec<u64>, Withheld> {
    let features = content?["features"].take();
    Ok(features.as_array().unwrap().iter().map(|feature| feature["id"].as_u64().unwrap()).collect())
}

#[test]
fn a_window_decides() {
    let switzerland = Some(([5.9, 45.8, 10.5, 47.8], None, Members::Whole));
    let iceland = Some(([-25.0, 63.0, -13.0, 67.0], None, Members::Whole));
    assert!(content(&sight(None, switzerland), ZURICH).is_ok());
    assert_eq!(content(&sight(None, iceland), ZURICH), Err(Withheld::Outside));
    for placeless in [r#"{"type":"Feature","geometry":null}"#, "[1,2]", "\"text\"", "no JSON"] {
        assert!(content(&sight(Some(3857), iceland), placeless).is_ok(), "{placeless}");
    }
}

#[test]
fn a_window_in_metres_is_the_same_window() {
    let around_zurich = ([948_000.0, 6_000_000.0, 955_000.0, 6_010_000.0], Some(3857), Members::Whole);
    assert!(content(&sight(None, Some(around_zurich)), ZURICH).is_ok());
    assert_eq!(
        content(&sight(None, Some(around_zurich)), BERN_AND_ZURICH.replace("8.54", "9.54").as_str()),
        Err(Withheld::Outside),
    );
}

#[test]
fn members_are_kept_whole_or_by_place() {
    let zurich = |members| Some(([8.0, 47.0, 9.0, 48.0], None, members));
    assert_eq!(ids(content(&sight(None, zurich(Members::Whole)), BERN_AND_ZURICH)), Ok(vec![1, 2]));
    assert_eq!(ids(content(&sight(None, zurich(Members::Inside)), BERN_AND_ZURICH)), Ok(vec![2]));
    assert_eq!(ids(content(&sight(Some(3857), zurich(Members::Inside)), BERN_AND_ZURICH)), Ok(vec![2]));
    let nowhere = Some(([0.0, 0.0, 1.0, 1.0], None, Members::Inside));
    assert_eq!(ids(content(&sight(None, nowhere), BERN_AND_ZURICH)), Err(Withheld::Outside));
}

#[test]
fn coordinates_are_projected_and_their_height_stays() {
    let projected = content(&sight(Some(3857), None), ZURICH).unwrap();
    let coordinates: Vec<f64> = serde_json::from_value(projected["coordinates"].clone()).unwrap();
    // echo 8.54 47.38 | cs2cs -f %.3f +proj=longlat +datum=WGS84 +to EPSG:3857
    assert_eq!(coordinates, [950_668.451, 6_004_321.825, 408.0]);
}

#[test]
fn what_cannot_be_sent_is_withheld_for_its_reason() {
    assert_eq!(content(&sight(Some(3857), None), POLE), Err(Withheld::Unprojectable));
    assert!(content(&sight(None, None), POLE).is_ok(), "nothing is to be projected");
    let line = r#"{"type":"LineString","coordinates":[[1,1],[2,2],[3,3],[4,4]]}"#;
    assert_eq!(content(&sight(None, None), line), Err(Withheld::TooManyVertices));
    assert_eq!(
        content(&sight(None, None), &format!("{}{}", "[".repeat(33), "]".repeat(33))),
        Err(Withheld::TooDeep)
    );
}

#[test]
fn forms_differ_by_system_and_members_alone() {
    let (one, two) = (sight(Some(3857), None), sight(Some(3857), None));
    let event = event(ZURICH);
    assert!(one.decide(&event) == two.decide(&event), "two transforms to one system");
    assert!(one.decide(&event) != sight(Some(2056), None).decide(&event));
    assert!(one.decide(&event) != sight(None, None).decide(&event));
}

#[test]
fn all_who_ask_for_the_same_fields_share_one_rendering() {
    let with = |names: &[&str], window| {
        let fields = Some(names.iter().copied().collect());
        Sight { wishes: Wishes { fields, ..Wishes::default() }, ..sight(None, window) }
    };
    let zurich = Some(([8.0, 47.0, 9.0, 48.0], None, Members::Whole));
    let (event, text) = (event(ZURICH), event("plain text"));
    let (one, elsewhere) = (with(&["a", "b"], None), with(&["b", "a", "b"], zurich));
    assert!(one.decide(&event) == elsewhere.decide(&event));
    for other in [with(&["a"], None), with(&[], None), sight(None, None)] {
        assert!(one.decide(&event) != other.decide(&event));
        assert!(one.decide(&text) == other.decide(&text), "it has no properties");
        assert!(one != other && !one.renders_like(&other));
    }
    assert!(one == with(&["b", "a"], None), "one cohort");
}

#[test]
fn all_who_ask_for_the_same_detail_share_one_rendering() {
    let number = |number: f64| Number::try_from(number).unwrap();
    let with = |zoom, precision: Option<&str>, [tolerance, min_move]: [Option<f64>; 2], window| {
        let pixels = |pixels: Option<f64>| pixels.map(|pixels| number(pixels).try_into().unwrap());
        let precision = precision.map(|precision| precision.parse().unwrap());
        let thinning = Thinning::new(Some(number(zoom)), precision, pixels(tolerance), pixels(min_move));
        Sight { wishes: Wishes { thinning: thinning.unwrap(), ..Wishes::default() }, ..sight(None, window) }
    };
    let zurich = Some(([8.0, 47.0, 9.0, 48.0], None, Members::Whole));
    let line = event(r#"{"type":"LineString","coordinates":[[8.5,47.5],[8.6,47.6]]}"#);
    let (point, text) = (event(ZURICH), event("plain text"));
    let one = with(9.0, Some("5"), [Some(1.0), None], None);
    for same in [
        with(9.0, Some("5"), [Some(1.0), None], zurich),
        with(8.5, Some("5"), [Some(1.0), None], None),
        with(10.0, Some("5"), [Some(2.0), None], None),
        with(9.0, Some("5"), [Some(1.0), Some(7.0)], None),
    ] {
        assert!(one.decide(&line) == same.decide(&line));
    }
    for other in [with(9.5, Some("5"), [Some(1.0), None], None), with(9.0, Some("5"), [None, None], None)] {
        assert!(one.decide(&line) != other.decide(&line));
        assert!(one.decide(&point) == other.decide(&point), "it has no lines");
        assert!(one.decide(&text) == other.decide(&text), "it has no coordinates");
        assert!(one != other && !one.renders_like(&other));
    }
    for other in [with(9.0, Some("6"), [Some(1.0), None], None), sight(None, None)] {
        assert!(one.decide(&point) != other.decide(&point));
        assert!(one.decide(&text) == other.decide(&text), "it has no coordinates");
        assert!(one != other && !one.renders_like(&other));
    }
    assert!(one == with(9.0, Some("5"), [Some(1.0), None], None), "one cohort");
    let moving = with(9.0, Some("5"), [Some(1.0), Some(7.0)], None);
    assert!(one != moving && !one.renders_like(&moving), "what they have is not the same");
}

#[test]
fn all_who_take_an_event_compressed_share_one_rendering() {
    let compressed = || Sight { deflate: Some(Deflate::with_threshold(100)), ..sight(None, None) };
    let zurich = Some(([8.0, 47.0, 9.0, 48.0], None, Members::Whole));
    let elsewhere = Sight { deflate: compressed().deflate, ..sight(None, zurich) };
    let (event, plain) = (event(ZURICH), sight(None, None));
    assert!(compressed().decide(&event) == elsewhere.decide(&event));
    assert!(compressed().decide(&event) != plain.decide(&event));
    assert!(compressed() == compressed() && compressed() != plain, "one cohort each");
}

#[test]
fn a_compressed_rendering_says_the_same() {
    let plain = sight(Some(3857), None);
    let compressed = Sight { deflate: Some(Deflate::with_threshold(100)), ..plain.clone() };
    let event = event(ZURICH);
    let payload = |sight: &Sight| {
        let frame = Sight::render(&event, &sight.decide(&event).unwrap()).unwrap();
        (frame.bytes()[0], frame.payloads().next().unwrap())
    };
    let ((first, expected), (first_compressed, bytes)) = (payload(&plain), payload(&compressed));
    assert_eq!((first, first_compressed), (0x81, 0xc1));
    let mut inflated = Vec::with_capacity(1_000);
    let mut inflate = flate2::Decompress::new(false);
    inflate.decompress_vec(&bytes, &mut inflated, flate2::FlushDecompress::Sync).unwrap();
    assert_eq!(inflated, expected);
}
