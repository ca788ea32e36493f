use super::cell_id::CellId;

/// Which cells may be in use: a bit for each, in a word for each block of 8 × 8 cells.
///
/// Most cells near a point are not in use, and one word tells that of all four that matter. Blocks may share a word, and
/// bits are only cleared when the filter is made anew, so that what it says is "no" or "perhaps".
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// A power of two of them.
    words: Vec<u64>,
}

impl Filter {
    pub(super) fn new(cells: usize) -> Self {
        Self { words: vec![0; (cells * WORDS_PER_CELL).max(1).next_power_of_two()] }
    }

    /// Whether so many cells are too many for this size.
    pub(super) const fn is_full(&self, cells: usize) -> bool {
        cells * WORDS_PER_CELL > 2 * self.words.len()
    }

    #[cfg(test)]
    pub(super) const fn capacity(&self) -> usize {
        self.words.capacity()
    }

    pub(super) fn set(&mut self, id: CellId) {
        let index = self.index(id);
        if let Some(word) = self.words.get_mut(index) {
            *word |= 1 << bit(id);
        }
    }

    /// Whether any of the four cells is in use that this one is the upper right of.
    pub(super) fn may_have_near(&self, id: CellId) -> bool {
        if id.column & 7 != 0 && id.row & 7 != 0 {
            // All four are in one block.
            return self.word(id) & (LOWER_NEIGHBOURS << (bit(id) - 9)) != 0;
        }
        id.with_lower_neighbours().into_iter().any(|id| self.word(id) >> bit(id) & 1 == 1)
    }

    fn word(&self, id: CellId) -> u64 {
        self.words.get(self.index(id)).copied().unwrap_or(0)
    }

    fn index(&self, id: CellId) -> usize {
        let block = u64::from((id.column >> 3) as u32) << 32 | u64::from((id.row >> 3) as u32);
        // The upper bits of a product depend on all bits of the factor.
        (block.wrapping_mul(GOLDEN) >> 32) as usize & (self.words.len() - 1)
    }
}

const fn bit(id: CellId) -> u32 {
    ((id.row & 7) << 3 | id.column & 7) as u32
}

/// The bits of a cell, of the one before it, and of those below the two, if the last is bit 0.
const LOWER_NEIGHBOURS: u64 = 0b11_0000_0011;

/// When a filter is made there are up to twice as many, and half as many before it is made anew.
const WORDS_PER_CELL: usize = 1;

/// 2⁶⁴ divided by the golden ratio: multiples of it are spread evenly.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_no_often_and_never_wrongly() {
        let ends = [i32::MIN / 2, -9, -8, -1, 0, 1, 7, 8, 1_000_000, i32::MAX / 2];
        let cells: Vec<CellId> =
            ends.into_iter().flat_map(|column| ends.map(|row| CellId { column, row })).collect();
        let mut filter = Filter::new(cells.len());
        cells.iter().for_each(|&id| filter.set(id));
        assert!(!filter.is_full(cells.len()));
        let (mut asked, mut perhaps) = (0, 0);
        for (&CellId { column, row }, beyond) in cells.iter().zip(100..) {
            for (right, up) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                assert!(filter.may_have_near(CellId { column: column + right, row: row + up }));
            }
            for beside in [300, 7777, 123_456] {
                asked += 1;
                perhaps +=
                    i32::from(filter.may_have_near(CellId { column: column + beside, row: row + beyond }));
            }
        }
        assert!(perhaps * 5 < asked, "{perhaps} of {asked}");
    }
}
