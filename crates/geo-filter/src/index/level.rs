use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::cell::Cell;
use super::cell_id::CellId;
use super::filter::Filter;
use super::frame::Frame;
use super::home::per_unit;
use super::mark::Mark;
use super::seed::Seed;
use crate::Bbox;

/// The cells of one size.
#[derive(Clone, Debug)]
pub(super) struct Level<K> {
    pub(super) exponent: i32,
    per_unit: f64,
    /// The first column and row of cells in use.
    low: [f64; 2],
    /// The end of the last column and row that boxes reach into; numbers of cells as well, so that a point is held
    /// against them before it is known which cell it is in.
    high: [f64; 2],
    cells: HashMap<CellId, Cell<K>, Seed>,
    filter: Filter,
    /// How many cells were given up since the level was last made to fit.
    gone: usize,
}

impl<K: Copy> Level<K> {
    pub(super) fn new(exponent: i32, seed: Seed) -> Self {
        Self {
            exponent,
            per_unit: per_unit(exponent),
            low: NOWHERE.0,
            high: NOWHERE.1,
            cells: HashMap::with_hasher(seed),
            filter: Filter::new(0),
            gone: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// How much is held in memory: in cells, in boxes, and in words of the filter.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        let boxes: usize = self.cells.values().map(Cell::capacity).sum();
        self.cells.capacity() + boxes + self.filter.capacity()
    }

    /// Puts a box into its cell and says at which place there.
    pub(super) fn push(&mut self, id: CellId, bounds: &Bbox, key: K) -> usize {
        let mark = self.mark(id, bounds);
        match self.cells.entry(id) {
            Entry::Occupied(cell) => cell.into_mut().push(mark, key),
            Entry::Vacant(slot) => {
                (self.low, self.high) = widened((self.low, self.high), id);
                let place = slot.insert(Cell::new()).push(mark, key);
                self.filter.set(id);
                if self.filter.is_full(self.cells.len()) {
                    self.fit();
                }
                place
            }
        }
    }

    /// Changes a box that stays in its cell.
    pub(super) fn set(&mut self, id: CellId, place: usize, bounds: &Bbox) {
        let mark = self.mark(id, bounds);
        if let Some(cell) = self.cells.get_mut(&id) {
            cell.set(place, mark);
        }
    }

    /// Takes a box out; the key whose box is at this place from now on, if there is one.
    pub(super) fn take(&mut self, id: CellId, place: usize) -> Option<K> {
        let Entry::Occupied(mut cell) = self.cells.entry(id) else { return None };
        let moved = cell.get_mut().take(place);
        if cell.get().is_empty() {
            cell.remove();
            self.gone += 1;
            if self.gone > self.cells.len() {
                self.fit();
            }
        }
        moved
    }

    /// Visits the keys whose boxes contain a point, given as the box that is only this point.
    pub(super) fn visit_at(&self, point: &Bbox, exact: &impl Fn(K) -> bool, visit: &mut impl FnMut(K)) {
        let [x, y] = [point.min_x() * self.per_unit, point.min_y() * self.per_unit];
        // One condition, so that a level elsewhere costs no more than this.
        if !((self.low[0] <= x) & (x < self.high[0]) & (self.low[1] <= y) & (y < self.high[1])) {
            return;
        }
        let id = CellId::of([x, y], 1.0);
        if !self.filter.may_have_near(id) {
            return;
        }
        for id in id.with_lower_neighbours() {
            if let Some(cell) = self.cells.get(&id) {
                cell.visit(self.frame(id).probe(point), exact, visit);
            }
        }
    }

    /// Visits the keys whose boxes have a point in common with the extent.
    pub(super) fn visit(&self, extent: &Bbox, exact: &impl Fn(K) -> bool, visit: &mut impl FnMut(K)) {
        let low = CellId::of([extent.min_x(), extent.min_y()], self.per_unit);
        let high = CellId::of([extent.max_x(), extent.max_y()], self.per_unit);
        let columns =
            low.column.saturating_sub(1).max(self.low[0] as i32)..=high.column.min(self.high[0] as i32);
        let rows = low.row.saturating_sub(1).max(self.low[1] as i32)..=high.row.min(self.high[1] as i32);
        if columns.is_empty() || rows.is_empty() {
            return;
        }
        let length = |(low, high): (i32, i32)| (i64::from(high) - i64::from(low) + 1) as u128;
        let count = length((*columns.start(), *columns.end())) * length((*rows.start(), *rows.end()));
        if count > self.cells.len() as u128 {
            for (&id, cell) in &self.cells {
                if columns.contains(&id.column) && rows.contains(&id.row) {
                    cell.visit(self.frame(id).probe(extent), exact, visit);
                }
            }
        } else {
            for id in rows.flat_map(|row| columns.clone().map(move |column| CellId { column, row })) {
                if let Some(cell) = self.cells.get(&id) {
                    cell.visit(self.frame(id).probe(extent), exact, visit);
                }
            }
        }
    }

    fn mark(&self, id: CellId, bounds: &Bbox) -> Mark {
        self.frame(id).mark(bounds)
    }

    /// Boxes of a cell end within twice its size.
    fn frame(&self, id: CellId) -> Frame {
        let size = 1.0 / self.per_unit;
        let corner = [f64::from(id.column) * size, f64::from(id.row) * size];
        Frame::Cell { corner, steps_per_unit: self.per_unit * STEPS_PER_CELL }
    }

    /// Gives back memory, and makes what only grows exact again.
    fn fit(&mut self) {
        self.gone = 0;
        self.cells.shrink_to(self.cells.len() * 2);
        self.filter = Filter::new(self.cells.len());
        (self.low, self.high) = NOWHERE;
        for &id in self.cells.keys() {
            self.filter.set(id);
            (self.low, self.high) = widened((self.low, self.high), id);
        }
    }
}

fn widened((low, high): ([f64; 2], [f64; 2]), id: CellId) -> ([f64; 2], [f64; 2]) {
    let (column, row) = (f64::from(id.column), f64::from(id.row));
    ([low[0].min(column), low[1].min(row)], [high[0].max(column + 2.0), high[1].max(row + 2.0)])
}

/// What no cell is in.
const NOWHERE: ([f64; 2], [f64; 2]) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);

/// A frame of 15 bits is two cells wide.
const STEPS_PER_CELL: f64 = 16384.0;
