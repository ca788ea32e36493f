use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::subscriptions::Subscriptions;

/// What the store and its subscriber task both see.
#[derive(Debug)]
pub(super) struct Shared {
    /// Held for the time of a few map operations only, never while waiting.
    pub(super) subscriptions: Mutex<Subscriptions>,
    /// Wakes the subscriber task when the subscriptions have changed.
    pub(super) changed: Notify,
    link: Mutex<Link>,
    skipped: AtomicU64,
    interruptions: AtomicU64,
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
    pub(super) fn new() -> Self {
        Self {
            subscriptions: Mutex::default(),
            changed: Notify::new(),
            link: Mutex::new(Link::Away("not connected yet".to_owned())),
            skipped: AtomicU64::new(0),
            interruptions: AtomicU64::new(0),
        }
    }

    pub(super) fn link(&self) -> Link {
        self.link.lock().clone()
    }

    pub(super) fn set_link(&self, link: Link) {
        *self.link.lock() = link;
    }

    /// Counts a message that was too long, and returns how many there were.
    pub(super) fn count_skipped(&self) -> u64 {
        self.skipped.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn count_interruption(&self) {
        self.interruptions.fetch_add(1, Ordering::Relaxed);
    }

    /// Messages that were too long, and times that a live connection was lost.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.skipped.load(Ordering::Relaxed), self.interruptions.load(Ordering::Relaxed))
    }
}
