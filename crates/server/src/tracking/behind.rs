use std::collections::HashMap;

use crate::{event::TrackKey, interest::Sight};

/// A tracked subscriber that is not up to date: what it has, and what it is to have.
#[derive(Debug)]
pub(crate) struct Behind {
    /// What it has been sent, or will have been when its outbox is empty: the versions of keys, as its map has them.
    pub(crate) has: HashMap<TrackKey, u64>,
    /// What it is to see from now on.
    pub(crate) sight: Sight,
    /// Whether it may be sent something: not before it is told that the subscription is in force.
    pub(crate) is_ready: bool,
}

impl Behind {
    /// One that has nothing and waits.
    pub(crate) fn new(sight: Sight) -> Self {
        Self { has: HashMap::new(), sight, is_ready: false }
    }

    /// One that has had all that it was to have.
    pub(crate) fn with(has: HashMap<TrackKey, u64>, sight: Sight) -> Self {
        Self { has, sight, is_ready: true }
    }

    /// Notes why a key is no more.
    pub(crate) fn expire(&mut self, key: &TrackKey) {
        if let Some(version) = self.has.get_mut(key) {
            *version = EXPIRED;
        }
    }

    /// Whether what it has looks the same in another sight: else all of it has to be sent again.
    pub(crate) fn look(&mut self, sight: Sight) {
        if !self.sight.renders_like(&sight) {
            self.has.values_mut().for_each(|version| *version = OUTDATED);
        }
        self.sight = sight;
    }
}

/// The version of what has to be sent again whatever its state is: no entry has it.
pub(crate) const OUTDATED: u64 = 0;

/// The version of what has expired meanwhile: no entry has it.
pub(crate) const EXPIRED: u64 = u64::MAX;
