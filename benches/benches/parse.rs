//! Commands of the text dialect, against splitting at white space and against the same said in JSON.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use geocast_benches::{OURS, map_client, run};
use geocast_protocol::text::Command;

fn main() {
    run(&[parse]);
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for count in [1, 100, 10_000] {
        // A single one is a box, which is what clients send most.
        let frames = if count == 1 { map_client(6).split_off(5) } else { map_client(count) };
        let json: Vec<String> = frames.iter().map(|frame| as_json(frame)).collect();
        group.throughput(Throughput::Elements(frames.len() as u64));
        group.bench_with_input(BenchmarkId::new(OURS, count), &frames, |bencher, frames| {
            bencher
                .iter(|| frames.iter().filter(|frame| black_box(frame.parse::<Command>()).is_ok()).count());
        });
        group.bench_with_input(
            BenchmarkId::new("split and parse::<f64>", count),
            &frames,
            |bencher, frames| {
                bencher.iter(|| frames.iter().filter(|frame| black_box(split(frame)).is_some()).count());
            },
        );
        group.bench_with_input(
            BenchmarkId::new("JSON to serde_json::Value", count),
            &json,
            |bencher, json| {
                bencher.iter(|| {
                    json.iter().filter(|json| black_box(json.parse::<serde_json::Value>()).is_ok()).count()
                });
            },
        );
    }
    group.finish();
}

/// What one writes first. It checks nothing: any name passes, and so do NaN and infinity.
fn split(frame: &str) -> Option<(&str, Vec<&str>, Vec<f64>)> {
    let mut words = frame.split_ascii_whitespace();
    let name = words.next()?;
    let (numbers, words): (Vec<_>, Vec<_>) = words.partition(|word| name == "BBOX" && !word.contains('='));
    let numbers = numbers.into_iter().map(str::parse).collect::<Result<_, _>>().ok()?;
    Some((name, words, numbers))
}

/// The command as a JSON-RPC request of the same contents.
fn as_json(frame: &str) -> String {
    let mut words = frame.split_ascii_whitespace();
    let method = words.next().unwrap_or_default();
    let params: Vec<&str> = words.collect();
    serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}
