use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use super::{Rights, RightsError};

/// The rights of all who are connected, each kept once however many have it: polygons take room, and time to read.
#[derive(Debug, Default)]
pub(in crate::access) struct KnownRights {
    // Claims come from whoever signs tokens: the standard library's hasher is seeded. Bounded with the connections.
    by_claim: Mutex<HashMap<Box<str>, Weak<Rights>>>,
    /// The last that were read, whether or not anybody has them: whoever comes again, or presents the same token with each
    /// request, must not have it read each time.
    lately: Mutex<VecDeque<Arc<Rights>>>,
}

impl KnownRights {
    /// Reads a claim, or finds it.
    pub(in crate::access) fn read(&self, claim: &str) -> Result<Arc<Rights>, RightsError> {
        if let Some(rights) = self.by_claim.lock().get(claim).and_then(Weak::upgrade) {
            return Ok(rights);
        }
        // Not under the lock: it takes up to milliseconds. Who reads the same at the same time keeps another copy.
        let rights = Arc::new(Rights::read(claim)?);
        let mut by_claim = self.by_claim.lock();
        // Those that nobody has any more make room when they may be the larger part.
        if by_claim.len() == by_claim.capacity() {
            by_claim.retain(|_, rights| rights.strong_count() > 0);
        }
        by_claim.insert(claim.into(), Arc::downgrade(&rights));
        drop(by_claim);
        let mut lately = self.lately.lock();
        if lately.len() == LATELY {
            lately.pop_front();
        }
        lately.push_back(Arc::clone(&rights));
        Ok(rights)
    }
}

/// Pages have few tokens that all of their visitors get. The largest take a few hundred kilobytes.
const LATELY: usize = 16;

#[cfg(test)]
impl KnownRights {
    /// How many claims are remembered, those that nobody has any more among them.
    pub(super) fn len(&self) -> usize {
        self.by_claim.lock().len()
    }
}
