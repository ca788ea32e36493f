use std::rc::Rc;

use super::channel::Versions;
use crate::interest::Sight;

/// A tracked subscriber that is not up to date: what it has, and what it is to have.
#[derive(Debug)]
pub(crate) struct Behind {
    /// What it has been sent, or will have been when its outbox is empty: the versions of keys, as its map has them.
    pub(crate) has: Versions,
    /// What it is to see from now on.
    pub(crate) sight: Sight,
    /// Whether it may be sent something: not before it is told that the subscription is in force.
    pub(crate) is_ready: bool,
}

impl Behind {
    /// One that has nothing and waits.
    pub(crate) fn new(sight: Sight) -> Self {
        Self { has: Versions::default(), sight, is_ready: false }
    }

    /// One that has had all that it was to have.
    pub(crate) fn with(has: Versions, sight: Sight) -> Self {
        Self { has, sight, is_ready: true }
    }

    /// Whether what it has looks the same in another sight: else all of it has to be sent again.
    pub(crate) fn look(&mut self, sight: Sight) {
        if !self.sight.renders_like(&sight) {
            Rc::make_mut(&mut self.has).values_mut().for_each(|version| *version = OUTDATED);
        }
        self.sight = sight;
    }
}

/// The version of what has to be sent again whatever its state is: no entry has it.
pub(crate) const OUTDATED: u64 = 0;
