use serde::Serialize;

use super::{arguments::TrackArguments, stage::Phase};
use crate::{
    bench::{
        engine::{Changes, Percentiles},
        report::{Report, mebibytes, microseconds_each},
    },
    exit::Exit,
};

/// What came of each part of a run.
#[derive(Debug)]
pub(super) struct Found {
    /// The server's memory before anything was stored, in bytes.
    pub(super) alone: Option<u64>,
    pub(super) stored: Phase,
    /// One client that joined, for which the server came to know the state.
    pub(super) first: Phase,
    /// All others.
    pub(super) joined: Phase,
    pub(super) moved: Phase,
    pub(super) latency: Option<Percentiles>,
    pub(super) panned: Phase,
    pub(super) pan_latency: Option<Percentiles>,
}

/// Of `track`.
#[derive(Debug, Serialize)]
pub(super) struct TrackReport {
    benchmark: &'static str,
    connections: usize,
    features: u32,
    elsewhere: u32,
    size_bytes: usize,
    messages: u32,
    burst: Option<usize>,
    rate_per_second: Option<f64>,
    pan_widths: f64,
    pan_burst: usize,
    joined: PhaseReport,
    moved: PhaseReport,
    panned: PhaseReport,
    latency_ms: Option<Percentiles>,
    pan_latency_ms: Option<Percentiles>,
    server_cpu_us_per_join: Option<f64>,
    server_cpu_us_per_message: Option<f64>,
    server_cpu_us_per_delivery: Option<f64>,
    server_cpu_us_per_pan: Option<f64>,
    deliveries_per_message: f64,
    deliveries_per_pan: f64,
    server_memory_bytes: Option<u64>,
    server_memory_bytes_per_key_stored: Option<f64>,
    server_memory_bytes_per_key_tracked: Option<f64>,
    server_memory_bytes_per_connection: Option<f64>,
}

/// Of a part of it.
#[derive(Debug, Serialize)]
struct PhaseReport {
    expected: Changes,
    received: Changes,
    seconds: f64,
    server_cpu_seconds: Option<f64>,
}

impl TrackReport {
    pub(super) fn new(arguments: &TrackArguments, found: &Found) -> Self {
        let TrackArguments { load, features, elsewhere, pan, pan_burst, .. } = arguments;
        let Found { alone, stored, first, joined, moved, latency, panned, pan_latency } = found;
        let connections = load.connections.get();
        let closed = load.rate.is_none();
        let each = |phase: &Phase, count: u64| phase.cpu.and_then(|cpu| microseconds_each(cpu, count));
        let grown = |before: Option<u64>, after: Option<u64>, count: u64| {
            let (before, after) = before.zip(after)?;
            (count > 0).then(|| after.saturating_sub(before) as f64 / count as f64)
        };
        let (keys, others) = (u64::from(features + elsewhere), connections as u64 - 1);
        Self {
            benchmark: "track",
            connections,
            features: *features,
            elsewhere: *elsewhere,
            size_bytes: load.size,
            messages: load.messages,
            burst: closed.then_some(load.burst.get()),
            rate_per_second: load.rate,
            pan_widths: *pan,
            pan_burst: pan_burst.get(),
            joined: PhaseReport::of(joined, first.expected, first.received),
            moved: PhaseReport::of(moved, Changes::default(), Changes::default()),
            panned: PhaseReport::of(panned, Changes::default(), Changes::default()),
            latency_ms: *latency,
            pan_latency_ms: *pan_latency,
            server_cpu_us_per_join: each(joined, others),
            server_cpu_us_per_message: each(moved, load.messages.into()),
            server_cpu_us_per_delivery: each(moved, moved.received.total()),
            server_cpu_us_per_pan: each(panned, connections as u64),
            deliveries_per_message: moved.received.total() as f64 / f64::from(load.messages),
            deliveries_per_pan: panned.received.total() as f64 / connections as f64,
            server_memory_bytes: panned.resident,
            server_memory_bytes_per_key_stored: grown(*alone, stored.resident, keys),
            server_memory_bytes_per_key_tracked: grown(stored.resident, first.resident, keys),
            server_memory_bytes_per_connection: grown(first.resident, joined.resident, others),
        }
    }

