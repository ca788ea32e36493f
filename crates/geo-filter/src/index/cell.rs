use super::mark::{Mark, Probe};

/// The boxes of one cell, side by side.
#[derive(Clone, Debug)]
pub(super) struct Cell<K> {
    entries: Vec<(Mark, K)>,
}

impl<K: Copy> Cell<K> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    #[cfg(test)]
    pub(super) const fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    /// Puts a box at the end and says where that is.
    pub(super) fn push(&mut self, mark: Mark, key: K) -> usize {
        if self.entries.capacity() == 0 {
            // Most cells of a thinly covered level have one box, and a vector would begin with room for four.
            self.entries.reserve_exact(1);
        }
        self.entries.push((mark, key));
        self.entries.len() - 1
    }

    /// Changes a box that stays in this cell.
    pub(super) fn set(&mut self, place: usize, mark: Mark) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.0 = mark;
        }
    }

    /// Takes a box out; the key whose box is at this place from now on, if there is one.
    pub(super) fn take(&mut self, place: usize) -> Option<K> {
        if place < self.entries.len() {
            self.entries.swap_remove(place);
        }
        if self.entries.capacity() > 4 * self.entries.len() + 4 {
            self.entries.shrink_to(2 * self.entries.len());
        }
        self.entries.get(place).map(|entry| entry.1)
    }

    /// Visits the keys whose boxes reach what the probe was made from. Where the marks cannot tell, `exact` does.
    pub(super) fn visit(&self, probe: Probe, exact: &impl Fn(K) -> bool, visit: &mut impl FnMut(K)) {
        for chunk in self.entries.chunks(64) {
            // The bits are collected without a branch per entry: whether a box hits is nothing a processor can guess.
            let (mut may, mut must) = (0_u64, 0_u64);
            for (bit, &(mark, _)) in chunk.iter().enumerate() {
                may |= u64::from(probe.may_reach(mark)) << bit;
                must |= u64::from(probe.must_reach(mark)) << bit;
            }
            if must.count_ones() as usize == chunk.len() {
                for &(_, key) in chunk {
                    visit(key);
                }
                continue;
            }
            let unsure = may & !must;
            while let Some(&(_, key)) = chunk.get(may.trailing_zeros() as usize) {
                let bit = may & may.wrapping_neg();
                if unsure & bit == 0 || exact(key) {
                    visit(key);
                }
                may ^= bit;
            }
        }
    }
}
