use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{notices::Notices, settling::Settling, subscriptions::Subscriptions};
use crate::{Count, Counters, clock};

/// What the store and its subscriber task both see.
#[derive(Debug)]
pub(super) struct Shared {
    /// Held for the time of a few map operations only, never while waiting.
    pub(super) subscriptions: Mutex<Subscriptions>,
    /// Wakes the subscriber task when the subscriptions have changed.
    pub(super) changed: Notify,
    /// What Redis tells of watched hashes, if any are.
    pub(super) notices: Option<Arc<Notices>>,
    /// Who waits for messages of their own.
    pub(super) settling: Settling,
    link: Mutex<Link>,
    masters: Mutex<Masters>,
    /// How often one of the masters was found to be away.
    losses: AtomicU64,
    /// When the connection was proven alive last, and how long that took.
    proven: Mutex<Option<(Instant, Duration)>>,
    counters: Arc<Counters>,
}

/// What probes found of the masters, besides the one of the subscriber connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Masters {
    /// All took what was published on them.
    #[default]
    Here,
    /// One could not be reached.
    Away,
    /// All can be reached again.
    Back,
}

/// The state of the subscriber connection.
#[derive(Debug, Clone)]
pub(super) enum Link {
    /// There is none, for this reason.
    Away(String),
    /// It is proven alive, and all that is wanted is subscribed.
    Live,
}

impl Shared {
    pub(super) fn new(counters: Arc<Counters>, notices: Option<Arc<Notices>>) -> Self {
        Self {
            subscriptions: Mutex::default(),
            changed: Notify::new(),
            notices,
            settling: Settling::default(),
            masters: Mutex::default(),
            losses: AtomicU64::new(0),
            proven: Mutex::default(),
            link: Mutex::new(Link::Away("not connected yet".to_owned())),
            counters,
        }
    }

    pub(super) fn link(&self) -> Link {
        self.link.lock().clone()
    }

    pub(super) fn set_link(&self, link: Link) {
        *self.link.lock() = link;
    }

    /// A master could not be reached, or has ended a connection.
    pub(super) fn a_master_was_away(&self) {
        self.losses.fetch_add(1, Ordering::Relaxed);
        *self.masters.lock() = Masters::Away;
    }

    /// How often that was so far.
    pub(super) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    /// A probe was published on each master. One that was lost since it began, when there were so many `losses`, may have been
    /// published on before.
    pub(super) fn all_masters_answered(&self, losses: u64) {
        let mut masters = self.masters.lock();
        if *masters == Masters::Away && losses == self.losses() {
            *masters = Masters::Back;
            self.changed.notify_one();
        }
    }

    /// Whether a master was away and is back, told once.
    pub(super) fn take_return(&self) -> bool {
        let mut masters = self.masters.lock();
        let is_back = *masters == Masters::Back;
        if is_back {
            *masters = Masters::Here;
        }
        is_back
    }

    /// A subscriber connection is new: what was before it is told of by its beginning.
    pub(super) fn begin_anew(&self) {
        *self.masters.lock() = Masters::Here;
    }

    /// A probe that began then has come back.
    pub(super) fn proven(&self, since: Instant) {
        let now = clock::now();
        *self.proven.lock() = Some((now, now.saturating_duration_since(since)));
    }

    /// How long ago a probe came back last, and how long it had taken.
    pub(super) fn last_proof(&self) -> Option<(Duration, Duration)> {
        self.proven.lock().map(|(at, took)| (clock::now().saturating_duration_since(at), took))
    }

    /// Counts a message that was too long.
    pub(super) fn skipped(&self, channel: &[u8], bytes: u64, limit: usize) {
        self.counters.add(Count::StoreSkipped);
        let skipped = self.counters.value(Count::StoreSkipped);
        // A publisher that does this often shall not fill the log.
        if skipped.is_power_of_two() {
            let channel = channel.escape_ascii();
            tracing::warn!(event = "store_message_skipped", %channel, bytes, limit, skipped, "skipped a message that is too long");
        }
    }

    pub(super) fn count_interruption(&self) {
        self.counters.add(Count::StoreInterrupted);
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }
}
