use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::cell::Cell;
use super::frame::Frame;
use super::home::Home;
use super::level::Level;
use super::seed::Seed;
use crate::Bbox;

/// At most one box for each key.
#[derive(Clone, Debug)]
pub(super) struct Grid<K> {
    records: FxHashMap<K, Record>,
    /// Those that have a box, the smallest cells first.
    levels: Vec<Level<K>>,
    /// The boxes that are too large for any level.
    vast: Cell<K>,
    seed: Seed,
}

/// What is known of a key.
#[derive(Clone, Debug)]
struct Record {
    bounds: Bbox,
    /// The place in its cell.
    place: usize,
}

impl<K: Copy + Eq + Hash> Grid<K> {
    pub(super) fn new(seed: Seed) -> Self {
        Self { records: FxHashMap::default(), levels: Vec::new(), vast: Cell::new(), seed }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = K> {
        self.records.keys().copied()
    }

    pub(super) fn bounds(&self, key: K) -> Option<&Bbox> {
        self.records.get(&key).map(|record| &record.bounds)
    }

    /// Gives the key a box in place of the one it had; whether it had none.
    pub(super) fn insert(&mut self, key: K, bounds: &Bbox) -> bool {
        let home = Home::of(bounds);
        let before = self.records.get_mut(&key);
        let is_new = before.is_none();
        if let Some(record) = before {
            let (old, place) = (Home::of(&record.bounds), record.place);
            if old == home {
                record.bounds = *bounds;
                self.set(home, place, bounds);
                return false;
            }
            self.take(old, place);
        }
        let place = self.push(home, bounds, key);
        self.records.insert(key, Record { bounds: *bounds, place });
        is_new
    }

    /// Takes the key's box away; whether it had one.
    pub(super) fn remove(&mut self, key: K) -> bool {
        let Some(record) = self.records.remove(&key) else { return false };
        self.take(Home::of(&record.bounds), record.place);
        if self.records.capacity() > 4 * self.records.len() + 16 {
            self.records.shrink_to(2 * self.records.len());
        }
        true
    }

    /// Visits the keys whose boxes contain a point, given as the box that is only this point.
    pub(super) fn visit_at(&self, point: &Bbox, visit: &mut impl FnMut(K)) {
        let exact = |key| self.bounds(key).is_some_and(|bounds| bounds.intersects(point));
        for level in &self.levels {
            level.visit_at(point, &exact, visit);
        }
        self.vast.visit(Frame::World.probe(point), &exact, visit);
    }

    /// Visits the keys whose boxes have a point in common with the extent.
    pub(super) fn visit(&self, extent: &Bbox, visit: &mut impl FnMut(K)) {
        let exact = |key| self.bounds(key).is_some_and(|bounds| bounds.intersects(extent));
        for level in &self.levels {
            level.visit(extent, &exact, visit);
        }
        self.vast.visit(Frame::World.probe(extent), &exact, visit);
    }

    fn push(&mut self, home: Option<Home>, bounds: &Bbox, key: K) -> usize {
        let Some(home) = home else { return self.vast.push(Frame::World.mark(bounds), key) };
        let index = self.levels.partition_point(|level| level.exponent < home.exponent);
        if self.levels.get(index).is_none_or(|level| level.exponent != home.exponent) {
            self.levels.insert(index, Level::new(home.exponent, self.seed));
        }
        self.levels[index].push(home.cell, bounds, key)
    }

    fn set(&mut self, home: Option<Home>, place: usize, bounds: &Bbox) {
        let Some(home) = home else { return self.vast.set(place, Frame::World.mark(bounds)) };
        if let Some(level) = self.levels.iter_mut().find(|level| level.exponent == home.exponent) {
            level.set(home.cell, place, bounds);
        }
    }

    fn take(&mut self, home: Option<Home>, place: usize) {
        let moved = match home {
            None => self.vast.take(place),
            Some(home) => {
                let index = self.levels.partition_point(|level| level.exponent < home.exponent);
                let Some(level) = self.levels.get_mut(index) else { return };
                let moved = level.take(home.cell, place);
                if level.is_empty() {
                    self.levels.remove(index);
                }
                moved
            }
        };
        if let Some(record) = moved.and_then(|key| self.records.get_mut(&key)) {
            record.place = place;
        }
    }
}
