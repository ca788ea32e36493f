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

/// So many boxes, of which half are anywhere, so that the extent of a message in Switzerland decides, and half within a
/// few kilometres of it, so that the exact test has to.
#[must_use]
pub fn about(count: usize) -> Vec<[f64; 4]> {
    let mut boxes = viewports(count);
    for edges in boxes.iter_mut().skip(count / 2) {
        // The world shrunk to the country, and the boxes to a third of a degree.
        let (x, y) = (6.0 + (edges[0] + 180.0) / 90.0, 46.0 + (edges[1] + 85.0) / 100.0);
        *edges = [x, y, x + 0.3, y + 0.3];
    }
    boxes
}
