use std::time::Instant;

use super::NodeId;

/// How many clients, by node.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// They are few: a list takes less room than a map.
    places: Vec<(NodeId, u32)>,
    /// Whether watchers have been told that somebody is there.
    pub(super) is_shown: bool,
    /// Whether it is waited for somebody to come back.
    pub(super) is_awaited: bool,
    /// Since when nobody has been there.
    pub(super) empty_since: Option<Instant>,
}

impl Tally {
    /// Sets what a node has, and returns what it had.
    pub(super) fn set(&mut self, node: NodeId, count: u32, now: Instant) -> u32 {
        let place = self.places.iter().position(|(other, _)| *other == node);
        let before = match (place, count) {
            (None, 0) => 0,
            (None, _) => {
                self.places.push((node, count));
                0
            }
            (Some(place), 0) => self.places.swap_remove(place).1,
            (Some(place), _) => std::mem::replace(&mut self.places[place].1, count),
        };
        self.empty_since = self.places.is_empty().then(|| self.empty_since.unwrap_or(now));
        before
    }

    pub(super) fn of(&self, node: NodeId) -> u32 {
        self.places.iter().find(|(other, _)| *other == node).map_or(0, |(_, count)| *count)
    }

    pub(super) fn total(&self) -> u64 {
        self.places.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}
