use super::mark::{Mark, Probe};
use crate::Bbox;

/// How the edges of boxes become 15-bit numbers.
///
/// The one thing that matters is that a larger coordinate never becomes a smaller number: two edges with different
/// numbers are then in the order of their numbers, and only equal ones need the boxes themselves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// Even steps from the corner of a cell; what is beyond them is put at the end.
    Cell {
        /// The lower left corner.
        corner: [f64; 2],
        /// In units of the coordinate system.
        steps_per_unit: f64,
    },
    /// All numbers, in steps of an eighth of their magnitude.
    World,
}

impl Frame {
    pub(super) fn mark(self, bounds: &Bbox) -> Mark {
        Mark::new(self.numbers(bounds))
    }

    pub(super) fn probe(self, extent: &Bbox) -> Probe {
        Probe::new(self.numbers(extent))
    }

    fn numbers(self, bbox: &Bbox) -> [u16; 4] {
        let edges = bbox.to_array();
        match self {
            Self::Cell { corner: [x, y], steps_per_unit } => {
                let [left, bottom, right, top] = edges;
                // A difference that overflows is infinite; the cast takes that to an end, as it does with all that
                // is outside its range.
                [left - x, bottom - y, right - x, top - y]
                    .map(|distance| ((distance * steps_per_unit) as u16).min(Mark::END))
            }
            Self::World => edges.map(|edge| {
                // Adding zero makes -0 and 0 the same. Of the sign, the exponent and the mantissa the first 15 bits
                // are in the order of the numbers once those of negative ones are turned round.
                let bits = (edge + 0.0).to_bits();
                let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
                (ordered >> 49) as u16
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(frame: Frame, numbers: &[f64]) {
        let of = |number| frame.numbers(&Bbox::try_from([number, number, number, number]).unwrap());
        for pair in numbers.windows(2) {
            let (low, high) = (of(pair[0]), of(pair[1]));
            assert!(low.iter().zip(high).all(|(&low, high)| low <= high), "{frame:?} {pair:?}");
            assert!(high.iter().all(|&number| number <= Mark::END));
        }
        assert!(of(numbers[0]) < of(numbers[numbers.len() - 1]), "{frame:?} tells nothing apart");
    }

    #[test]
    fn a_larger_coordinate_never_becomes_a_smaller_number() {
        let positive: Vec<f64> = (0..2100).map(|step| f64::from_bits(step << 52 | 7)).take(2047).collect();
        let mut numbers: Vec<f64> = positive.iter().rev().map(|number| -number).collect();
        numbers.extend([-0.0, 0.0, -0.0]);
        numbers.extend(&positive);
        numbers.extend([f64::MAX]);
        numbers.insert(0, f64::MIN);
        check(Frame::World, &numbers);
        for size in [f64::from_bits(999 << 52), 1.0, 549_755_813_888.0] {
            for corner in [0.0, size, -77.0 * size] {
                check(Frame::Cell { corner: [corner; 2], steps_per_unit: 16384.0 / size }, &numbers);
                let near: Vec<f64> = (-40..80).map(|step| corner + size * f64::from(step) / 32.0).collect();
                check(Frame::Cell { corner: [corner; 2], steps_per_unit: 16384.0 / size }, &near);
            }
        }
    }

    #[test]
    fn both_zeros_are_the_same() {
        let zero = |edge: f64| Bbox::try_from([edge; 4]).unwrap();
        assert_eq!(Frame::World.mark(&zero(0.0)), Frame::World.mark(&zero(-0.0)));
        let everything = Frame::World.mark(&Bbox::EVERYTHING);
        assert!(Frame::World.probe(&zero(7.0)).must_reach(everything));
    }
}
