use std::{collections::HashMap, rc::Rc};

use geocast_hub::SubscriberId;
use rustc_hash::FxHashMap;

use super::{Awaited, Behind, Mirror};
use crate::{event::TrackKey, interest::Sight, worker::Known};

/// A channel that is tracked, as one worker knows it.
#[derive(Debug, Default)]
pub(crate) struct TrackedChannel {
    pub(crate) mirror: Mirror,
    /// Whether the mirror has the state; until then everybody is behind.
    pub(crate) known: Rc<Known>,
    pub(crate) awaited: Awaited,
    /// Subscribers that are not up to date. Their ids are the server's own.
    pub(crate) behind: FxHashMap<SubscriberId, Behind>,
}

impl TrackedChannel {
    /// What a subscriber has that has followed until now: the versions of the keys that it sees.
    pub(crate) fn shown(&self, sight: &Sight) -> HashMap<TrackKey, u64> {
        let mut shown = HashMap::new();
        self.mirror.visit(sight.bounds(), |entry| {
            if sight.shows(&entry.event).is_ok() {
                shown.insert(entry.key.clone(), entry.version);
            }
        });
        shown
    }
}
