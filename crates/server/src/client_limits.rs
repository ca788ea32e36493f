use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use geocast_hub::Overflow;
use parking_lot::RwLock;

use crate::Limits;

/// The limits that hold at this moment. Those on one client are taken by each when it connects, and are its own from then on.
#[derive(Debug)]
pub(crate) struct ClientLimits {
    /// Held only to take or to replace the reference.
    current: RwLock<Arc<Limits>>,
    /// The smallest outbox that there has been since the start: somebody may have it still.
    least_outbox: AtomicUsize,
    /// Whether anybody has had older states make way for newer ones since the start.
    replaces_states: AtomicBool,
}

impl ClientLimits {
    pub(crate) fn new(first: &Limits) -> Self {
        Self {
            current: RwLock::new(Arc::new(first.clone())),
            least_outbox: AtomicUsize::new(first.outbox),
            replaces_states: AtomicBool::new(first.overflow == Overflow::Latest),
        }
    }

    /// Has these hold from now on.
    pub(crate) fn replace(&self, limits: Limits) {
        // Before anybody has them: who takes them under the lock finds this done.
        self.least_outbox.fetch_min(limits.outbox, Ordering::Relaxed);
        self.replaces_states.fetch_or(limits.overflow == Overflow::Latest, Ordering::Relaxed);
        *self.current.write() = Arc::new(limits);
    }

    /// Those that hold.
    pub(crate) fn current(&self) -> Arc<Limits> {
        Arc::clone(&self.current.read())
    }

    /// Bytes that may be pushed to anybody before they are written. What is pushed waits in every outbox, and the bound of an outbox
    /// is for slow readers, not for this.
    pub(crate) fn most_unwritten(&self) -> usize {
        self.least_outbox.load(Ordering::Relaxed) / 16
    }

    /// Whether it has to be known of events of which key they are.
    pub(crate) fn replaces_states(&self) -> bool {
        self.replaces_states.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_may_still_have_is_regarded() {
        let of = |outbox, overflow| Limits { outbox, overflow, ..Limits::default() };
        let limits = ClientLimits::new(&of(1600, Overflow::Close));
        let held = limits.current();
        assert_eq!((limits.most_unwritten(), limits.replaces_states()), (100, false));
        limits.replace(of(800, Overflow::Latest));
        assert_eq!((limits.most_unwritten(), limits.replaces_states()), (50, true));
        limits.replace(of(3200, Overflow::DropOldest));
        assert_eq!((limits.most_unwritten(), limits.replaces_states()), (50, true));
        assert_eq!((held.outbox, limits.current().outbox), (1600, 3200));
    }
}
