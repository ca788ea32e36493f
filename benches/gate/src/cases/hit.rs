//! The viewport test, and reading a message for its place.

use std::hint::black_box;

use geocast_benches::{about, payloads, point_at, scattered};
use geocast_geo_filter::{Bbox, Document, Limits};

use super::warm_then_counted;
use crate::counted::counted_by_the_gate;

/// Point features of 450 bytes.
pub(super) fn read_point() {
    let messages: Vec<String> = scattered(64).into_iter().map(point_at).collect();
    read_all(&messages);
}

/// A polygon of 1 000 vertices at full precision.
pub(super) fn read_polygon() {
    read_all(&[json("polygon")]);
}

/// One message against boxes of which half are decided by its extent. It is read anew for the work that counts: what the
/// test remembers of a geometry is remembered for one message.
pub(super) fn hit(name: &str) {
    let json = json(name);
    let boxes: Vec<Bbox> =
        about(BOXES).into_iter().map(|edges| Bbox::try_from(edges).expect("a box")).collect();
    let warm = hits(&read(&json), &boxes);
    let document = read(&json);
    let mut counted = 0;
    counted_by_the_gate(&mut || counted = hits(&document, &boxes));
    assert_eq!(counted, warm);
    assert!((1..BOXES).contains(&counted), "{counted} of {BOXES} boxes were hit by the {name}");
}

fn read_all(messages: &[String]) {
    let mut placed = 0;
    warm_then_counted(|| {
        placed = messages.iter().filter(|json| read(black_box(json)).shape().extent().is_some()).count();
    });
    assert_eq!(placed, messages.len());
}

fn hits(document: &Document, boxes: &[Bbox]) -> usize {
    boxes.iter().filter(|bbox| document.shape().intersects(black_box(bbox))).count()
}

fn read(json: &str) -> Document {
    Document::read(json.as_bytes(), &Limits::default()).expect("it is within the limits")
}

fn json(name: &str) -> String {
    payloads().into_iter().find(|payload| payload.name == name).expect("there is one of that name").json
}

const BOXES: usize = 1_000;
