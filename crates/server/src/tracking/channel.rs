use std::rc::{Rc, Weak};

use geocast_hub::SubscriberId;
use rustc_hash::FxHashMap;

use super::{Awaited, Behind, Memory, Mirror, Versions};
use crate::{event::TrackKey, hashing::HashSet, interest::Sight, worker::Known};

/// A channel that is tracked, as one worker knows it.
#[derive(Debug, Default)]
pub(crate) struct TrackedChannel {
    pub(crate) mirror: Mirror,
    /// Whether the mirror has the state; until then everybody is behind.
    pub(crate) known: Rc<Known>,
    pub(crate) awaited: Awaited,
    /// Subscribers that are not up to date. Their ids are the server's own.
    pub(crate) behind: FxHashMap<SubscriberId, Behind>,
    /// Keys that have expired while somebody was behind, who is to be told why they are no more.
    pub(crate) expired: HashSet<TrackKey>,
    /// What all that is taken which those who are behind have.
    pub(crate) memory: Rc<Memory>,
    /// Whether somebody waits for some of it to be given back.
    pub(crate) is_crowded: bool,
    last_shown: Option<LastShown>,
}

/// What was shown last, in which sight and in which version of the mirror.
#[derive(Debug)]
struct LastShown {
    sight: Sight,
    version: u64,
    versions: Weak<Versions>,
}

impl TrackedChannel {
    /// One that has nothing and waits.
    pub(crate) fn newcomer(&self, sight: Sight) -> Behind {
        Behind::new(Versions::new(&self.memory), sight)
    }

    /// What a subscriber has that has followed until now: the versions of the keys that it sees.
    pub(crate) fn shown(&mut self, sight: &Sight) -> Rc<Versions> {
        let version = self.mirror.version();
        let last = self.last_shown.as_ref().filter(|last| last.version == version && last.sight == *sight);
        if let Some(known) = last.and_then(|last| last.versions.upgrade()) {
            return known;
        }
        let mut shown = Versions::new(&self.memory);
        self.mirror.visit(sight.bounds(), |entry| {
            if sight.shows(&entry.event).is_ok() {
                shown.insert(entry.key.clone(), entry.version);
            }
        });
        let shown = Rc::new(shown);
        self.last_shown = Some(LastShown { sight: sight.clone(), version, versions: Rc::downgrade(&shown) });
        shown
    }

    /// Notes why a key is no more, for those who are behind.
    pub(crate) fn expire(&mut self, key: TrackKey) {
        if self.behind.is_empty() {
            self.expired = HashSet::default();
        } else if self.expired.len() < MOST_EXPIRED {
            self.expired.insert(key);
        }
    }
}

/// Keys of which it is remembered that they have expired. Of others it is said that they were deleted.
const MOST_EXPIRED: usize = 100_000;

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Instant};

    use geocast_geo_filter::Limits;

    use super::*;
    use crate::{
        AbsentClientReference, Event,
        dialect::{AnyDialect, Text},
    };

    #[test]
    fn those_who_fall_behind_together_share_what_they_have() {
        let mut channel = TrackedChannel::default();
        let put = |channel: &mut TrackedChannel, key: u8| {
            let payload = format!(r#"{{"type":"Feature","id":{key},"geometry":null}}"#);
            let name = "map".parse().expect("a channel");
            let event = Arc::new(Event::new(name, payload.into(), 1, &Limits::default()));
            channel.mirror.apply(&event, event.tracked(None).expect("a key"), Instant::now());
        };
        let dialect = AnyDialect::new(Text::new(AbsentClientReference::Null));
        let sight = Sight::of_everything(dialect);
        let other =
            Sight { dialect: AnyDialect::new(Text::new(AbsentClientReference::Null)), ..sight.clone() };
        put(&mut channel, 1);
        let first = channel.shown(&sight);
        assert!(Rc::ptr_eq(&first, &channel.shown(&sight.clone())));
        assert!(!Rc::ptr_eq(&first, &channel.shown(&other)));
        put(&mut channel, 2);
        assert_eq!((first.len(), channel.shown(&sight).len()), (1, 2));
        let key = first.iter().next().expect("one").0;
        let event = channel.mirror.get(key).map(|entry| entry.key.clone());
        channel.mirror.remove(&event.expect("it is there"));
        assert_eq!(channel.shown(&sight).len(), 1);
    }
}
