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

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, side: f64) -> Bbox {
        Bbox::try_from([x, 0.0, x + side, side]).unwrap()
    }

    #[test]
    fn memory_is_given_back() {
        let mut grid = Grid::new(Seed(0));
        for key in 0..20_000_u32 {
            let side = [0.001, 0.1, 100.0, 1e13][key as usize % 4];
            grid.insert(key, &square(f64::from(key % 1000), side));
        }
        assert!(
            (3..=6).contains(&grid.levels.len()),
            "a size is on one level, or by where it lies on the next"
        );
        assert_eq!(grid.vast.capacity(), 5000_usize.next_power_of_two());
        for key in 4..20_000 {
            assert!(grid.remove(key));
        }
        assert!(grid.records.capacity() < 64, "{}", grid.records.capacity());
        assert!(grid.vast.capacity() < 16, "{}", grid.vast.capacity());
        for level in &grid.levels {
            assert!(level.capacity() < 64, "{}", level.capacity());
        }
        (0..4).for_each(|key| assert!(grid.remove(key)));
        assert!(grid.levels.is_empty() && grid.records.is_empty() && grid.vast.is_empty());
    }

    #[test]
    fn moving_for_ever_takes_no_more_memory() {
        let mut grid = Grid::new(Seed(0));
        for step in 0..100_000_u32 {
            grid.insert(step % 100, &square(f64::from(step) * 3.7, 1.0));
        }
        let capacity: usize = grid.levels.iter().map(Level::capacity).sum();
        assert!(capacity < 2000, "{capacity}");
        assert_eq!(grid.levels.len(), 1);
    }

    #[test]
    fn hostile_sizes_make_a_bounded_number_of_levels() {
        let mut grid = Grid::new(Seed(0));
        for exponent in 0..2047_u32 {
            grid.insert(exponent, &square(0.0, f64::from_bits(u64::from(exponent) << 52)));
        }
        assert!(grid.levels.len() <= 64, "{}", grid.levels.len());
        // What hits is found quickly as well when the extent has more cells than could ever be counted one by one.
        let mut hits = 0;
        grid.visit(&Bbox::try_from([-1.0, -1.0, 1e12, 1e12]).unwrap(), &mut |_| hits += 1);
        assert_eq!(hits, 2047);
    }
}
