//! The viewport test: one message against many boxes, against `geo`'s intersection and no look at the extent.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use geo::{Coord, GeometryCollection, Intersects as _, Rect};
use geocast_benches::{OURS, Payload, about, payloads, run, viewports};
use geocast_geo_filter::{Bbox, Document, Limits};
use geojson::GeoJson;

fn main() {
    run(&[by_kind, by_number]);
}

/// Each kind of message against 100 boxes: 50 anywhere, which the extent decides, and 50 about Switzerland, which need
/// the exact test.
fn by_kind(criterion: &mut Criterion) {
    let boxes = about(100);
    for payload in payloads() {
        compare(criterion, "hit", payload.name, &payload, &boxes);
    }
}

/// A point against more and more boxes anywhere in the world.
fn by_number(criterion: &mut Criterion) {
    let point = &payloads()[0];
    for count in [1, 100, 10_000] {
        compare(criterion, "hit point", count, point, &viewports(count));
    }
}

fn compare(
    criterion: &mut Criterion,
    group: &str,
    input: impl std::fmt::Display,
    payload: &Payload,
    boxes: &[[f64; 4]],
) {
    let bboxes: Vec<Bbox> = boxes.iter().map(|edges| Bbox::try_from(*edges).expect("a box")).collect();
    let rects: Vec<Rect> = boxes
        .iter()
        .map(|&[left, bottom, right, top]| {
            Rect::new(Coord { x: left, y: bottom }, Coord { x: right, y: top })
        })
        .collect();
    let geometry = by_geo(&payload.json);
    assert_eq!(
        hits(&read(&payload.json), &bboxes),
        rects.iter().filter(|rect| geometry.intersects(*rect)).count(),
        "{}",
        payload.name
    );
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(boxes.len() as u64));
    group.bench_function(BenchmarkId::new(OURS, &input), |bencher| {
        // A document of its own each time, as what the test remembers of it is remembered for one message. Points need
        // nothing remembered, and a test of one box would drown in the cost of handing documents around.
        if payload.name == "point" {
            let document = read(&payload.json);
            bencher.iter(|| hits(&document, &bboxes));
        } else {
            bencher.iter_batched_ref(
                || read(&payload.json),
                |document| hits(document, &bboxes),
                BatchSize::SmallInput,
            );
        }
    });
    group.bench_function(BenchmarkId::new("geo::Intersects", &input), |bencher| {
        bencher.iter(|| rects.iter().filter(|rect| geometry.intersects(black_box(*rect))).count());
    });
    group.finish();
}

fn hits(document: &Document, bboxes: &[Bbox]) -> usize {
    bboxes.iter().filter(|bbox| document.shape().intersects(black_box(bbox))).count()
}

fn read(json: &str) -> Document {
    Document::read(json.as_bytes(), &Limits::default()).expect("it is within the limits")
}

fn by_geo(json: &str) -> GeometryCollection {
    let document: GeoJson = json.parse().expect("GeoJSON");
    GeometryCollection::try_from(&document).expect("geometry")
}
