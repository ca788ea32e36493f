use std::hash::{Hash, Hasher};

/// Which column and row a cell is, counted from the origin of the coordinate system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellId {
    pub(super) column: i32,
    pub(super) row: i32,
}

impl CellId {
    /// The cell that a point is in, with this many cells to a unit. What is too far away is in the last column or row:
    /// a larger coordinate is never in a smaller one, which is all that the index relies on.
    pub(super) fn of([x, y]: [f64; 2], per_unit: f64) -> Self {
        Self { column: floor(x * per_unit), row: floor(y * per_unit) }
    }

    /// The cells whose boxes may contain a point in this one.
    pub(super) const fn with_lower_neighbours(self) -> [Self; 4] {
        let Self { column, row } = self;
        let (left, below) = (column.saturating_sub(1), row.saturating_sub(1));
        [self, Self { column: left, row }, Self { column, row: below }, Self { column: left, row: below }]
    }
}

impl Hash for CellId {
    /// In one word, so that it is one multiplication.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.column as u32) << 32 | u64::from(self.row as u32));
    }
}

/// The next integer towards negative infinity. `f64::floor` is a call on processors without SSE 4.1.
fn floor(number: f64) -> i32 {
    let truncated = number as i64;
    let floor = truncated.saturating_sub(i64::from((truncated as f64) > number));
    floor.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_down_and_keeps_to_the_range() {
        for (number, column) in [
            (0.0, 0),
            (0.9, 0),
            (1.0, 1),
            (-0.1, -1),
            (-1.0, -1),
            (-1.5, -2),
            (f64::from_bits(1), 0),
            (-f64::from_bits(1), -1),
            (3e9, i32::MAX),
            (-3e9, i32::MIN),
            (f64::MAX, i32::MAX),
            (f64::MIN, i32::MIN),
        ] {
            assert_eq!(CellId::of([number, 0.0], 1.0), CellId { column, row: 0 }, "{number}");
        }
    }
}
