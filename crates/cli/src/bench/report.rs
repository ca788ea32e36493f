use std::{
    fmt::Write as _,
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;

use super::{arguments::LoadOptions, engine::Percentiles, measurement::Measurement};
use crate::exit::Exit;

/// What is printed at the end. Names of JSON members carry their unit; microseconds are `us`.
pub(super) trait Report: Serialize {
    /// Names and values for people.
    fn lines(&self) -> Vec<(&'static str, String)>;

    /// Prints it to standard output.
    fn print(&self, json: bool) -> anyhow::Result<()> {
        let text = if json {
            serde_json::to_string(self)?
        } else {
            self.lines().into_iter().fold(String::new(), |mut text, (name, value)| {
                let separator = if text.is_empty() { "" } else { "\n" };
                let _infallible: std::fmt::Result = write!(text, "{separator}{name:<24}{value}");
                text
            })
        };
        writeln!(io::stdout(), "{text}")?;
        Ok(())
    }
}

/// Of `fanout` and `limit`.
#[derive(Debug, Serialize)]
pub(super) struct FanoutReport {
    benchmark: String,
    connections: usize,
    bystanders: usize,
    size_bytes: usize,
    messages: u32,
    burst: Option<usize>,
    pause_ms: Option<f64>,
    rate_per_second: Option<f64>,
    deliveries_expected: u64,
    deliveries_received: u64,
    deliveries_disordered: u64,
    seconds: f64,
    deliveries_per_second: f64,
    latency_ms: Option<Percentiles>,
    server_cpu_us_per_delivery: Option<f64>,
    server_cpu_us_per_message: Option<f64>,
    server_cpu_seconds: Option<f64>,
    server_memory_bytes: Option<u64>,
    server_memory_bytes_per_connection: Option<f64>,
    clients_cpu_us_per_delivery: Option<f64>,
}

/// Of `connect`.
#[derive(Debug, Serialize)]
pub(super) struct ConnectReport {
    benchmark: &'static str,
    connections: usize,
    concurrency: usize,
    seconds: f64,
    connections_per_second: f64,
    server_cpu_us_per_connection: Option<f64>,
    server_connections_per_cpu_second: Option<f64>,
}

/// Of `idle`.
#[derive(Debug, Serialize)]
pub(super) struct IdleReport {
    benchmark: &'static str,
    connections: usize,
    settle_seconds: f64,
    server_memory_bytes_alone: Option<u64>,
    server_memory_bytes: Option<u64>,
    server_memory_bytes_per_connection: Option<f64>,
    server_cpu_seconds_idle: Option<f64>,
}

impl FanoutReport {
    pub(super) fn new(benchmark: &str, load: &LoadOptions, bystanders: usize, found: &Measurement) -> Self {
        let Measurement { delivered, received, disordered, latency, server, clients_cpu } = found;
        let connections = load.connections.get();
        let closed = load.rate.is_none();
        let seconds = delivered.time.as_secs_f64();
        let cpu = server.map(|used| used.cpu);
        let grown = server.map(|used| used.loaded.saturating_sub(used.alone));
        Self {
            benchmark: benchmark.to_owned(),
            connections,
            bystanders,
            size_bytes: load.size,
            messages: load.messages,
            burst: closed.then_some(load.burst.get()),
            pause_ms: closed.then_some(load.pause.as_secs_f64() * 1e3),
            rate_per_second: load.rate,
            deliveries_expected: delivered.expected,
            deliveries_received: *received,
            deliveries_disordered: *disordered,
            seconds,
            deliveries_per_second: if seconds > 0.0 { *received as f64 / seconds } else { 0.0 },
            latency_ms: *latency,
            server_cpu_us_per_delivery: cpu.and_then(|cpu| microseconds_each(cpu, *received)),
            server_cpu_us_per_message: cpu.and_then(|cpu| microseconds_each(cpu, load.messages.into())),
            server_cpu_seconds: cpu.map(|cpu| cpu.as_secs_f64()),
            server_memory_bytes: server.map(|used| used.loaded),
            server_memory_bytes_per_connection: grown
                .map(|grown| grown as f64 / (connections + bystanders) as f64),
            clients_cpu_us_per_delivery: clients_cpu.and_then(|cpu| microseconds_each(cpu, *received)),
        }
    }

    /// Whether everybody got everything, once and in order.
    pub(super) fn verdict(&self, allow_loss: bool) -> Exit {
        let Self { deliveries_expected: expected, deliveries_received: received, .. } = self;
        let complete = expected == received && self.deliveries_disordered == 0;
        if complete || (allow_loss && received <= expected) {
            return Exit::Success;
        }
        eprintln!(
            "geocast: {received} of {expected} deliveries came, {} of them again or out of order",
            self.deliveries_disordered
        );
        Exit::Failure
    }
}

impl Report for FanoutReport {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut load =
            format!("{} clients, {} messages of {} bytes", self.connections, self.messages, self.size_bytes);
        if self.bystanders > 0 {
            load += &format!(", {} bystanders", self.bystanders);
        }
        load += &match (self.rate_per_second, self.burst) {
            (Some(rate), _) => format!(", {rate} per second"),
            (None, Some(burst)) if burst > 1 => format!(", {burst} at once"),
            _ => ", one at a time".to_owned(),
        };
        let mut lines = vec![("benchmark", format!("{}: {load}", self.benchmark))];
        let mut line = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
        line("deliveries", Some(format!("{} of {}", self.deliveries_received, self.deliveries_expected)));
        line("deliveries per second", Some(format!("{:.0}", self.deliveries_per_second)));
        line(
            "latency ms",
            self.latency_ms.map(|Percentiles { p50, p90, p99, p999, max }| {
                format!("p50 {p50:.3}  p90 {p90:.3}  p99 {p99:.3}  p99.9 {p999:.3}  max {max:.3}")
            }),
        );
        line("server CPU", self.server_cpu_us_per_delivery.map(|us| format!("{us:.3} µs per delivery")));
        line("", self.server_cpu_us_per_message.map(|us| format!("{us:.1} µs per message")));
        line("server memory", self.server_memory_bytes.map(mebibytes));
        line(
            "",
            self.server_memory_bytes_per_connection
                .map(|bytes| format!("{:.1} KiB per connection", bytes / 1024.0)),
        );
        line("clients' CPU", self.clients_cpu_us_per_delivery.map(|us| format!("{us:.3} µs per delivery")));
        lines
    }
}

impl ConnectReport {
    pub(super) fn new(connections: usize, concurrency: usize, time: Duration, cpu: Option<Duration>) -> Self {
        let each = cpu.and_then(|cpu| microseconds_each(cpu, connections as u64));
        Self {
            benchmark: "connect",
            connections,
            concurrency,
            seconds: time.as_secs_f64(),
            connections_per_second: connections as f64 / time.as_secs_f64(),
            server_cpu_us_per_connection: each,
            server_connections_per_cpu_second: each.filter(|each| *each > 0.0).map(|each| 1e6 / each),
        }
    }
}

impl Report for ConnectReport {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            (
                "benchmark",
                format!("connect: {} connections, {} at a time", self.connections, self.concurrency),
            ),
            ("connections per second", format!("{:.0}", self.connections_per_second)),
        ];
        if let Some(us) = self.server_cpu_us_per_connection {
            lines.push(("server CPU", format!("{us:.1} µs per connection")));
        }
        if let Some(rate) = self.server_connections_per_cpu_second {
            lines.push(("", format!("{rate:.0} connections per second and core")));
        }
        lines
    }
}

