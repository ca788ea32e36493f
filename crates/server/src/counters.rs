use std::sync::atomic::{AtomicU64, Ordering};

use crate::metrics::Tallies;

/// What happened, by reason. Every count only rises.
///
/// For each event that came from the store, every subscriber of its channel is counted in exactly one place: under
/// [`Delivered`](Count::Delivered), or under one of the reasons named `Withheld…`. It is counted when that is decided:
/// for an event that waits for its subscriber, when its message has left to the last byte, or is discarded, or the
/// connection has ended. Until then it is counted nowhere. An event that a subscriber gets later than others because it
/// subscribed in between is counted for it like any other; values of the state that a GET answers with are not events.
#[derive(Debug)]
pub struct Counters {
    counts: [AtomicU64; Count::ALL.len()],
    pub(crate) tallies: Tallies,
}

macro_rules! counts {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)+) => {
        /// One thing that is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Count {
            $($(#[$doc])* $variant,)+
        }

        impl Count {
            /// All of them, in the order of their declaration.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The stable name under which it is shown.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

counts! {
    /// Messages that came from the store.
    Events => "events",
    /// Of those, messages that have a place in the history of their channel.
    EventsKept => "events_kept",
    /// Of those, messages between clients that filters have sent on.
    EventsInternal => "events_internal",
    /// Of those, messages of channels that nobody listened to, which were not looked into.
    EventsUnheard => "events_unheard",
    /// Messages that have left to a subscriber: the operating system has taken all bytes.
    Delivered => "delivered",
    /// Bytes of WebSocket frames that the operating system, or the TLS session, has taken.
    BytesSent => "bytes_sent",
    /// Messages kept from a subscriber: no part of the geometry is in the viewport.
    WithheldOutside => "withheld_outside_viewport",
    /// Messages kept from a subscriber: no feature in the viewport has the properties that it asked for.
    WithheldFiltered => "withheld_filtered",
    /// Messages kept from a subscriber: its token does not let it see them.
    WithheldAccess => "withheld_access",
    /// Messages kept from a subscriber: the geometry has no finite coordinates in the subscriber's system.
    WithheldUnprojectable => "withheld_unprojectable",
    /// Messages kept from a subscriber: JSON nested too deeply.
    WithheldTooDeep => "withheld_too_deep",
    /// Messages kept from a subscriber: too many positions.
    WithheldTooManyVertices => "withheld_too_many_vertices",
    /// Messages kept from a subscriber: it is the one who sent them.
    WithheldOwn => "withheld_own_message",
    /// Messages kept from a subscriber: its outbox had no room for them or lost them to others, or it was being closed.
    WithheldSlow => "withheld_slow_consumer",
    /// Messages kept from a subscriber: a newer state of the same key came while they were waiting.
    WithheldReplaced => "withheld_replaced",
    /// Messages kept from a tracked subscriber: the feature has moved less than it wants to be told.
    WithheldStill => "withheld_still",
    /// Messages kept from a tracked subscriber: its channel has as many keys, or as much state, as is allowed.
    WithheldUntracked => "withheld_untracked_key",
    /// Messages kept from a subscriber: its connection ended while they were waiting.
    WithheldGone => "withheld_connection_ended",
    /// Messages that were not kept for those who had read a channel's state and might subscribe: there were too many.
    HoldDropped => "hold_dropped",
    /// Commands that no dialect knows.
    CommandUnknown => "command_unknown",
    /// Commands that could not be read or do not make sense.
    CommandMalformed => "command_malformed",
    /// Times a client was made to wait because it sent commands too fast.
    CommandDelayed => "command_delayed",
    /// Channels that a client asked for and may not read.
    ChannelRefused => "channel_refused",
    /// Subscriptions above a client's bound.
    SubscriptionRefused => "subscription_refused",
    /// Connections that were upgraded.
    Connected => "connections_opened",
    /// Connections that ended.
    Disconnected => "connections_closed",
    /// Connections above the bound, or from a page that may not connect.
    ConnectionRefused => "connections_refused",
    /// Connections closed because the client did not read.
    ClosedSlow => "closed_slow_consumer",
    /// Connections closed because the client was silent after a ping.
    ClosedSilent => "closed_silent",
    /// Connections closed because the time of their token was over.
    ClosedExpired => "closed_token_expired",
    /// Connections closed because, since settings or keys have changed, what they came with is not accepted any more.
    ClosedRevoked => "closed_access_revoked",
    /// Subscriptions ended because the channel may not be read any more: settings have changed, or a token's time is over.
    SubscriptionEnded => "subscriptions_ended",
    /// Connections closed for a violation of the WebSocket protocol.
    ClosedProtocol => "closed_protocol_error",
    /// Filters that failed for a message.
    FilterFailed => "filter_failed",
    /// What filters wanted published and was not, because too much was waiting or would have come back.
    FilterDropped => "filter_publications_dropped",
    /// Items of channels that passed no filter, because these took too long.
    FilterSkipped => "filter_skipped",
    /// Reads of state that failed.
    StoreFailed => "store_failed",
    /// Messages of the store that were longer than allowed and were skipped.
    StoreSkipped => "store_messages_skipped",
    /// Subscriptions that were told that messages may have been missed.
    Gaps => "gaps_told",
    /// Times that messages stopped coming from the store.
    StoreInterrupted => "store_interrupted",
    /// Times that messages of the store came again after they had stopped.
    StoreReturned => "store_returned",
    /// Commands to the store that failed, or were not answered in time.
    StoreCommandFailed => "store_commands_failed",
    /// Messages that were put into a history here.
    HistoryAppended => "history_appended",
    /// Publications over HTTP that were accepted.
    Published => "published",
    /// Publications over HTTP that were refused.
    PublishRefused => "publish_refused",
}

impl Default for Counters {
    fn default() -> Self {
        Self { counts: [const { AtomicU64::new(0) }; Count::ALL.len()], tallies: Tallies::default() }
    }
}

impl Counters {
    /// Adds one.
    pub(crate) fn add(&self, count: Count) {
        self.add_many(count, 1);
    }

    /// Adds `number`.
    pub(crate) fn add_many(&self, count: Count, number: u64) {
        // Counts are read by people and never decide anything, so they need no order among each other.
        self.counts[count as usize].fetch_add(number, Ordering::Relaxed);
    }

    /// How often it happened so far.
    pub fn value(&self, count: Count) -> u64 {
        self.counts[count as usize].load(Ordering::Relaxed)
    }

    /// All counts with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Count::ALL.into_iter().map(|count| (count.name(), self.value(count)))
    }
}
