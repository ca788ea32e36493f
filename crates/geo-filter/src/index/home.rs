use super::cell_id::CellId;
use crate::Bbox;

/// Where a box is kept: a level and a cell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Home {
    /// The cells of the level are two to this power wide and high, in units of the coordinate system.
    pub(super) exponent: i32,
    /// The cell with the box's lower left corner.
    pub(super) cell: CellId,
}

impl Home {
    /// The level with the smallest cells of which the box reaches no further than into the next column and row, so that
    /// a point in the box is in its cell or in one of three next to it. `None` for a box that is too large for that on
    /// every level, or too far from the origin.
    pub(super) fn of(bounds: &Bbox) -> Option<Self> {
        let [left, bottom, right, top] = bounds.to_array();
        let side = (right - left).max(top - bottom);
        let distance = left.abs().max(right.abs()).max(bottom.abs()).max(top.abs());
        let smallest = exponent(side).max(exponent(distance) - INDEX_BITS).max(MIN_EXPONENT);
        (smallest..=MAX_EXPONENT.min(smallest + 2)).find_map(|exponent| {
            let per_unit = per_unit(exponent);
            let (low, high) = (CellId::of([left, bottom], per_unit), CellId::of([right, top], per_unit));
            let near = high.column - low.column <= 1 && high.row - low.row <= 1;
            near.then_some(Self { exponent, cell: low })
        })
    }
}

/// How many cells of a level fit side by side into a unit. A power of two, so that multiplying by it is exact.
pub(super) fn per_unit(exponent: i32) -> f64 {
    f64::from_bits(((1023 - i64::from(exponent)) as u64) << 52)
}

/// The largest power of two that is at most the number, as its exponent; for 0 and infinity one that is beyond all.
const fn exponent(number: f64) -> i32 {
    ((number.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

/// Smaller boxes share the cells of this size: 0.06 µm for metres, 7 mm for degrees. Without a limit, boxes of many tiny
/// sizes would make many levels, each of which every query looks at.
const MIN_EXPONENT: i32 = -24;

/// No box that is larger than this has a cell: half a million million units, a hundred times what any coordinate
/// system of the Earth needs.
const MAX_EXPONENT: i32 = 39;

/// How far from the origin a cell may be, as the binary logarithm of its column or row. Far-off boxes that are smaller
/// than can be counted so share larger cells.
const INDEX_BITS: i32 = 29;

#[cfg(test)]
mod tests {
    use super::*;

    fn home(edges: [f64; 4]) -> Option<(i32, i32, i32)> {
        Home::of(&Bbox::try_from(edges).unwrap()).map(|home| (home.exponent, home.cell.column, home.cell.row))
    }

    #[test]
    fn a_box_reaches_no_further_than_the_next_cell() {
        for (edges, expected) in [
            ([0.0, 0.0, 1.0, 1.0], Some((0, 0, 0))),
            ([0.5, 0.5, 1.9, 1.9], Some((0, 0, 0))),
            ([0.5, 0.5, 2.1, 0.6], Some((1, 0, 0))),
            ([-0.5, -0.5, 0.5, 0.5], Some((0, -1, -1))),
            ([7.0, 46.0, 7.01, 46.01], Some((-7, 896, 5888))),
            ([7.0, 46.0, 7.0, 46.0], Some((-24, 117_440_512, 771_751_936))),
            ([1e6, 1e6, 1e6, 1e6], Some((-10, 1_024_000_000, 1_024_000_000))),
            ([0.0, 0.0, f64::from_bits(1), 1e-300], Some((-24, 0, 0))),
            ([-180.0, -90.0, 180.0, 90.0], Some((8, -1, -1))),
            ([-1e300, 0.0, 1e300, 1.0], None),
            ([1e300, 1e300, 1e300, 1e300], None),
            ([f64::MIN, f64::MIN, f64::MAX, f64::MAX], None),
        ] {
            assert_eq!(home(edges), expected, "{edges:?}");
        }
    }
}
