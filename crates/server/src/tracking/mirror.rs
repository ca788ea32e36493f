use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use rstar::RTree;
use slotmap::SlotMap;

use super::place::{Place, Slot, within};
use crate::{
    Event,
    event::{TrackKey, Tracked},
    happening::{After, Turn},
    hashing::{HashMap, HashSet},
    interest::Bounds,
};

/// The state of a channel as far as a worker knows it: by key, and by place.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    // Keys come from strangers: the standard library's hasher is seeded, so that they cannot be made to collide.
    by_key: HashMap<TrackKey, Slot>,
    entries: SlotMap<Slot, Entry>,
    places: RTree<Place>,
    /// What has no place, which is in every viewport.
    placeless: HashSet<Slot>,
    /// What has a place and is no point: it may be in viewports whose bounds are those of points alone.
    bent: HashSet<Slot>,
    /// What was heard of when, oldest first; an entry that was heard of again since then stands there twice.
    ages: VecDeque<(Instant, Slot, u64)>,
    /// How often something was heard of.
    times: u64,
    /// What was heard of since the state is being read: it is newer than what will have been read.
    heard: Option<HashSet<TrackKey>>,
    /// How often something has changed.
    versions: u64,
    /// Bytes of all payloads and keys, and of what there is besides, roughly.
    bytes: usize,
}

/// How much a mirror may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) keys: usize,
    pub(crate) bytes: usize,
}

/// The state of a key.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: TrackKey,
    pub(crate) event: Arc<Event>,
    /// The mirror's version when it became what it is.
    pub(crate) version: u64,
    /// Whether it was read from the store, and its publication may still be on the way.
    is_read: bool,
    /// When it was last heard of, as a number that stands in the list of ages.
    time: u64,
}

impl Mirror {
    /// The state of a key.
    pub(crate) fn get(&self, key: &TrackKey) -> Option<&Entry> {
        self.by_key.get(key).and_then(|slot| self.entries.get(*slot))
    }

    /// Rises with every change.
    pub(crate) fn version(&self) -> u64 {
        self.versions
    }

    /// Whether there is room for this state of a key.
    pub(crate) fn has_room(&self, event: &Event, tracked: &Tracked, bound: Bound) -> bool {
        match self.get(&tracked.key) {
            Some(entry) => self.bytes - cost(&entry.event) + cost(event) <= bound.bytes,
            None => self.entries.len() < bound.keys && self.bytes + cost(event) <= bound.bytes,
        }
    }

    /// What an event will change.
    pub(crate) fn turn(&self, event: &Event, tracked: &Tracked) -> Turn {
        let before = self.get(&tracked.key);
        let after = match before {
            _ if tracked.is_deleted => After::Gone(geocast_protocol::LeaveReason::Deleted),
            Some(_) if self.same(event, tracked).is_some() => After::Same,
            _ => After::Here,
        };
        Turn { before: before.map(|entry| Arc::clone(&entry.event)), after }
    }

    /// Takes up a change.
    pub(crate) fn apply(&mut self, event: &Arc<Event>, tracked: &Tracked, now: Instant) {
        if let Some(heard) = &mut self.heard {
            heard.insert(tracked.key.clone());
        }
        if tracked.is_deleted {
            self.remove(&tracked.key);
        } else if let Some(slot) = self.same(event, tracked) {
            // Who has been told of it need not be told again.
            if let Some(entry) = self.entries.get_mut(slot) {
                entry.is_read = false;
            }
            self.hear(slot, now);
        } else {
            let before = self.by_key.get(&tracked.key).and_then(|slot| self.place(*slot));
            let slot = self.set(event, tracked, false, now);
            // Much stands still.
            if before.is_none() || before != self.place(slot) {
                self.unsettle(slot, before.as_ref());
                self.settle(slot);
            }
        }
    }

    /// Removes a key whose new state has no room.
    pub(crate) fn lose(&mut self, key: &TrackKey) {
        if let Some(heard) = &mut self.heard {
            heard.insert(key.clone());
        }
        self.remove(key);
    }

    /// Removes a key.
    pub(crate) fn remove(&mut self, key: &TrackKey) {
        let Some(slot) = self.by_key.remove(key) else { return };
        let place = self.place(slot);
        self.unsettle(slot, place.as_ref());
        self.release(slot);
    }

    /// Notes that the state is being read from now on.
    pub(crate) fn begin_reading(&mut self) {
        self.heard = Some(HashSet::default());
    }

    /// Notes that the state could not be read.
    pub(crate) fn give_up_reading(&mut self) {
        self.heard = None;
    }

