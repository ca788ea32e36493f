//! Which positions of lines and rings are needed, by Ramer, Douglas and Peucker (D. H. Douglas and T. K. Peucker, "Algorithms
//! for the reduction of the number of points required to represent a digitized line or its caricature", 1973).
//!
//! `geo` has that too. But a line can be made for which it recurses once for each position, which ends the process where there
//! are enough of them, and compares each with each. Here it takes time in proportion to the number of positions, and
//! [`DEEPEST`] and its logarithm, together, at most.

use std::ops::Range;

use crate::structure::{Part, Primitive};
use crate::{MapLength, Shape};

/// Which positions of a shape stay.
#[derive(Debug)]
pub(crate) struct Kept(Vec<bool>);

impl Kept {
    /// What is needed to be no further than `tolerance` from what is left out, of these members. `None` if that is all of it.
    pub(crate) fn of(degrees: &Shape, members: &[bool], tolerance: MapLength) -> Option<Self> {
        let structure = degrees.structure();
        let mut kept = None;
        for (member, _) in members.iter().enumerate().filter(|(_, is_kept)| **is_kept) {
            for part in structure.parts_of(member) {
                let Some(fewest) = fewest(part) else { continue };
                let lines: Vec<Range<usize>> = match part.primitive {
                    Primitive::LineString => vec![part.positions.clone()],
                    _ => structure.lines_of(part).collect(),
                };
                for line in lines.into_iter().filter(|line| line.len() > fewest) {
                    let Some(positions) = degrees.positions().get(line.clone()) else { continue };
                    if !positions.iter().all(is_measurable) {
                        continue;
                    }
                    let kept = kept.get_or_insert_with(|| vec![true; degrees.positions().len()]);
                    let places: Vec<[f64; 2]> = positions.iter().copied().map(MapLength::place).collect();
                    if let Some(kept) = kept.get_mut(line) {
                        simplify(&places, fewest, tolerance.metres(), kept);
                    }
                }
            }
        }
        kept.filter(|kept| kept.contains(&false)).map(Self)
    }

    /// Those of a part.
    pub(crate) fn within(&self, positions: Range<usize>) -> &[bool] {
        self.0.get(positions).unwrap_or_default()
    }
}

/// How many positions a line of this part has at least; `None` for points.
const fn fewest(part: &Part) -> Option<usize> {
    match part.primitive {
        Primitive::Point | Primitive::MultiPoint => None,
        Primitive::LineString | Primitive::MultiLineString => Some(2),
        Primitive::Polygon | Primitive::MultiPolygon => Some(4),
    }
}

/// Whether squares of distances to a position are finite, with some digits to spare.
fn is_measurable(position: &[f64; 2]) -> bool {
    position[0].abs() <= TEN_TURNS && position[1].is_finite()
}

/// Marks the places that are not needed, of which at least `fewest` are.
fn simplify(places: &[[f64; 2]], fewest: usize, tolerance: f64, kept: &mut [bool]) {
    let Some(last) = places.len().checked_sub(1) else { return };
    kept.fill(false);
    let keep = |kept: &mut [bool], index: usize| {
        kept.get_mut(index).is_some_and(|kept| !std::mem::replace(kept, true))
    };
    keep(kept, 0);
    keep(kept, last);
    let (mut needed, mut open) = (2, vec![(0..last, 0)]);
    loop {
        while let Some((range, depth)) = open.pop() {
            let Some((farthest, square)) = farthest(places, &range) else { continue };
            if square <= tolerance * tolerance {
                continue;
            }
            let middle = if depth < DEEPEST { farthest } else { range.start.midpoint(range.end) };
            needed += usize::from(keep(kept, middle));
            open.push((middle..range.end, depth + 1));
            open.push((range.start..middle, depth + 1));
        }
        if needed >= fewest {
            return;
        }
        // A ring that is all within the tolerance is still to be one. What was near to a long edge need not be near to the
        // two that take its place.
        let Some((index, range)) = farthest_of_all(places, kept) else { return };
        needed += usize::from(keep(kept, index));
        open.extend([(range.start..index, 0), (index..range.end, 0)]);
    }
}

/// Of all places that are not kept, the one that is farthest from what is, and the range it is in.
fn farthest_of_all(places: &[[f64; 2]], kept: &[bool]) -> Option<(usize, Range<usize>)> {
    let ends: Vec<usize> =
        kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(index, _)| index).collect();
    let ranges = ends.windows(2).filter_map(|pair| Some(*pair.first()?..*pair.last()?));
    let found =
        ranges.filter_map(|range| farthest(places, &range).map(|(index, square)| (index, range, square)));
    found.max_by(|(.., one), (.., other)| one.total_cmp(other)).map(|(index, range, _)| (index, range))
}