impl IdleReport {
    /// `memory` is that of the server before and after, in bytes.
    pub(super) fn new(
        connections: usize,
        settle: Duration,
        memory: Option<(u64, u64)>,
        cpu: Option<Duration>,
    ) -> Self {
        Self {
            benchmark: "idle",
            connections,
            settle_seconds: settle.as_secs_f64(),
            server_memory_bytes_alone: memory.map(|(alone, _)| alone),
            server_memory_bytes: memory.map(|(_, loaded)| loaded),
            server_memory_bytes_per_connection: memory
                .map(|(alone, loaded)| loaded.saturating_sub(alone) as f64 / connections as f64),
            server_cpu_seconds_idle: cpu.map(|cpu| cpu.as_secs_f64()),
        }
    }
}

impl Report for IdleReport {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let settle = self.settle_seconds;
        let mut lines =
            vec![("benchmark", format!("idle: {} connections, {settle} s after the last", self.connections))];
        let mut line = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
        line("server memory", self.server_memory_bytes.map(mebibytes));
        line("  without clients", self.server_memory_bytes_alone.map(mebibytes));
        line(
            "  per connection",
            self.server_memory_bytes_per_connection.map(|bytes| format!("{:.2} KiB", bytes / 1024.0)),
        );
        line("server CPU while idle", self.server_cpu_seconds_idle.map(|cpu| format!("{cpu:.2} s")));
        lines
    }
}

pub(super) fn microseconds_each(time: Duration, count: u64) -> Option<f64> {
    (count > 0).then(|| time.as_secs_f64() * 1e6 / count as f64)
}

pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
