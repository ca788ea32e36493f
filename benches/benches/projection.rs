//! Reprojection by PROJ: of a whole message, and of coordinates alone.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use geo::{GeometryCollection, MapCoordsInPlace as _};
use geocast_benches::{OURS, payloads, run, scattered};
use geocast_geo_filter::{AxisOrder, Catalogue, Document, Limits, Transform};
use geojson::GeoJson;
use proj::Proj;

fn main() {
    run(&[rewrite, transform]);
}

/// From payload to payload: reading, projecting once, writing.
fn rewrite(criterion: &mut Criterion) {
    for code in TARGETS {
        let (transform, proj) = (ours(code), theirs(code));
        let mut group = criterion.benchmark_group(format!("rewrite to {code}"));
        for payload in payloads() {
            group.throughput(Throughput::Bytes(payload.json.len() as u64));
            group.bench_function(BenchmarkId::new(OURS, payload.name), |bencher| {
                bencher.iter(|| {
                    let bytes = black_box(payload.json.as_bytes());
                    let document =
                        Document::read(bytes, &Limits::default()).expect("it is within the limits");
                    let shape = transform.shape(document.shape());
                    document.rewrite(bytes, &shape, None, transform.decimals()).expect("it can be projected")
                });
            });
            // This loses everything but the geometry, which would have to be put back at further cost.
            group.bench_function(BenchmarkId::new("geojson, geo and proj", payload.name), |bencher| {
                bencher.iter(|| {
                    let document: GeoJson = black_box(payload.json.as_str()).parse().expect("GeoJSON");
                    let mut geometry: GeometryCollection =
                        GeometryCollection::try_from(&document).expect("geometry");
                    geometry.map_coords_in_place(|coordinate| {
                        proj.convert(coordinate).expect("it can be projected")
                    });
                    geojson::Geometry::from(&geometry).to_string()
                });
            });
        }
        group.finish();
    }
}

/// 1, 100 and 10 000 points that are read already, in one call.
fn transform(criterion: &mut Criterion) {
    for code in TARGETS {
        let (transform, proj) = (ours(code), theirs(code));
        let mut group = criterion.benchmark_group(format!("transform to {code}"));
        for count in [1, 100, 10_000] {
            let points = scattered(count);
            let document = multi_point(&points);
            let tuples: Vec<(f64, f64)> = points.iter().map(|&[x, y]| (x, y)).collect();
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::new(OURS, count), |bencher| {
                bencher.iter(|| transform.shape(black_box(document.shape())));
            });
            group.bench_function(BenchmarkId::new("Proj::convert_array", count), |bencher| {
                let convert = |mut points: Vec<(f64, f64)>| {
                    proj.convert_array(&mut points).expect("they can be projected");
                    points
                };
                bencher.iter_batched(|| tuples.clone(), convert, BatchSize::SmallInput);
            });
            group.bench_function(BenchmarkId::new("Proj::convert", count), |bencher| {
                bencher.iter(|| {
                    let converted =
                        tuples.iter().map(|point| proj.convert(*point).expect("it can be projected"));
                    converted.collect::<Vec<_>>()
                });
            });
        }
        group.finish();
    }
}

fn ours(code: u32) -> Transform {
    let catalogue = Catalogue::load().expect("PROJ brings its database");
    let crs = |code| catalogue.crs(code).expect("the database has it");
    Transform::new(crs(4326), crs(code), AxisOrder::Xy).expect("there is a transformation")
}

fn theirs(code: u32) -> Proj {
    Proj::new_known_crs("EPSG:4326", &format!("EPSG:{code}"), None).expect("there is a transformation")
}

fn multi_point(points: &[[f64; 2]]) -> Document {
    let json = serde_json::json!({ "type": "MultiPoint", "coordinates": points }).to_string();
    Document::read(json.as_bytes(), &Limits::default()).expect("it is within the limits")
}

/// Spherical Mercator, and the Swiss LV95 with its datum shift.
const TARGETS: [u32; 2] = [3857, 2056];
