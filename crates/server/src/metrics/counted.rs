//! The counts of a server as metrics.

use super::family::Family;
use crate::{CloseCode, Count, Counters, metrics::tallies::GONE};

/// Where a count is shown.
enum Shown {
    /// As a metric of its own.
    Alone(&'static str, &'static str),
    /// As one of several, which are told apart by their reason: the metric, the reason, what the metric is.
    By(&'static str, &'static str, &'static str),
    /// In another form.
    Elsewhere,
}

/// All of them.
pub(super) fn families(counters: &Counters) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for count in Count::ALL {
        let value = counters.value(count);
        match shown(count) {
            Shown::Alone(name, help) => families.push(Family::counter(name, help).is(value)),
            Shown::By(name, reason, help) => {
                let place = families.iter().position(|family| family.name == name).unwrap_or_else(|| {
                    families.push(Family::counter(name, help));
                    families.len() - 1
                });
                let family = families[place].clone();
                families[place] = family.of([("reason", reason.into())], value);
            }
            Shown::Elsewhere => {}
        }
    }
    families.extend([events(counters), refused(counters), closed(counters), tokens(counters)]);
    families.push(
        Family::histogram(
            "geocast_handshake_seconds",
            "Time from a socket that was accepted to a WebSocket handshake that was answered, TLS included.",
        )
        .is(counters.tallies.handshakes.read()),
    );
    families.push(
        Family::histogram("geocast_state_read_seconds", "Time that reads of state from the store took.")
            .is(counters.tallies.state_reads.read()),
    );
    families
}

fn events(counters: &Counters) -> Family {
    let [all, kept, internal] = [Count::Events, Count::EventsKept, Count::EventsInternal]
        // What is part of another count is read first.
        .map(|count| counters.value(count));
    let kinds = [
        ("plain", all.saturating_sub(kept).saturating_sub(internal)),
        ("kept", kept),
        ("internal", internal),
    ];
    Family::counter(
        "geocast_events",
        "Messages that came from the store, on channels with a history (kept), of filters to clients (internal), or on \
         others (plain).",
    )
    .by("channel", kinds)
}

fn refused(counters: &Counters) -> Family {
    Family::counter(
        "geocast_connections_refused",
        "Connections that were not let in, by what they were told.",
    )
    .by("reason", counters.tallies.refusals.iter())
}

fn closed(counters: &Counters) -> Family {
    let help =
        "Connections that ended, by the code that the server closed them with; none, where it did not.";
    let code = |name: &str| match CloseCode::ALL.into_iter().find(|code| code.name() == name) {
        Some(code) => code.code().to_string(),
        None => "none".to_owned(),
    };
    let ended = counters.tallies.closes.iter().filter(|(name, _)| *name == GONE || code(name) != "none");
    ended.fold(Family::counter("geocast_connections_closed", help), |family, (name, value)| {
        family.of([("code", code(name).into()), ("reason", name.into())], value)
    })
}

fn tokens(counters: &Counters) -> Family {
    Family::counter("geocast_tokens_refused", "Tokens that were not accepted.")
        .by("reason", counters.tallies.tokens.iter())
}

