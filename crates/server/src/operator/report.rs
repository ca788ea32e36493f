use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{
    ChannelTraffic, Client, Question, Traffics, Troubles,
    troubles::{Trouble, one_line},
};
use crate::{
    Count, StoreError, Vitals, clock,
    node::Node,
    worker::{Inspection, Survey},
};

/// What was found out by asking.
pub(super) struct Seen {
    pub(super) question: Question,
    pub(super) uptime: Duration,
    /// Of each worker; none, if it did not answer.
    pub(super) inspections: Vec<Option<Inspection>>,
    pub(super) store: StoreHealth,
}

/// How the store is.
pub(super) enum StoreHealth {
    Works,
    Fails(StoreError),
    /// It has not said so for this time.
    Silent(Duration),
}

/// How a server is. Names of numbers say their unit; what has none is a number of things.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// When this was read, in milliseconds since 1970: whoever asks twice can tell how much of what rises came in a second.
    at: f64,
    server: ServerState,
    /// What is so at this moment.
    now: Now,
    /// What only rises, by its name.
    totals: BTreeMap<&'static str, u64>,
    store: StoreState,
    workers: Vec<WorkerState>,
    channels: ChannelList,
    connections: ClientList,
    /// Those for which most is waiting, the worst first.
    slow: Vec<Client>,
    errors: TroubleList,
}

#[derive(Debug, Serialize)]
struct ServerState {
    version: &'static str,
    uptime_seconds: f64,
    draining: bool,
    limits: LimitList,
}

#[derive(Debug, Serialize)]
struct LimitList {
    connections: usize,
    subscriptions_per_connection: usize,
    outbox_bytes: usize,
    message_bytes: usize,
    publication_bytes: usize,
    in_flight_bytes: usize,
    commands_per_second: u32,
}

#[derive(Debug, Serialize)]
struct Now {
    /// WebSockets.
    connections: usize,
    /// Of those, by dialect; only those that somebody speaks.
    dialects: BTreeMap<&'static str, u64>,
    /// Channels that somebody listens to.
    channels: usize,
    /// To messages.
    subscriptions: usize,
    tracked: usize,
    /// Tracked subscriptions that are not up to date.
    behind: usize,
    cohorts: usize,
    /// Whose socket is full.
    slow: usize,
    outbox_bytes: usize,
    outbox_largest_bytes: usize,
    in_flight_bytes: usize,
}