    /// Whether everybody was told what it had to be told.
    pub(super) fn verdict(&self, allow_loss: bool) -> Exit {
        let mut verdict = Exit::Success;
        for (what, phase) in
            [("joined", &self.joined), ("features moved", &self.moved), ("panned", &self.panned)]
        {
            let PhaseReport { expected, received, .. } = phase;
            if expected == received || (allow_loss && received.total() <= expected.total()) {
                continue;
            }
            let told = |Changes { enters, updates, leaves }: &Changes| {
                format!("{enters} enter, {updates} update and {leaves} leave")
            };
            eprintln!(
                "geocast: when all had {what}, they had been told {} of {}",
                told(received),
                told(expected)
            );
            verdict = Exit::Failure;
        }
        verdict
    }
}

impl PhaseReport {
    /// With what else was expected and received.
    fn of(phase: &Phase, expected: Changes, received: Changes) -> Self {
        Self {
            expected: phase.expected + expected,
            received: phase.received + received,
            seconds: phase.time.as_secs_f64(),
            server_cpu_seconds: phase.cpu.map(|cpu| cpu.as_secs_f64()),
        }
    }

    fn counted(&self) -> String {
        format!("{} of {}", self.received.total(), self.expected.total())
    }
}

impl Report for TrackReport {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let pace = match (self.rate_per_second, self.burst) {
            (Some(rate), _) => format!("{rate} per second"),
            (None, Some(burst)) if burst > 1 => format!("{burst} at once"),
            _ => "one at a time".to_owned(),
        };
        let mut load =
            format!("{} clients, {} features of {} bytes", self.connections, self.features, self.size_bytes);
        if self.elsewhere > 0 {
            load += &format!(", {} elsewhere", self.elsewhere);
        }
        let mut lines = vec![("benchmark", format!("track: {load}, {} moves, {pace}", self.messages))];
        let mut line = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
        let percentiles = |latency: Option<Percentiles>| {
            latency.map(|Percentiles { p50, p90, p99, p999, max }| {
                format!("p50 {p50:.3}  p90 {p90:.3}  p99 {p99:.3}  p99.9 {p999:.3}  max {max:.3}")
            })
        };
        line("changes when joining", Some(self.joined.counted()));
        line("server CPU", self.server_cpu_us_per_join.map(|us| format!("{us:.1} µs per client that joins")));
        line("changes when moving", Some(self.moved.counted()));
        line("", Some(format!("{:.1} per move", self.deliveries_per_message)));
        line("latency ms", percentiles(self.latency_ms));
        line("server CPU", self.server_cpu_us_per_delivery.map(|us| format!("{us:.3} µs per change")));
        line("", self.server_cpu_us_per_message.map(|us| format!("{us:.1} µs per move")));
        line("changes when panning", Some(self.panned.counted()));
        line("", Some(format!("{:.1} per pan of {} widths", self.deliveries_per_pan, self.pan_widths)));
        line("pan complete ms", percentiles(self.pan_latency_ms));
        line("server CPU", self.server_cpu_us_per_pan.map(|us| format!("{us:.1} µs per pan")));
        line("server memory", self.server_memory_bytes.map(mebibytes));
        let bytes = |bytes: Option<f64>, what: &str| bytes.map(|bytes| format!("{bytes:.0} B per {what}"));
        line("  state", bytes(self.server_memory_bytes_per_key_stored, "key"));
        line("  tracked state", bytes(self.server_memory_bytes_per_key_tracked, "key"));
        line("  clients", bytes(self.server_memory_bytes_per_connection, "connection"));
        lines
    }
}