/// Of the places between the first and the last of a range, the one that is farthest from the line that joins these, and the
/// square of its distance; `None` if there is none between.
fn farthest(places: &[[f64; 2]], range: &Range<usize>) -> Option<(usize, f64)> {
    let (from, to) = (places.get(range.start)?, places.get(range.end)?);
    let between = places.get(range.start + 1..range.end)?;
    let mut farthest: Option<(usize, f64)> = None;
    for (offset, place) in between.iter().enumerate() {
        let square = square_to_segment(place, from, to);
        if farthest.is_none_or(|(_, known)| square > known) {
            farthest = Some((range.start + 1 + offset, square));
        }
    }
    farthest
}

/// The square of the distance from a place to what is between two others.
fn square_to_segment([x, y]: &[f64; 2], [x1, y1]: &[f64; 2], [x2, y2]: &[f64; 2]) -> f64 {
    let (dx, dy) = (x2 - x1, y2 - y1);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 { (((x - x1) * dx + (y - y1) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    let (off_x, off_y) = (x - (x1 + along * dx), y - (y1 + along * dy));
    off_x * off_x + off_y * off_y
}

/// So often ranges are divided where they bend most. A line that is made for it has one position after the other cut off by
/// that; what is deeper is divided in the middle, which soon ends, and keeps a few positions more than it has to.
const DEEPEST: u32 = 64;

/// In degrees.
const TEN_TURNS: f64 = 3_600.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(places: &[[f64; 2]], fewest: usize, tolerance: f64) -> Vec<usize> {
        let mut kept = vec![true; places.len()];
        simplify(places, fewest, tolerance, &mut kept);
        (0..places.len()).filter(|index| kept[*index]).collect()
    }

    #[test]
    fn what_bends_stays() {
        let line =
            [[0.0, 0.0], [1.0, 0.1], [2.0, -0.1], [3.0, 5.0], [4.0, 6.0], [5.0, 7.0], [6.0, 8.1], [7.0, 9.0]];
        assert_eq!(kept(&line, 2, 0.01), [0, 1, 2, 3, 5, 6, 7]);
        assert_eq!(kept(&line, 2, 0.5), [0, 2, 3, 7]);
        assert_eq!(kept(&line, 2, 100.0), [0, 7]);
    }

    #[test]
    fn rings_stay_rings() {
        let square = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 2.0], [1.0, 2.1], [0.0, 2.0], [0.0, 0.0]];
        assert_eq!(kept(&square, 4, 0.01), [0, 2, 3, 4, 5, 6]);
        assert_eq!(kept(&square, 4, 0.5), [0, 2, 3, 5, 6]);
        assert_eq!(kept(&square, 4, 100.0).len(), 4);
        let nowhere = [[1.0, 1.0]; 6];
        assert_eq!(kept(&nowhere, 4, 1.0).len(), 4);
        // An edge to what is added for it to be a ring takes it away from what was near enough.
        let zigzag = [[-2.0, -1.0], [0.0, 1.0], [-3.0, -3.0], [1.0, -2.0], [-2.0, -1.0]];
        assert_eq!(kept(&zigzag, 4, 3.7), [0, 1, 2, 3, 4]);
        // Out and back.
        let line = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [1.0, 0.0], [0.0, 0.0]];
        assert_eq!(kept(&line, 4, 0.5).len(), 4);
    }

    fn places() -> impl Strategy<Value = Vec<[f64; 2]>> {
        let wide = (-100.0..100.0, -100.0..100.0).prop_map(|(x, y): (f64, f64)| [x, y]);
        let grid = (-3_i8..3, -3_i8..3).prop_map(|(x, y)| [f64::from(x), f64::from(y)]);
        prop_oneof![prop::collection::vec(wide, 2..60), prop::collection::vec(grid, 2..60)]
    }

    /// The distance between a place and the nearest of many that lie close to each other on a line, and how close they lie:
    /// found in another way than by a foot of a perpendicular.
    fn distance_by_steps(place: [f64; 2], from: [f64; 2], to: [f64; 2]) -> (f64, f64) {
        let steps = 2_000;
        let at = |step: i32, axis: usize| {
            from[axis] + (to[axis] - from[axis]) * f64::from(step) / f64::from(steps)
        };
        let distance = |step| (place[0] - at(step, 0)).hypot(place[1] - at(step, 1));
        let gap = (to[0] - from[0]).hypot(to[1] - from[1]) / f64::from(steps);
        ((0..=steps).map(distance).fold(f64::INFINITY, f64::min), gap)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 500 }, ..ProptestConfig::default() })]

        #[test]
        fn what_is_left_out_is_no_further_than_said(
            places in places(), tolerance in 0.05..50.0_f64, is_ring: bool,
        ) {
            let mut places = places;
            let fewest = if is_ring { places.push(places[0]); 4 } else { 2 };
            let left = kept(&places, fewest, tolerance);
            prop_assert!(left.len() >= fewest.min(places.len()));
            prop_assert_eq!((left.first(), left.last()), (Some(&0), Some(&(places.len() - 1))));
            for pair in left.windows(2) {
                for place in &places[pair[0]..=pair[1]] {
                    let (distance, gap) = distance_by_steps(*place, places[pair[0]], places[pair[1]]);
                    prop_assert!(distance <= tolerance * (1.0 + 1e-9) + gap, "{distance} of {tolerance}");
                }
            }
        }
    }
}
