use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

/// What a server says of itself, as far as it is shown. A later server may say more.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Report {
    /// In milliseconds since 1970.
    pub(super) at: f64,
    pub(super) server: ServerState,
    pub(super) now: Now,
    pub(super) totals: BTreeMap<String, u64>,
    pub(super) store: StoreState,
    pub(super) workers: Vec<WorkerState>,
    pub(super) channels: List<Channel>,
    pub(super) connections: Page,
    pub(super) slow: Vec<Connection>,
    pub(super) errors: Errors,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ServerState {
    pub(super) version: String,
    pub(super) uptime_seconds: f64,
    pub(super) draining: bool,
    pub(super) limits: Limits,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Limits {
    pub(super) connections: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Now {
    pub(super) connections: u64,
    pub(super) channels: u64,
    pub(super) subscriptions: u64,
    pub(super) tracked: u64,
    pub(super) behind: u64,
    pub(super) slow: u64,
    pub(super) outbox_bytes: u64,
    pub(super) outbox_largest_bytes: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct StoreState {
    pub(super) description: String,
    pub(super) healthy: bool,
    pub(super) trouble: Option<String>,
    pub(super) probe_age_seconds: Option<f64>,
    pub(super) probe_round_trip_seconds: Option<f64>,
    pub(super) reconnects: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WorkerState {
    pub(super) up: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct List<T> {
    pub(super) list: Vec<T>,
    pub(super) truncated: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Channel {
    pub(super) name: String,
    pub(super) subscribers: u64,
    pub(super) events: u64,
    pub(super) deliveries: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Page {
    pub(super) list: Vec<Connection>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Connection {
    pub(super) id: u64,
    pub(super) address: String,
    pub(super) dialect: String,
    pub(super) age_seconds: f64,
    pub(super) viewport: Option<Viewport>,
    pub(super) channels: Channels,
    pub(super) waiting_bytes: u64,
    pub(super) blocked: bool,
    pub(super) behind: bool,
    pub(super) delivered: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Viewport {
    pub(super) crs: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Channels {
    pub(super) count: u64,
    pub(super) names: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Errors {
    pub(super) list: Vec<Trouble>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Trouble {
    pub(super) at: f64,
    pub(super) level: String,
    pub(super) text: String,
}

impl Report {
    pub(super) fn read(value: Value) -> anyhow::Result<Self> {
        serde_json::from_value(value).context("the server answers what an operator cannot be shown")
    }

    pub(super) fn total(&self, name: &str) -> u64 {
        self.totals.get(name).copied().unwrap_or_default()
    }

    /// Those for which most waits first, and each once.
    pub(super) fn worst_first(&self) -> Vec<&Connection> {
        let mut all: Vec<&Connection> = self.slow.iter().collect();
        let others = self.connections.list.iter();
        all.extend(others.filter(|other| !self.slow.iter().any(|slow| slow.id == other.id)));
        let badness = |connection: &Connection| {
            (connection.blocked, connection.waiting_bytes, connection.behind, connection.delivered)
        };
        all.sort_by_key(|connection| std::cmp::Reverse(badness(connection)));
        all
    }
}