/// A count that is added has to find its place here.
const fn shown(count: Count) -> Shown {
    match count {
        Count::Events
        | Count::EventsKept
        | Count::EventsInternal
        | Count::Connected
        | Count::Disconnected
        | Count::ConnectionRefused
        | Count::ClosedSlow
        | Count::ClosedSilent
        | Count::ClosedExpired
        | Count::ClosedRevoked
        | Count::ClosedProtocol => Shown::Elsewhere,
        Count::EventsUnheard => Shown::Alone(
            "geocast_events_unheard",
            "Messages that came from the store on channels that nobody listened to.",
        ),
        Count::BytesSent => Shown::Alone(
            "geocast_sent_bytes",
            "Bytes of WebSocket frames that the system, or the TLS session, has taken.",
        ),
        Count::Delivered => Shown::Alone(
            "geocast_deliveries",
            "Messages that have left to a subscriber, to the last byte, counted for each subscriber.",
        ),
        Count::WithheldOutside => Shown::By(WITHHELD, "outside_viewport", WITHHELD_HELP),
        Count::WithheldFiltered => Shown::By(WITHHELD, "filtered", WITHHELD_HELP),
        Count::WithheldAccess => Shown::By(WITHHELD, "access", WITHHELD_HELP),
        Count::WithheldUnprojectable => Shown::By(WITHHELD, "unprojectable", WITHHELD_HELP),
        Count::WithheldTooDeep => Shown::By(WITHHELD, "too_deep", WITHHELD_HELP),
        Count::WithheldTooManyVertices => Shown::By(WITHHELD, "too_many_vertices", WITHHELD_HELP),
        Count::WithheldOwn => Shown::By(WITHHELD, "own_message", WITHHELD_HELP),
        Count::WithheldSlow => Shown::By(WITHHELD, "slow_consumer", WITHHELD_HELP),
        Count::WithheldReplaced => Shown::By(WITHHELD, "replaced", WITHHELD_HELP),
        Count::WithheldStill => Shown::By(WITHHELD, "still", WITHHELD_HELP),
        Count::WithheldUntracked => Shown::By(WITHHELD, "untracked_key", WITHHELD_HELP),
        Count::WithheldGone => Shown::By(WITHHELD, "connection_ended", WITHHELD_HELP),
        Count::HoldDropped => Shown::Alone(
            "geocast_holds_dropped",
            "Messages that were not kept for those who had read a channel and might subscribe, because there were too many.",
        ),
        Count::CommandUnknown => Shown::By(COMMANDS, "unknown", COMMANDS_HELP),
        Count::CommandMalformed => Shown::By(COMMANDS, "malformed", COMMANDS_HELP),
        Count::CommandDelayed => Shown::Alone(
            "geocast_commands_delayed",
            "Times that a client had to wait because it sent commands too fast.",
        ),
        Count::ChannelRefused => {
            Shown::Alone("geocast_channels_refused", "Channels that a client asked for and may not read.")
        }
        Count::SubscriptionRefused => {
            Shown::Alone("geocast_subscriptions_refused", "Subscriptions above the bound of a client.")
        }
        Count::SubscriptionEnded => Shown::Alone(
            "geocast_subscriptions_ended",
            "Subscriptions that were ended because the channel may not be read any more.",
        ),
        Count::FilterFailed => Shown::Alone("geocast_filter_failures", "Filters that failed for a message."),
        Count::FilterDropped => Shown::Alone(
            "geocast_filter_publications_dropped",
            "What filters wanted published and was not, because too much was waiting or would have come back.",
        ),
        Count::FilterSkipped => Shown::Alone(
            "geocast_filter_items_skipped",
            "Items of channels that passed no filter, because these took too long.",
        ),
        Count::StoreFailed => Shown::Alone(
            "geocast_state_reads_failed",
            "Reads of state that clients were answered with an error.",
        ),
        Count::StoreSkipped => Shown::Alone(
            "geocast_store_messages_skipped",
            "Messages of the store that were longer than allowed and were skipped.",
        ),
        Count::Gaps => Shown::Alone(
            "geocast_gaps_told",
            "Subscriptions that were told that messages may have been missed.",
        ),
        Count::StoreInterrupted => {
            Shown::Alone("geocast_store_interruptions", "Times that messages stopped coming from the store.")
        }
        Count::StoreReturned => Shown::Alone(
            "geocast_store_reconnects",
            "Times that messages of the store came again after they had stopped.",
        ),
        Count::StoreCommandFailed => Shown::Alone(
            "geocast_store_commands_failed",
            "Commands to the store that failed, or were not answered in time.",
        ),
        Count::HistoryAppended => {
            Shown::Alone("geocast_history_appended", "Messages that were put into a history by this server.")
        }
        Count::Published => {
            Shown::Alone("geocast_publications", "Publications of clients that were accepted.")
        }
        Count::PublishRefused => Shown::Alone(
            "geocast_publications_refused",
            "Publications of clients that were refused, or that the store did not take.",
        ),
    }
}

const WITHHELD: &str = "geocast_withheld";
const WITHHELD_HELP: &str = "Messages that were kept from a subscriber of their channel, counted for each subscriber, under one reason.";
const COMMANDS: &str = "geocast_commands_rejected";
const COMMANDS_HELP: &str = "Commands of clients that no dialect knows or that make no sense.";
