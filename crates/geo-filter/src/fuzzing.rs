//! What must hold for any payload, and for any use of the index, for fuzzers.

use serde::de::IgnoredAny;

use crate::document::read_carefully;
pub use crate::index::law::viewport_index;
use crate::{Bbox, Decimals, Document, Kind, Limits, MapLength, ReadError, Shape, Writing, reader};

/// Reads a payload and does all that can be done with it.
///
/// # Panics
/// When something does not hold.
pub fn geojson(payload: &[u8]) {
    if let Ok(text) = std::str::from_utf8(payload) {
        both_ways_agree(text);
    }
    check_limits(payload);
    let Ok(document) = Document::read(payload, &Limits::default()) else { return };
    let utf8 = std::str::from_utf8(payload).is_ok();
    assert_eq!(document.kind() == Kind::Binary, !utf8);
    assert_eq!(document.kind() == Kind::Text, utf8 && !is_json(payload));
    let shape = document.shape();
    assert_eq!(document.kind() == Kind::Geographic, !shape.positions().is_empty());
    check_extent(shape);
    for bbox in boxes(shape) {
        check_box(shape, &bbox);
        check_trim(payload, &document, &shape.members_inside(&bbox));
    }
    check_trim(payload, &document, &(0..shape.members()).step_by(2).collect::<Vec<_>>());
    check_shift(payload, &document);
    check_withheld(payload, &document);
    check_thinned(payload, &document);
}

/// Reads the properties of a payload's features, and leaves some of them out.
///
/// # Panics
/// When something does not hold.
pub fn geojson_properties(payload: &[u8]) {
    let Ok(document) = Document::read(payload, &Limits::default()) else { return };
    let Some(properties) = document.properties(payload) else { return };
    if document.kind() == Kind::Geographic {
        assert_eq!(properties.members(), document.shape().members());
    }
    check_reduced(payload, &document, |_| false);
    check_reduced(payload, &document, |name| name.len() % 2 == 0);
    check_reduced(payload, &document, |name| name == "id");
    check_reduced(payload, &document, |_| true);
    if document.is_collection() {
        let alone = Document::features_alone(payload);
        assert!(is_json(&alone), "{}", alone.escape_ascii());
        let again = Document::read(&alone, &Limits::default()).expect("it is within the limits");
        assert_eq!(again.shape().members(), document.shape().members());
        assert_eq!(again.shape().positions(), document.shape().positions());
    }
}

/// Properties that are kept are what they were, the others are gone, and so is nothing else.
fn check_reduced(payload: &[u8], document: &Document, is_kept: fn(&str) -> bool) {
    let Some(out) = document.reduce(payload, is_kept) else { return };
    assert!(out.len() < payload.len() && is_json(&out), "{}", out.escape_ascii());
    let again = Document::read(&out, &Limits::default()).expect("it is within the limits");
    assert_eq!(again.shape().positions(), document.shape().positions());
    let (before, after) = (document.properties(payload), again.properties(&out));
    let (before, after) = (before.expect("it is a feature"), after.expect("it still is"));
    for name in ["", "a", "id", "ab"] {
        let kept = if is_kept(name) { before.values(payload, name) } else { Vec::new() };
        assert_eq!(after.values(&out, name), kept, "{name} of {}", out.escape_ascii());
    }
    assert_eq!(again.reduce(&out, is_kept), None, "once is enough");
}

/// Holds the quick way of reading against the careful one; says whether the quick one took the document.
pub(crate) fn both_ways_agree(text: &str) -> bool {
    let limits = Limits { depth: 9, vertices: 6 };
    let Some(quick) = reader::read(text, &limits) else { return false };
    let careful = read_carefully(text, &limits).expect("it is within the limits").expect("it is JSON");
    assert_eq!(quick.positions, careful.positions, "{text}");
    if !quick.positions.is_empty() {
        assert_eq!(quick.structure, careful.structure, "{text}");
    }
    true
}

