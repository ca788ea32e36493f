/// A box rounded to 15 bits per edge within a [`Frame`](super::frame::Frame), in one word.
///
/// The lanes of 16 bits are left, bottom, and the distances of right and top from the frame's end: in that form a box
/// reaches another if each of its lanes is at most the other's, which one subtraction tells. The highest bit of a lane
/// is clear in a mark and set in a [`Probe`], so that no lane borrows from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u64);

impl Mark {
    /// The highest number of a lane.
    pub(super) const END: u16 = 0x7fff;

    /// Takes left, bottom, right, top, none above [`END`](Self::END).
    pub(super) fn new([left, bottom, right, top]: [u16; 4]) -> Self {
        Self(lanes([left, bottom, Self::END - right, Self::END - top]))
    }
}

/// A box to hold against marks of the same frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe(u64);

impl Probe {
    /// Takes left, bottom, right, top, none above [`Mark::END`].
    pub(super) fn new([left, bottom, right, top]: [u16; 4]) -> Self {
        Self(GUARDS | lanes([right, top, Mark::END - left, Mark::END - bottom]))
    }

    /// Whether the boxes may have a point in common. If not, they have none.
    pub(super) const fn may_reach(self, mark: Mark) -> bool {
        self.0.wrapping_sub(mark.0) & GUARDS == GUARDS
    }

    /// Whether the boxes have a point in common for certain: no two edges were rounded to the same number.
    pub(super) const fn must_reach(self, mark: Mark) -> bool {
        self.0.wrapping_sub(mark.0).wrapping_sub(ONES) & GUARDS == GUARDS
    }
}

fn lanes(numbers: [u16; 4]) -> u64 {
    numbers.into_iter().fold(0, |word, number| word << 16 | u64::from(number))
}

/// The highest bit of each lane.
const GUARDS: u64 = 0x8000_8000_8000_8000;

/// One in each lane.
const ONES: u64 = 0x0001_0001_0001_0001;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_do_not_disturb_each_other() {
        let numbers = [0, 1, 2, 0x3fff, 0x4000, 0x7ffe, Mark::END];
        let pairs = || numbers.into_iter().flat_map(|low| numbers.map(|high| (low, high)));
        let mut seen = [0; 3];
        for ((left, right), (bottom, top)) in pairs().flat_map(|x| pairs().map(move |y| (x, y))) {
            let mark = Mark::new([left, bottom, right, top]);
            for ((from_x, to_x), (from_y, to_y)) in pairs().zip(pairs().rev()) {
                let probe = Probe::new([from_x, from_y, to_x, to_y]);
                let may = left <= to_x && from_x <= right && bottom <= to_y && from_y <= top;
                let must = left < to_x && from_x < right && bottom < to_y && from_y < top;
                assert_eq!(probe.may_reach(mark), may, "{mark:?} {probe:?}");
                assert_eq!(probe.must_reach(mark), must, "{mark:?} {probe:?}");
                seen[usize::from(may) + usize::from(must)] += 1;
            }
        }
        assert!(seen.iter().all(|&count| count > 1000), "{seen:?}");
    }
}
