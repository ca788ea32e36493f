//! The envelope around a payload, against handing the payload through `serde_json`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use geocast_benches::{OURS, payloads, run};
use geocast_protocol::Channel;
use geocast_protocol::envelope::{ClientReference, Content, Envelope, Source, Timestamp};
use serde_json::value::RawValue;
use serde_json::{Value, json};

fn main() {
    run(&[envelope]);
}

fn envelope(criterion: &mut Criterion) {
    let channel: Channel = "vehicles".parse().expect("a channel");
    let timestamp = Timestamp::since_epoch(Duration::from_millis(1_700_000_000_123));
    let mut group = criterion.benchmark_group("envelope");
    for payload in payloads() {
        group.throughput(Throughput::Bytes(payload.json.len() as u64));
        let bytes = payload.json.as_bytes();
        group.bench_function(BenchmarkId::new(OURS, payload.name), |bencher| {
            bencher.iter(|| {
                let source = Source::Channel(&channel);
                let content = Content::Json(black_box(bytes));
                Envelope { source, content, timestamp, client_reference: ClientReference::Null }.to_vec()
            });
        });
        group.bench_function(BenchmarkId::new("serde_json::RawValue", payload.name), |bencher| {
            bencher.iter(|| {
                let content: &RawValue = serde_json::from_slice(black_box(bytes)).expect("JSON");
                serde_json::to_vec(&Raw::new(content, timestamp.millis())).expect("JSON")
            });
        });
        group.bench_function(BenchmarkId::new("serde_json::Value", payload.name), |bencher| {
            bencher.iter(|| {
                let content: Value = serde_json::from_slice(black_box(bytes)).expect("JSON");
                let envelope = json!({
                    "source": "vehicles", "content": content, "timestamp": timestamp.millis(), "client_reference": null,
                });
                serde_json::to_vec(&envelope).expect("JSON")
            });
        });
    }
    group.finish();
}

/// The envelope with a payload that is validated but not read.
#[derive(serde::Serialize)]
struct Raw<'a> {
    source: &'static str,
    content: &'a RawValue,
    timestamp: f64,
    client_reference: Option<&'static str>,
}

impl<'a> Raw<'a> {
    fn new(content: &'a RawValue, timestamp: f64) -> Self {
        Self { source: "vehicles", content, timestamp, client_reference: None }
    }
}