/// What a tight limit lets pass keeps to it and is read as it is without one; what it refuses does not keep to it.
fn check_limits(payload: &[u8]) {
    let tight = Limits { depth: 6, vertices: 5 };
    let openings = payload.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    match (Document::read(payload, &tight), Document::read(payload, &Limits::default())) {
        (Ok(document), loose) => {
            assert!(document.shape().positions().len() <= tight.vertices);
            let value = serde_json::from_slice(payload);
            assert!(value.map_or(0, |value| depth(&value)) <= tight.depth);
            let loose = loose.expect("a wider limit refuses nothing more");
            assert_eq!(document.kind(), loose.kind());
            assert_eq!(document.shape().positions(), loose.shape().positions());
        }
        (Err(ReadError::TooDeep { limit }), _) => assert!(limit == tight.depth && openings > limit),
        (Err(ReadError::TooManyVertices { limit }), loose) => {
            assert_eq!(limit, tight.vertices);
            // Vertices that were counted and then found to be part of something malformed have gone.
            assert!(loose.is_err() || openings > limit);
        }
    }
}

fn check_extent(shape: &Shape) {
    let is_finite = |position: &&[f64; 2]| position.iter().all(|number| number.is_finite());
    assert_eq!(shape.positions().iter().all(|position| is_finite(&position)), shape.withheld().is_empty());
    let Some(extent) = shape.extent() else { return };
    let positions = sound(shape);
    assert!(positions.iter().all(|position| extent.contains_point(*position)));
    assert_eq!(Bbox::around(&positions), Some(extent), "the smallest box");
    assert!(shape.intersects(&extent) && shape.intersects(&Bbox::EVERYTHING));
    let [left, bottom, right, top] = extent.to_array();
    for (beside, outside) in
        [(right, [right.next_up(), bottom, f64::MAX, top]), (left, [f64::MIN, bottom, left.next_down(), top])]
    {
        if beside.abs() < f64::MAX {
            assert!(!shape.intersects(&Bbox::try_from(outside).expect("a box")));
        }
    }
}

/// The positions of the members that are not withheld.
fn sound(shape: &Shape) -> Vec<[f64; 2]> {
    (0..shape.members())
        .filter(|member| !shape.withheld().contains(member))
        .flat_map(|member| &shape.positions()[shape.structure().positions_of(member)])
        .copied()
        .collect()
}

/// A few boxes that touch the data: each of the first positions, neighbours joined, and the halves of the extent.
fn boxes(shape: &Shape) -> Vec<Bbox> {
    let positions = &shape.positions()[..shape.positions().len().min(8)];
    let points = positions.chunks(1).filter_map(Bbox::around);
    let pairs = positions.windows(2).filter_map(Bbox::around);
    let halves = shape.extent().into_iter().flat_map(|extent| {
        let [left, bottom, right, top] = extent.to_array();
        let (x, y) = (left / 2.0 + right / 2.0, bottom / 2.0 + top / 2.0);
        [[left, bottom, x, y], [x, y, right, top], [x, y, x, y]]
    });
    points
        .chain(pairs)
        .chain(halves.filter_map(|edges| Bbox::try_from(edges).ok()))
        .chain([Bbox::EVERYTHING])
        .collect()
}

/// The whole hits if a member does, and what a box hits every larger box hits.
fn check_box(shape: &Shape, bbox: &Bbox) {
    let inside = shape.members_inside(bbox);
    let hit = shape.intersects(bbox);
    assert_eq!(hit, shape.members() == 0 || !inside.is_empty(), "{bbox:?}");
    if sound(shape).iter().any(|position| bbox.contains_point(*position)) {
        assert!(hit, "{bbox:?} has a vertex in it");
    }
    let [left, bottom, right, top] = bbox.to_array();
    let larger = Bbox::try_from([left, bottom.min(0.0), right.max(0.0), top]).expect("a larger box");
    assert!(!hit || shape.intersects(&larger), "{larger:?} around {bbox:?}");
}

