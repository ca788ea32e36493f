use fastrand::Rng;

use crate::SEED;

/// So many boxes of 10 by 10 degrees anywhere in the world, as left, bottom, right, top.
#[must_use]
pub fn viewports(count: usize) -> Vec<[f64; 4]> {
    let mut random = Rng::with_seed(SEED);
    (0..count)
        .map(|_| {
            let (x, y) = (-180.0 + 350.0 * random.f64(), -85.0 + 160.0 * random.f64());
            [x, y, x + 10.0, y + 10.0]
        })
        .collect()
}

/// The same moved out of Switzerland, where all messages are.
#[must_use]
pub fn elsewhere(count: usize) -> Vec<[f64; 4]> {
    let away = |[left, bottom, right, top]: [f64; 4]| {
        if left < 11.0 && right > 5.0 {
            [left + 40.0, bottom, right + 40.0, top]
        } else {
            [left, bottom, right, top]
        }
    };
    viewports(count).into_iter().map(away).collect()
}
