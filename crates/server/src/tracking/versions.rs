use std::{cell::Cell, rc::Rc};

use crate::{event::TrackKey, hashing::HashMap};

/// Versions of keys, as a map has them, and the memory that they take.
#[derive(Debug)]
pub(crate) struct Versions {
    // Keys come from strangers: the standard library's hasher is seeded, so that they cannot be made to collide.
    versions: HashMap<TrackKey, u64>,
    bytes: usize,
    memory: Rc<Memory>,
}

/// Bytes that all versions of a channel's subscribers take, roughly.
#[derive(Debug, Default)]
pub(crate) struct Memory(Cell<usize>);

impl Versions {
    /// Of a map that has nothing.
    pub(crate) fn new(memory: &Rc<Memory>) -> Self {
        Self { versions: HashMap::default(), bytes: 0, memory: Rc::clone(memory) }
    }

    /// Whether the map has nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// How many keys the map has.
    pub(crate) fn len(&self) -> usize {
        self.versions.len()
    }

    /// A key as it is written there, and its version.
    pub(crate) fn get(&self, key: &TrackKey) -> Option<(&TrackKey, u64)> {
        self.versions.get_key_value(key).map(|(key, version)| (key, *version))
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TrackKey, u64)> {
        self.versions.iter().map(|(key, version)| (key, *version))
    }

    /// Notes that the map has a key as it is written now.
    pub(crate) fn insert(&mut self, key: TrackKey, version: u64) {
        self.remove(&key);
        let bytes = cost(&key);
        self.bytes += bytes;
        self.memory.take(bytes);
        self.versions.insert(key, version);
    }

    /// Notes that the map has a key no more.
    pub(crate) fn remove(&mut self, key: &TrackKey) {
        if let Some((key, _)) = self.versions.remove_entry(key) {
            let bytes = cost(&key);
            self.bytes -= bytes;
            self.memory.give_back(bytes);
        }
    }

    /// Notes that all keys have to be sent again, whatever their state is.
    pub(crate) fn outdate(&mut self) {
        self.versions.values_mut().for_each(|version| *version = OUTDATED);
    }
}

impl Clone for Versions {
    fn clone(&self) -> Self {
        self.memory.take(self.bytes);
        Self { versions: self.versions.clone(), bytes: self.bytes, memory: Rc::clone(&self.memory) }
    }
}

impl Drop for Versions {
    fn drop(&mut self) {
        self.memory.give_back(self.bytes);
    }
}

impl Memory {
    /// Bytes that are taken.
    pub(crate) fn taken(&self) -> usize {
        self.0.get()
    }

    fn take(&self, bytes: usize) {
        self.0.set(self.0.get() + bytes);
    }

    fn give_back(&self, bytes: usize) {
        self.0.set(self.0.get() - bytes);
    }
}

/// What a key takes: its text, which the mirror may have forgotten meanwhile, and its place in a map that is not full.
fn cost(key: &TrackKey) -> usize {
    key.size() + 2 * size_of::<(TrackKey, u64)>()
}

/// The version of what has to be sent again whatever its state is: no entry has it.
pub(super) const OUTDATED: u64 = 0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Tracked;

    fn key(id: &str) -> TrackKey {
        let payload = format!(r#"{{"type":"Feature","id":{id},"geometry":null}}"#);
        let event = crate::Event::new(
            "map".parse().expect("a channel"),
            payload.into(),
            1,
            &geocast_geo_filter::Limits::default(),
        );
        let Tracked { key, .. } = event.tracked(None).expect("a key");
        key.clone()
    }

    #[test]
    fn what_is_remembered_is_counted_as_long_as_it_is() {
        let memory = Rc::new(Memory::default());
        let mut versions = Versions::new(&memory);
        assert_eq!((memory.taken(), versions.is_empty()), (0, true));
        versions.insert(key("7"), 1);
        let one = memory.taken();
        versions.insert(key("\"a longer one\""), 2);
        let both = memory.taken();
        assert!(both > 2 * one, "{one} and {both}");
        // Written differently it is the same key, as it is written now.
        versions.insert(key("\"7\""), 3);
        assert_eq!(memory.taken(), both);
        assert_eq!(
            versions.get(&key("7")).map(|(key, version)| (key.json().into_owned(), version)),
            Some(("\"7\"".to_owned(), 3))
        );
        let mut other = versions.clone();
        assert_eq!(memory.taken(), 2 * both);
        other.remove(&key("7"));
        other.remove(&key("8"));
        assert_eq!((memory.taken(), other.len()), (2 * both - one, 1));
        drop(versions);
        drop(other);
        assert_eq!(memory.taken(), 0);
    }
}
