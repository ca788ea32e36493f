//! From a payload to the box around it, against reading it into a tree first.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use geo::{BoundingRect as _, GeometryCollection};
use geocast_benches::{OURS, payloads, run};
use geocast_geo_filter::{Document, Limits};
use geojson::GeoJson;
use serde_json::Value;

fn main() {
    run(&[extent]);
}

fn extent(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("extent");
    for payload in payloads() {
        let json = payload.json.as_str();
        // All three must find the same box, or they are not worth comparing.
        assert_eq!(ours(json), by_value(json));
        assert_eq!(ours(json), by_geojson(json));
        group.throughput(Throughput::Bytes(json.len() as u64));
        for (name, extent) in [
            (OURS, ours as fn(&str) -> Edges),
            ("serde_json::Value", by_value),
            ("geojson and geo", by_geojson),
        ] {
            group.bench_function(BenchmarkId::new(name, payload.name), |bencher| {
                bencher.iter(|| extent(black_box(json)));
            });
        }
    }
    group.finish();
}

/// Left, bottom, right, top.
type Edges = [f64; 4];

fn ours(json: &str) -> Edges {
    let document = Document::read(json.as_bytes(), &Limits::default()).expect("it is within the limits");
    document.shape().extent().expect("it has a geometry").to_array()
}

fn by_value(json: &str) -> Edges {
    let mut edges = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    walk(&json.parse().expect("JSON"), &mut edges);
    edges
}

fn walk(value: &Value, edges: &mut Edges) {
    match value {
        Value::Array(elements) => match elements.as_slice() {
            [Value::Number(x), Value::Number(y), ..] => {
                let (x, y) = (x.as_f64().unwrap_or(f64::NAN), y.as_f64().unwrap_or(f64::NAN));
                *edges = [edges[0].min(x), edges[1].min(y), edges[2].max(x), edges[3].max(y)];
            }
            elements => elements.iter().for_each(|element| walk(element, edges)),
        },
        Value::Object(members) => {
            for name in ["features", "geometry", "geometries", "coordinates"] {
                if let Some(member) = members.get(name) {
                    walk(member, edges);
                }
            }
        }
        _ => {}
    }
}

fn by_geojson(json: &str) -> Edges {
    let document: GeoJson = json.parse().expect("GeoJSON");
    let geometry: GeometryCollection = GeometryCollection::try_from(&document).expect("geometry");
    let bounds = geometry.bounding_rect().expect("positions");
    [bounds.min().x, bounds.min().y, bounds.max().x, bounds.max().y]
}
