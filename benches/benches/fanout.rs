//! From a message to the outboxes of its subscribers, and out of them again.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::hint::black_box;
use std::io::IoSlice;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput};
use geo::{Coord, GeometryCollection, Intersects as _, Rect};
use geocast_benches::{OURS, elsewhere, point_at, run, scattered, viewports};
use geocast_geo_filter::{Bbox, Document, Limits, ViewportIndex};
use geocast_hub::{CohortId, Hub, Index, Interest, Outbox, Overflow};
use geocast_protocol::Channel;
use geocast_protocol::envelope::{ClientReference, Content, Envelope, Source, Timestamp};

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
        let mut server = Shared::new(windows);
        bencher.iter(|| {
            server.publish(messages.by_ref().take(burst));
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

/// The hub, with an interest as the server's: a box, tested against the shape that the message was read to once.
struct Shared {
    hub: Hub<Channel, Sight, Outbox>,
    channel: Channel,
}

#[derive(Debug, Clone, PartialEq)]
struct Sight(Option<Bbox>);

#[derive(Debug, Default)]
struct SightIndex {
    everywhere: Vec<CohortId>,
    windows: ViewportIndex<CohortId>,
}

#[derive(Debug)]
struct Event {
    channel: Channel,
    payload: String,
    document: Document,
}

impl Interest for Sight {
    type Event = Event;
    type Form = ();
    type Rendering = Bytes;
    type Withheld = ();
    type Index = SightIndex;

    const PASSED_OVER: () = ();

    fn decide(&self, event: &Event) -> Result<(), ()> {
        if self.0.is_none_or(|bbox| event.document.shape().intersects(&bbox)) { Ok(()) } else { Err(()) }
    }

    fn render(event: &Event, (): &()) -> Result<Bytes, ()> {
        Ok(Bytes::from(frame(&event.channel, &event.payload)))
    }

    fn join(renderings: &[Bytes]) -> Bytes {
        Bytes::from(renderings.concat())
    }
}

impl Eq for Sight {}

impl Hash for Sight {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.map(|bbox| bbox.to_array().map(f64::to_bits)).hash(state);
    }
}

impl Index<Sight> for SightIndex {
    fn insert(&mut self, cohort: CohortId, sight: &Sight) {
        match sight.0 {
            Some(bbox) => self.windows.insert(cohort, &[bbox]),
            None => self.everywhere.push(cohort),
        }
    }

    fn remove(&mut self, cohort: CohortId, _: &Sight) {
        self.windows.remove(cohort);
        self.everywhere.retain(|other| *other != cohort);
    }

    fn candidates(&self, event: &Event, mut visit: impl FnMut(CohortId)) {
        self.everywhere.iter().copied().for_each(&mut visit);
        if let Some(extent) = event.document.shape().extent() {
            self.windows.for_each(&extent, visit);
        }
    }
}

impl Shared {
    fn new(windows: &[Option<[f64; 4]>]) -> Self {
        let mut hub = Hub::new();
        let channel = channel();
        for window in windows {
            let id = hub.connect(Outbox::new(1 << 20, Overflow::Close));
            let bbox = window.map(|edges| Bbox::try_from(edges).expect("a box"));
            hub.subscribe(id, &channel, Sight(bbox));
        }
        Self { hub, channel }
    }

    fn publish(&mut self, payloads: impl Iterator<Item = String>) {
        let events: Vec<Event> = payloads
            .map(|payload| {
                let document =
                    Document::read(payload.as_bytes(), &Limits::default()).expect("it is within the limits");
                Event { channel: self.channel.clone(), payload, document }
            })
            .collect();
        black_box(self.hub.publish(&self.channel, &events));
    }

    /// What a vectored write would take, without the write: the bytes that left.
    fn drain(&mut self) -> usize {
        let mut left = 0;
        self.hub.drain_dirty(|_, outbox| {
            while !outbox.is_empty() {
                let mut slices = [IoSlice::new(&[]); 128];
                let filled = outbox.fill(&mut slices);
                let written = black_box(&slices[..filled]).iter().map(|slice| slice.len()).sum();
                outbox.advance(written);
                left += written;
            }
        });
        left
    }
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

/// A text frame of a server with an envelope in it (RFC 6455 §5.2; between 126 and 65 535 bytes).
fn frame(channel: &Channel, payload: &str) -> Vec<u8> {
    let envelope = Envelope {
        source: Source::Channel(channel),
        content: Content::Json(payload.as_bytes()),
        timestamp: Timestamp::since_epoch(std::time::Duration::from_millis(1_700_000_000_123)),
        client_reference: ClientReference::Null,
    };
    let mut frame = Vec::with_capacity(4 + envelope.len_hint());
    frame.extend_from_slice(&[0x81, 126, 0, 0]);
    envelope.write(&mut frame);
    let length = u16::try_from(frame.len() - 4).expect("it is a short message").to_be_bytes();
    frame[2..4].copy_from_slice(&length);
    frame
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