#[derive(Debug, Serialize)]
struct StoreState {
    kind: &'static str,
    description: String,
    healthy: bool,
    /// What is wrong, for people.
    trouble: Option<String>,
    probe_age_seconds: Option<f64>,
    probe_round_trip_seconds: Option<f64>,
    /// Times that messages stopped coming.
    interruptions: u64,
    /// Times that they came again.
    reconnects: u64,
    commands_failed: u64,
    state_bytes: Option<u64>,
    history_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct WorkerState {
    /// Whether it has answered.
    up: bool,
    connections: usize,
}

#[derive(Debug, Serialize)]
struct ChannelList {
    /// Those with most deliveries first.
    list: Vec<ChannelTraffic>,
    truncated: bool,
}

#[derive(Debug, Serialize)]
struct ClientList {
    /// By their ids.
    list: Vec<Client>,
    /// After which the next page begins; none if this is the last.
    next: Option<u64>,
}

#[derive(Debug, Serialize)]
struct TroubleList {
    /// The latest first.
    list: Vec<Trouble>,
    /// Since the start.
    total: u64,
}

impl Report {
    pub(super) fn new(node: &Node, seen: Seen, troubles: &Troubles) -> Self {
        let Seen { question, uptime, inspections, store } = seen;
        let workers = inspections.iter().map(|inspection| WorkerState {
            up: inspection.is_some(),
            connections: inspection.as_ref().map_or(0, |inspection| inspection.survey.connections),
        });
        let workers = workers.collect();
        let surveys: Vec<Survey> = inspections.iter().flatten().map(|inspection| inspection.survey).collect();
        let (mut clients, mut slow, mut channels) = (Vec::new(), Vec::new(), Traffics::default());
        for inspection in inspections.into_iter().flatten() {
            clients.extend(inspection.clients);
            slow.extend(inspection.slow);
            channels.merge(inspection.channels);
        }
        slow.sort_by_key(|client| std::cmp::Reverse((client.blocked, client.waiting_bytes)));
        slow.truncate(Question::SLOW);
        channels.keep(Question::CHANNELS);
        Self {
            at: clock::timestamp().millis(),
            server: ServerState::new(node, uptime),
            now: Now::new(node, &surveys),
            totals: node.counters.iter().collect(),
            store: StoreState::new(node, &store),
            workers,
            channels: ChannelList { truncated: channels.is_truncated, list: channels.into_sorted() },
            connections: ClientList::new(clients, question.limit),
            slow,
            errors: TroubleList { list: troubles.latest(), total: troubles.total() },
        }
    }
}

impl ServerState {
    fn new(node: &Node, uptime: Duration) -> Self {
        let limits = node.rules.limits.current();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: uptime.as_secs_f64(),
            draining: node.is_leaving(),
            limits: LimitList {
                connections: node.most_connections(),
                subscriptions_per_connection: limits.subscriptions,
                outbox_bytes: limits.outbox,
                message_bytes: limits.message,
                publication_bytes: limits.publication,
                in_flight_bytes: limits.in_flight,
                commands_per_second: limits.commands_per_second,
            },
        }
    }
}

impl Now {
    fn new(node: &Node, surveys: &[Survey]) -> Self {
        let sum = |of: fn(&Survey) -> usize| surveys.iter().map(of).sum::<usize>();
        Self {
            connections: node.connections(),
            dialects: node.dialects.open().filter(|(_, number)| *number > 0).collect(),
            channels: node.broker.channels(),
            subscriptions: sum(|survey| survey.subscriptions),
            tracked: sum(|survey| survey.tracked),
            behind: sum(|survey| survey.behind),
            cohorts: sum(|survey| survey.cohorts),
            slow: sum(|survey| survey.blocked),
            outbox_bytes: sum(|survey| survey.outboxes),
            outbox_largest_bytes: surveys.iter().map(|survey| survey.fullest).max().unwrap_or_default(),
            in_flight_bytes: node.broker.in_flight().0,
        }
    }
}

impl StoreState {
    fn new(node: &Node, health: &StoreHealth) -> Self {
        let Vitals { kind, probe_age, probe_round_trip, state_bytes, history_bytes } = node.store.vitals();
        let trouble = match health {
            StoreHealth::Works => None,
            StoreHealth::Fails(error) => Some(error.to_string()),
            StoreHealth::Silent(time) => Some(format!("the store does not answer within {time:?}")),
        };
        Self {
            kind,
            description: one_line(&node.store.description()),
            healthy: trouble.is_none(),
            trouble: trouble.as_deref().map(one_line),
            probe_age_seconds: probe_age.map(|age| age.as_secs_f64()),
            probe_round_trip_seconds: probe_round_trip.map(|time| time.as_secs_f64()),
            interruptions: node.counters.value(Count::StoreInterrupted),
            reconnects: node.counters.value(Count::StoreReturned),
            commands_failed: node.counters.value(Count::StoreCommandFailed),
            state_bytes,
            history_bytes,
        }
    }
}

impl ClientList {
    /// Each worker has given its own first ones, and one more if there is one.
    fn new(mut clients: Vec<Client>, limit: usize) -> Self {
        clients.sort_unstable_by_key(|client| client.id);
        let is_more = clients.len() > limit;
        clients.truncate(limit);
        let next = clients.last().filter(|_| is_more).map(|client| client.id);
        Self { list: clients, next }
    }
}
