use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::cell::Cell;
use super::cell_id::CellId;
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
    /// A box that no point of a cell in use is outside of, in columns and rows, with the cells that boxes reach into.
    low: CellId,
    high: CellId,
    cells: HashMap<CellId, Cell<K>, Seed>,
    /// How many cells were given up since the table and the bounds were last made to fit.
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
            gone: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Puts a box into its cell and says at which place there.
    pub(super) fn push(&mut self, id: CellId, bounds: &Bbox, key: K) -> usize {
        let mark = self.mark(id, bounds);
        match self.cells.entry(id) {
            Entry::Occupied(cell) => cell.into_mut().push(mark, key),
            Entry::Vacant(slot) => {
                (self.low, self.high) = widened((self.low, self.high), id);
                slot.insert(Cell::new()).push(mark, key)
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
        let CellId { column, row } = CellId::of([point.min_x(), point.min_y()], self.per_unit);
        let outside = column < self.low.column
            || self.high.column < column
            || row < self.low.row
            || self.high.row < row;
        if outside {
            return;
        }
        for id in [
            CellId { column, row },
            CellId { column: column.saturating_sub(1), row },
            CellId { column, row: row.saturating_sub(1) },
            CellId { column: column.saturating_sub(1), row: row.saturating_sub(1) },
        ] {
            if let Some(cell) = self.cells.get(&id) {
                cell.visit(self.frame(id).probe(point), exact, visit);
            }
        }
    }

    /// Visits the keys whose boxes have a point in common with the extent.
    pub(super) fn visit(&self, extent: &Bbox, exact: &impl Fn(K) -> bool, visit: &mut impl FnMut(K)) {
        let low = CellId::of([extent.min_x(), extent.min_y()], self.per_unit);
        let high = CellId::of([extent.max_x(), extent.max_y()], self.per_unit);
        let columns = low.column.saturating_sub(1).max(self.low.column)..=high.column.min(self.high.column);
        let rows = low.row.saturating_sub(1).max(self.low.row)..=high.row.min(self.high.row);
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

    fn fit(&mut self) {
        self.gone = 0;
        self.cells.shrink_to(self.cells.len() * 2);
        (self.low, self.high) = self.cells.keys().copied().fold(NOWHERE, widened);
    }
}

fn widened((low, high): (CellId, CellId), id: CellId) -> (CellId, CellId) {
    (
        CellId { column: low.column.min(id.column), row: low.row.min(id.row) },
        // Columns and rows keep far from the end of their type: see `Home`.
        CellId { column: high.column.max(id.column + 1), row: high.row.max(id.row + 1) },
    )
}

/// What no cell is in.
const NOWHERE: (CellId, CellId) =
    (CellId { column: i32::MAX, row: i32::MAX }, CellId { column: i32::MIN, row: i32::MIN });

/// A frame of 15 bits is two cells wide.
const STEPS_PER_CELL: f64 = 16384.0;
