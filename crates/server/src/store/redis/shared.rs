use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{notices::Notices, subscriptions::Subscriptions};
use crate::{Count, Counters};

/// What the store and its subscriber task both see.
#[derive(Debug)]
pub(super) struct Shared {
    /// Held for the time of a few map operations only, never while waiting.
    pub(super) subscriptions: Mutex<Subscriptions>,
    /// Wakes the subscriber task when the subscriptions have changed.
    pub(super) changed: Notify,
    /// What Redis tells of watched hashes, if any are.
    pub(super) notices: Option<Arc<Notices>>,
    link: Mutex<Link>,
    counters: Arc<Counters>,
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

    /// Counts a message that was too long, and returns how many there were.
    pub(super) fn count_skipped(&self) -> u64 {
        self.counters.add(Count::StoreSkipped);
        self.counters.value(Count::StoreSkipped)
    }

    pub(super) fn count_interruption(&self) {
        self.counters.add(Count::StoreInterrupted);
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }
}
