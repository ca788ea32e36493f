use std::hash::{BuildHasher, Hasher};

/// Makes the hashes of cells depend on a number that who chooses the boxes does not know.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seed(pub(super) u64);

impl BuildHasher for Seed {
    type Hasher = CellHasher;

    fn build_hasher(&self) -> CellHasher {
        CellHasher(self.0)
    }
}

/// Two multiplications to twice the width, folded: each bit of a cell's column and row reaches each bit of the hash, and
/// which cells have the same hash depends on the seed, whatever it is.
#[derive(Debug)]
pub(super) struct CellHasher(u64);

impl CellHasher {
    const fn add(&mut self, number: u64) {
        self.0 = fold(fold(self.0 ^ number, FIRST) ^ self.0, SECOND);
    }
}

impl Hasher for CellHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.add(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.add(number);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Both halves of a product.
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// Digits of π behind the point, as good as any; odd.
const FIRST: u64 = 0x243f_6a88_85a3_08d3;

/// The next digits of π; odd.
const SECOND: u64 = 0x1319_8a2e_0370_7345;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_in_rows_and_columns_are_spread() {
        for seed in [0, 1, u64::MAX, SECOND.rotate_left(32)] {
            let hashes = |shift: u32| (0..4096_u64).map(move |n| Seed(seed).hash_one(n << shift));
            for shift in [0, 20, 32, 50] {
                for part in [0, 32, 52] {
                    let mut buckets = [0; 64];
                    hashes(shift).for_each(|hash| buckets[(hash >> part) as usize & 63] += 1);
                    assert!(buckets.iter().all(|&count| (20..120).contains(&count)), "{seed} {shift} {part}");
                }
            }
        }
    }
}
