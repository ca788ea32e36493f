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

/// A multiplication to twice the width, folded: each bit of a cell's column and row reaches each bit of the hash.
#[derive(Debug)]
pub(super) struct CellHasher(u64);

impl CellHasher {
    fn add(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number ^ FIRST) * u128::from(SECOND ^ self.0.rotate_left(32));
        self.0 = product as u64 ^ (product >> 64) as u64;
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

/// Digits of π behind the point, as good as any.
const FIRST: u64 = 0x243f_6a88_85a3_08d3;

/// The next digits of π; odd.
const SECOND: u64 = 0x1319_8a2e_0370_7345;
