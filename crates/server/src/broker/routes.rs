use geocast_protocol::Channel;
use rustc_hash::FxHashMap;

use super::sync::{AtomicU64, Ordering, RwLock};

/// Which workers listen to which channel, and the numbers of the events that they are handed.
#[derive(Debug)]
pub(super) struct Routes {
    /// One bit for each worker. A channel that nobody listens to is not there.
    routes: RwLock<FxHashMap<Channel, u64>>,
    next: AtomicU64,
}

impl Routes {
    pub(super) fn new() -> Self {
        Self { routes: RwLock::new(FxHashMap::default()), next: AtomicU64::new(1) }
    }

    pub(super) fn join(&self, worker: usize, channel: &Channel) {
        *self.routes.write().entry(channel.clone()).or_default() |= 1 << worker;
    }

    pub(super) fn leave(&self, worker: usize, channel: &Channel) {
        let mut routes = self.routes.write();
        if let Some(route) = routes.get_mut(channel) {
            *route &= !(1 << worker);
            if *route == 0 {
                routes.remove(channel);
            }
        }
    }

    /// The workers that listen, one bit each.
    pub(super) fn of(&self, channel: &Channel) -> u64 {
        self.routes.read().get(channel).copied().unwrap_or_default()
    }

    /// How many channels somebody listens to.
    pub(super) fn len(&self) -> usize {
        self.routes.read().len()
    }

    /// A number that no other event has. Numbers say which event is which, not which came first.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}
