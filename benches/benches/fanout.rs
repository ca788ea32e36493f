//! From a message to the outboxes of its subscribers, and out of them again.

use std::collections::VecDeque;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use geo::{Coord, GeometryCollection, Intersects as _, Rect};
use geocast_benches::{OURS, Shared, elsewhere, frame, point_at, run, scattered, viewports};
use geocast_protocol::Channel;

fn main() {
    run(&[everybody, in_view, nobody, bursts]);
}

/// Subscribers without a viewport: each gets every message.
fn everybody(criterion: &mut Criterion) {
    for count in COUNTS {
        compare(criterion, "fanout", count, &vec![None; count], 1);
    }
}

/// Subscribers with 10 by 10 degrees each, anywhere.
fn in_view(criterion: &mut Criterion) {
    for count in COUNTS {
        compare(criterion, "fanout viewports", count, &windows(viewports(count)), 1);
    }
}

/// Subscribers who all look elsewhere.
fn nobody(criterion: &mut Criterion) {
    for count in COUNTS {
        compare(criterion, "fanout elsewhere", count, &windows(elsewhere(count)), 1);
    }
}

/// 100 messages, one after the other, before anything is taken out.
fn bursts(criterion: &mut Criterion) {
    compare(criterion, "fanout burst of 100", 100, &vec![None; 100], 100);
}

/// Throughput is subscribers times messages, whether they get them or not.
fn compare(criterion: &mut Criterion, name: &str, count: usize, windows: &[Option<[f64; 4]>], burst: usize) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements((count * burst) as u64));
    let mut messages = messages().into_iter().cycle();
    group.bench_function(BenchmarkId::new(OURS, count), |bencher| {
        let mut server = Shared::new(channel(), windows);
        bencher.iter(|| {
            let events = server.read(messages.by_ref().take(burst));
            server.publish(&events);
            server.drain()
        });
    });
    group.bench_function(BenchmarkId::new("a copy for each", count), |bencher| {
        let mut server = Copies::new(windows);
        bencher.iter(|| {
            messages.by_ref().take(burst).for_each(|message| server.publish(&message, Copies::copy));
            server.drain()
        });
    });
    group.bench_function(BenchmarkId::new("a rendering for each", count), |bencher| {
        let mut server = Copies::new(windows);
        bencher.iter(|| {
            messages.by_ref().take(burst).for_each(|message| server.publish(&message, Copies::render));
            server.drain()
        });
    });
    group.finish();
}

/// What one writes first: a loop over all, `geo` for the viewport, and a queue of own messages for each.
struct Copies {
    clients: Vec<(Option<Rect>, VecDeque<Vec<u8>>)>,
    channel: Channel,
}

impl Copies {
    fn new(windows: &[Option<[f64; 4]>]) -> Self {
        let rect = |[left, bottom, right, top]: [f64; 4]| {
            Rect::new(Coord { x: left, y: bottom }, Coord { x: right, y: top })
        };
        let clients = windows.iter().map(|window| (window.map(rect), VecDeque::new())).collect();
        Self { clients, channel: channel() }
    }

    fn publish(&mut self, payload: &str, make: fn(&Channel, &str, &[u8]) -> Vec<u8>) {
        // Without any viewport, there is no reason to read the message.
        let geometry = self.clients.iter().any(|(window, _)| window.is_some()).then(|| read(payload));
        let first = frame(&self.channel, payload);
        for (window, queue) in &mut self.clients {
            if window.is_none_or(|rect| geometry.as_ref().is_none_or(|geometry| geometry.intersects(&rect))) {
                queue.push_back(make(&self.channel, payload, &first));
            }
        }
    }

    fn copy(_: &Channel, _: &str, frame: &[u8]) -> Vec<u8> {
        frame.to_vec()
    }

    fn render(channel: &Channel, payload: &str, _: &[u8]) -> Vec<u8> {
        let content: &serde_json::value::RawValue = serde_json::from_str(payload).expect("JSON");
        let content = serde_json::to_string(content).expect("JSON");
        frame(channel, &content)
    }

    fn drain(&mut self) -> usize {
        let mut left = 0;
        for (_, queue) in &mut self.clients {
            while let Some(message) = queue.pop_front() {
                left += black_box(message).len();
            }
        }
        left
    }
}

fn read(payload: &str) -> GeometryCollection {
    let document: geojson::GeoJson = payload.parse().expect("GeoJSON");
    GeometryCollection::try_from(&document).expect("geometry")
}

fn messages() -> Vec<String> {
    scattered(64).into_iter().map(point_at).collect()
}

fn channel() -> Channel {
    "vehicles".parse().expect("a channel")
}

fn windows(edges: Vec<[f64; 4]>) -> Vec<Option<[f64; 4]>> {
    edges.into_iter().map(Some).collect()
}

const COUNTS: [usize; 3] = [1, 100, 10_000];