/// What is cut out is gone, and what is left is what it was.
fn check_trim(payload: &[u8], document: &Document, members: &[usize]) {
    let out = document.trim(payload, members);
    assert_eq!(is_json(&out), is_json(payload), "{}", out.escape_ascii());
    if !document.is_collection() || members.len() == document.shape().members() {
        assert_eq!(out, payload);
        return;
    }
    let again = Document::read(&out, &Limits::default()).expect("it is within the limits");
    let shape = document.shape();
    let kept: Vec<_> = members
        .iter()
        .flat_map(|&member| &shape.positions()[shape.structure().positions_of(member)])
        .collect();
    assert_eq!(again.shape().positions().iter().collect::<Vec<_>>(), kept);
}

/// Coordinates that were replaced read back as what they were replaced by, to the last decimal that is written.
fn check_shift(payload: &[u8], document: &Document) {
    let shifted = document.shape().map(|[x, y]| [x + 1.0, y / 2.0]);
    for decimals in [Decimals::METRES, Decimals::DEGREES] {
        let Some(out) = document.rewrite(payload, &shifted, None, decimals) else {
            assert!(shifted.is_withheld());
            continue;
        };
        let again = Document::read(&out, &Limits::default()).expect("it is within the limits");
        let written = sound(&shifted);
        assert_eq!(again.shape().positions().len(), written.len(), "{}", out.escape_ascii());
        for (read, written) in again.shape().positions().iter().flatten().zip(written.iter().flatten()) {
            let close = (read - written).abs() <= 0.01 + written.abs() * 1e-15;
            assert!(close, "{written} came back as {read} in {}", out.escape_ascii());
        }
    }
}

/// A member with a coordinate that is not finite does not leave, and does not take the others with it.
fn check_withheld(payload: &[u8], document: &Document) {
    let mut first = true;
    let broken =
        document.shape().map(|position| if std::mem::take(&mut first) { [f64::NAN, 1.0] } else { position });
    let kept = document.shape().members() - broken.withheld().len();
    let before = document.shape().withheld();
    assert!(before.iter().all(|member| broken.withheld().contains(member)));
    assert!(broken.withheld().len() <= before.len() + 1);
    assert_eq!(!broken.withheld().is_empty(), document.kind() == Kind::Geographic);
    assert!(broken.members_inside(&Bbox::EVERYTHING).len() == kept);
    let out = document.rewrite(payload, &broken, None, Decimals::METRES);
    assert_eq!(out.is_some(), kept > 0 || document.shape().members() == 0);
    if let Some(out) = out {
        assert_eq!(is_json(&out), is_json(payload), "{}", out.escape_ascii());
    }
}

/// With fewer decimals and fewer positions, a document is what it was otherwise, and still at its place.
fn check_thinned(payload: &[u8], document: &Document) {
    let shape = document.shape();
    let tolerance = MapLength::try_from(100_000.0).expect("a length");
    let as_they_came = Writing::as_they_came();
    let all = document.write(payload, None, &as_they_came).expect("nothing is left out");
    assert_eq!(all, payload);
    for writing in [as_they_came.simplified(shape, tolerance), as_they_came.with_at_most(Decimals::METRES)] {
        let out = document.write(payload, None, &writing).expect("nothing is left out");
        assert_eq!(is_json(&out), is_json(payload), "{}", out.escape_ascii());
        let again = Document::read(&out, &Limits::default()).expect("it is within the limits");
        assert_eq!((again.kind(), again.shape().members()), (document.kind(), shape.members()));
        assert!(again.shape().positions().len() <= shape.positions().len());
        let all = |document: &Document, payload| document.without_place(payload, None::<fn(&str) -> bool>);
        assert_eq!(all(document, payload), all(&again, &out), "{}", out.escape_ascii());
    }
    assert!(shape.is_still_at(shape, tolerance));
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

fn depth(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use crate::smoke::smoke;

    #[test]
    fn the_law_of_payloads_holds_near_the_seeds() {
        smoke("geojson", super::geojson);
    }

    #[test]
    fn the_law_of_properties_holds_near_the_seeds() {
        smoke("geojson_properties", super::geojson_properties);
    }

    #[test]
    #[cfg_attr(miri, ignore = "each input is a sequence of comparisons with a loop over all boxes")]
    fn the_law_of_the_index_holds_near_the_seeds() {
        smoke("viewport_index", super::viewport_index);
    }
}
