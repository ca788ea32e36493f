//! What is so at this moment.

use std::{
    borrow::Cow,
    time::{Duration, UNIX_EPOCH},
};

use super::family::Family;
use crate::{Tls, Vitals, node::Node, worker::Survey};

/// What was found out by asking.
pub(super) struct Findings<'a> {
    /// Of each worker; none, if it did not answer.
    pub(super) surveys: &'a [Option<Survey>],
    /// Whether the store works.
    pub(super) store_works: bool,
    pub(super) vitals: Vitals,
    /// With the addresses that they are shown at.
    pub(super) certificates: &'a [(String, Tls)],
}

pub(super) fn families(node: &Node, findings: &Findings<'_>) -> Vec<Family> {
    let mut families = connections(node);
    families.extend(workers(node, findings.surveys));
    families.extend(clients(node, findings.surveys));
    families.extend(node_wide(node));
    families.extend(store(findings));
    families.push(certificates(findings.certificates));
    families
}

fn connections(node: &Node) -> Vec<Family> {
    vec![
        Family::info("geocast_build", "Which geocast this is.")
            .of([("version", env!("CARGO_PKG_VERSION").into())], 1_u64),
        Family::gauge("geocast_connections", "WebSockets that are open.").by("dialect", node.dialects.open()),
        Family::counter("geocast_connections_opened", "WebSockets that were opened.")
            .by("dialect", node.dialects.opened()),
        Family::gauge("geocast_connections_limit", "WebSockets that there may be.")
            .is(node.most_connections()),
        Family::gauge("geocast_draining", "Whether the server is stopping.").is(node.is_leaving()),
    ]
}

fn workers(node: &Node, surveys: &[Option<Survey>]) -> [Family; 3] {
    let number = |place: usize| Cow::from(place.to_string());
    let up = surveys.iter().enumerate().map(|(place, survey)| (number(place), survey.is_some()));
    let of_each = surveys.iter().enumerate().filter_map(|(place, survey)| Some((number(place), (*survey)?)));
    let rounds = node.rounds.iter().enumerate().map(|(place, rounds)| (number(place), rounds.read()));
    [
        Family::gauge("geocast_worker_up", "Whether a worker goes through its loop.").by("worker", up),
        Family::gauge("geocast_worker_connections", "WebSockets of a worker.")
            .by("worker", of_each.map(|(worker, survey)| (worker, survey.connections))),
        Family::histogram(
            "geocast_publish_to_write_seconds",
            "Time from a message of the store to the end of the round in which a worker has written it to its clients: one \
             observation for each round, that of its oldest message.",
        )
        .by("worker", rounds),
    ]
}

fn clients(node: &Node, surveys: &[Option<Survey>]) -> Vec<Family> {
    let sum = |of: fn(&Survey) -> usize| surveys.iter().flatten().map(of).sum::<usize>();
    let fullest = surveys.iter().flatten().map(|survey| survey.fullest).max().unwrap_or_default();
    let kinds = [("messages", sum(|survey| survey.subscriptions)), ("tracked", sum(|survey| survey.tracked))];
    vec![
        Family::gauge("geocast_subscriptions", "Subscriptions, to messages of a channel or tracked.")
            .by("kind", kinds),
        Family::gauge(
            "geocast_cohorts",
            "Sets of subscriptions with equal interests, for which what concerns them is decided once.",
        )
        .is(sum(|survey| survey.cohorts)),
        Family::gauge(
            "geocast_tracked_behind",
            "Tracked subscriptions that are not up to date: new, looking elsewhere or slow.",
        )
        .is(sum(|survey| survey.behind)),
        Family::gauge("geocast_tracked_behind_bytes", "What is remembered of those.")
            .is(sum(|survey| survey.behind_bytes)),
        Family::gauge("geocast_slow_clients", "Clients whose socket is full.")
            .is(sum(|survey| survey.blocked)),
        Family::gauge("geocast_outbox_bytes", "Bytes that wait for clients.")
            .is(sum(|survey| survey.outboxes)),
        Family::gauge("geocast_outbox_largest_bytes", "Bytes that wait for the client that most wait for.")
            .is(fullest),
        Family::gauge("geocast_outbox_limit_bytes", "Bytes that may wait for one client that connects now.")
            .is(node.rules.limits.current().outbox),
    ]
}

fn node_wide(node: &Node) -> Vec<Family> {
    let (in_flight, most) = node.broker.in_flight();
    let mut families = vec![
        Family::gauge("geocast_channels", "Channels that somebody listens to.").is(node.broker.channels()),
        Family::gauge("geocast_in_flight_bytes", "Bytes of messages on their way from the store to clients.")
            .is(in_flight),
        Family::gauge("geocast_in_flight_limit_bytes", "Bytes of messages that may be on their way.")
            .is(most),
        Family::gauge(
            "geocast_transforms",
            "Coordinate transformations that are kept, failed ones included.",
        )
        .is(node.transforms.len()),
        Family::counter("geocast_transforms_made", "Coordinate transformations that were made.")
            .is(node.transforms.made()),
        Family::gauge("geocast_transforms_limit", "Coordinate transformations that may be kept.").is(node
            .settings
            .limits
            .transforms
            .get()),
        Family::gauge("geocast_insecure", "Whether a setting lowers security.")
            .by("setting", node.access.insecure()),
    ];
    if let Some(last) = node.last_reload.look() {
        families.extend([
            Family::gauge(
                "geocast_reload_timestamp_seconds",
                "When settings were read again last, in seconds since 1970.",
            )
            .is(last.at.millis() / 1000.0),
            Family::gauge(
                "geocast_reload_failures",
                "How much could not be read then; if anything, nothing was taken up.",
            )
            .is(last.failures),
        ]);
    }
    families
}

fn store(findings: &Findings<'_>) -> Vec<Family> {
    let Vitals { kind, probe_age, probe_round_trip, state_bytes, history_bytes, .. } = findings.vitals;
    let seconds = |time: Duration| time.as_secs_f64();
    let real = [
        (
            "geocast_store_probe_age_seconds",
            "Time since the store was proven to be heard last.",
            probe_age.map(seconds),
        ),
        (
            "geocast_store_probe_round_trip_seconds",
            "Time that the last probe of the store took.",
            probe_round_trip.map(seconds),
        ),
    ];
    let whole = [
        ("geocast_store_state_bytes", "Bytes of state that the embedded store holds.", state_bytes),
        ("geocast_store_history_bytes", "Bytes of history that the embedded store holds.", history_bytes),
    ];
    let mut families = vec![
        Family::gauge("geocast_store_up", "Whether state can be read and messages arrive.")
            .of([("store", kind.into())], findings.store_works),
    ];
    families.extend(
        real.into_iter().filter_map(|(name, help, value)| Some(Family::gauge(name, help).is(value?))),
    );
    families.extend(
        whole.into_iter().filter_map(|(name, help, value)| Some(Family::gauge(name, help).is(value?))),
    );
    families
}

fn certificates(certificates: &[(String, Tls)]) -> Family {
    let expire = certificates.iter().filter_map(|(address, tls)| {
        let until = tls.expires()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some((address.clone(), until.as_secs()))
    });
    Family::gauge(
        "geocast_tls_certificate_expiry_timestamp_seconds",
        "Until when the certificate of a listener is valid, in seconds since 1970.",
    )
    .by("listener", expire)
}