    /// Takes up the state as it was read, but for what has been heard of meanwhile. Returns how many keys had no room.
    pub(crate) fn absorb<'a>(
        &mut self,
        state: impl Iterator<Item = (&'a Arc<Event>, &'a Tracked)> + Clone,
        bound: Bound,
        now: Instant,
    ) -> usize {
        let heard = self.heard.take().unwrap_or_default();
        // A deletion may stand in the state like anything else.
        let state = state.filter(|(_, tracked)| !tracked.is_deleted);
        let read: HashSet<&TrackKey> = state.clone().map(|(_, tracked)| &tracked.key).collect();
        let is_gone = |key: &&TrackKey| !read.contains(key) && !heard.contains(*key);
        let mut gone: Vec<TrackKey> = self.by_key.keys().filter(is_gone).cloned().collect();
        // They make room for others.
        gone.drain(..).for_each(|key| self.forget(&key));
        let mut surplus = 0;
        for (event, tracked) in state {
            if heard.contains(&tracked.key) {
                continue;
            }
            match self.get(&tracked.key) {
                Some(entry) if entry.event.payload() == event.payload() => {
                    if let Some(slot) = self.by_key.get(&tracked.key).copied() {
                        self.hear(slot, now);
                    }
                }
                _ if !self.has_room(event, tracked, bound) => {
                    surplus += 1;
                    self.forget(&tracked.key);
                }
                _ => drop(self.set(event, tracked, true, now)),
            }
        }
        self.index();
        surplus
    }

    /// Visits every entry that may be within these bounds, in the units of the source, each once; all of them where there
    /// are none.
    pub(crate) fn visit<'a>(&'a self, bounds: Option<Bounds<'_>>, mut visit: impl FnMut(&'a Entry)) {
        let Some(Bounds { boxes, for_points_alone }) = bounds else {
            return self.entries.values().for_each(visit);
        };
        let unbounded = self.placeless.iter().chain(self.bent.iter().filter(|_| for_points_alone));
        for slot in unbounded {
            self.entries.get(*slot).into_iter().for_each(&mut visit);
        }
        for (position, bbox) in boxes.iter().enumerate() {
            for place in self.places.locate_in_envelope_intersecting(&within(bbox)) {
                let is_known = for_points_alone && !place.is_points
                    || boxes[..position].iter().any(|earlier| place.is_within(&within(earlier)));
                if !is_known {
                    self.entries.get(place.slot).into_iter().for_each(&mut visit);
                }
            }
        }
    }

    /// The key that has not been heard of for the longest time, if that is as long as this.
    pub(crate) fn expired(&mut self, age: Duration, now: Instant) -> Option<&Entry> {
        while let Some((heard, slot, time)) = self.ages.front().copied() {
            match self.entries.get(slot) {
                Some(entry) if entry.time == time => {
                    let is_over = heard + age <= now;
                    return if is_over { self.entries.get(slot) } else { None };
                }
                _ => drop(self.ages.pop_front()),
            }
        }
        None
    }

    /// Sets the state of a key, but not its place.
    fn set(&mut self, event: &Arc<Event>, tracked: &Tracked, is_read: bool, now: Instant) -> Slot {
        self.versions += 1;
        let (key, version) = (tracked.key.clone(), self.versions);
        let entry = Entry { key: key.clone(), event: Arc::clone(event), version, is_read, time: 0 };
        self.bytes += cost(event);
        let slot = match self.by_key.get(&key).copied() {
            Some(slot) => {
                if let Some(known) = self.entries.get_mut(slot) {
                    self.bytes -= cost(&known.event);
                    *known = entry;
                }
                slot
            }
            None => {
                let slot = self.entries.insert(entry);
                self.by_key.insert(key, slot);
                slot
            }
        };
        self.hear(slot, now);
        slot
    }

    /// The entry that was read from the store and is now published as it is.
    fn same(&self, event: &Event, tracked: &Tracked) -> Option<Slot> {
        let slot = *self.by_key.get(&tracked.key)?;
        let entry = self.entries.get(slot)?;
        (entry.is_read && entry.event.payload() == event.payload()).then_some(slot)
    }

    /// Notes that an entry has been heard of.
    fn hear(&mut self, slot: Slot, now: Instant) {
        let Some(entry) = self.entries.get_mut(slot) else { return };
        self.times += 1;
        entry.time = self.times;
        self.ages.push_back((now, slot, self.times));
        // Entries that were heard of again are forgotten here when they are the larger part.
        if self.ages.len() > 64 + 2 * self.entries.len() {
            let entries = &self.entries;
            self.ages.retain(|(_, slot, time)| entries.get(*slot).is_some_and(|entry| entry.time == *time));
        }
    }

    /// Forgets a key, whose place is forgotten later.
    fn forget(&mut self, key: &TrackKey) {
        if let Some(slot) = self.by_key.remove(key) {
            self.release(slot);
        }
    }

    /// Forgets an entry that is nowhere any more.
    fn release(&mut self, slot: Slot) {
        self.versions += 1;
        if let Some(entry) = self.entries.remove(slot) {
            self.bytes -= cost(&entry.event);
        }
    }

    /// Puts an entry where it is.
    fn settle(&mut self, slot: Slot) {
        let Some(entry) = self.entries.get(slot) else { return };
        match place_of(slot, entry) {
            Some(place) => {
                if !place.is_points {
                    self.bent.insert(slot);
                }
                self.places.insert(place);
            }
            None => drop(self.placeless.insert(slot)),
        }
    }

    /// Takes an entry away from where it was, or from what has no place.
    fn unsettle(&mut self, slot: Slot, place: Option<&Place>) {
        match place {
            Some(place) => {
                self.places.remove(place);
                self.bent.remove(&slot);
            }
            None => drop(self.placeless.remove(&slot)),
        }
    }

    /// Where an entry is, if it has a place.
    fn place(&self, slot: Slot) -> Option<Place> {
        self.entries.get(slot).and_then(|entry| place_of(slot, entry))
    }

    /// Puts all entries where they are, which is faster than one after the other.
    fn index(&mut self) {
        self.placeless.clear();
        self.bent.clear();
        let mut places = Vec::with_capacity(self.entries.len());
        for (slot, entry) in &self.entries {
            match place_of(slot, entry) {
                Some(place) => {
                    if !place.is_points {
                        self.bent.insert(slot);
                    }
                    places.push(place);
                }
                None => drop(self.placeless.insert(slot)),
            }
        }
        self.places = RTree::bulk_load(places);
    }
}

/// What a state takes, roughly: its payload, and what is kept of it besides.
fn cost(event: &Event) -> usize {
    event.payload().len() + size_of::<Event>() + size_of::<Entry>() + size_of::<Place>()
}

/// Where an entry is, in the units of the source.
fn place_of(slot: Slot, entry: &Entry) -> Option<Place> {
    Place::new(slot, entry.event.geography()?.shape())
}

#[cfg(test)]
mod tests;
