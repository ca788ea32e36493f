//! What must hold for any sequence of operations on a [`ViewportIndex`].

use super::ViewportIndex;
use crate::Bbox;

/// Reads operations off the bytes, and holds the index to a plain list after each of them.
///
/// # Panics
/// When something does not hold.
pub fn viewport_index(operations: &[u8]) {
    let mut bytes = operations.iter().copied();
    let mut index = ViewportIndex::new();
    let mut list: Vec<(u8, Vec<Bbox>)> = Vec::new();
    while let Some(operation) = bytes.next() {
        let key = operation >> 4;
        let before = list.iter().position(|(other, _)| *other == key).map(|at| list.swap_remove(at));
        match operation & 15 {
            0 | 1 => assert_eq!(index.remove(key), before.is_some()),
            count => {
                // One box most of the time, and up to three.
                let boxes: Vec<Bbox> = (0..(count / 5).max(1)).map(|_| bbox(&mut bytes)).collect();
                index.insert(key, &boxes);
                list.push((key, boxes));
            }
        }
        check(&index, &list, &bbox(&mut bytes));
        assert_eq!((index.len(), index.is_empty()), (list.len(), list.is_empty()));
        for (_, boxes) in &list {
            check(&index, &list, &boxes[0]);
        }
    }
    for (key, _) in list {
        assert!(index.remove(key));
    }
    assert!(index.is_empty());
    index.for_each(&Bbox::EVERYTHING, |key| panic!("{key} was removed"));
}

/// Queries with the extent, with its corners, and with what is just beside it.
pub(crate) fn check(index: &ViewportIndex<u8>, list: &[(u8, Vec<Bbox>)], extent: &Bbox) {
    let expect = |extent: &Bbox| {
        let hits = list.iter().filter(|(_, boxes)| boxes.iter().any(|bbox| bbox.intersects(extent)));
        let mut keys: Vec<u8> = hits.map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys
    };
    let [left, bottom, right, top] = extent.to_array();
    let mut found = Vec::new();
    index.for_each(extent, |key| found.push(key));
    found.sort_unstable();
    assert_eq!(found, expect(extent), "{extent:?} in {list:?}");
    for point in [[left, bottom], [right, top], [left.next_down(), top], [right, top.next_up()]] {
        let mut found = Vec::new();
        index.for_each_at(point, |key| found.push(key));
        found.sort_unstable();
        let expected = Bbox::around(&[point]).map(|point| expect(&point)).unwrap_or_default();
        assert_eq!(found, expected, "{point:?} in {list:?}");
    }
}

fn bbox(bytes: &mut impl Iterator<Item = u8>) -> Bbox {
    let shape = bytes.next().unwrap_or(0);
    if shape == u8::MAX {
        return Bbox::EVERYTHING;
    }
    let (mut number, corner) = (|| number(bytes), shape % 3);
    let (x, y) = (number(), number());
    let (x2, y2) = match corner {
        // Any other corner, one that is near, and a point.
        0 => (number(), number()),
        1 => (x + f64::from(shape / 16) / 64.0, y + f64::from(shape % 16) / 64.0),
        _ => (x, y),
    };
    Bbox::try_from([x.min(x2), y.min(y2), x.max(x2), y.max(y2)]).expect("finite numbers in order")
}

/// A number from a small set, so that edges meet: mostly near the origin, but of all magnitudes.
fn number(bytes: &mut impl Iterator<Item = u8>) -> f64 {
    let (kind, step) = (bytes.next().unwrap_or(0), bytes.next().unwrap_or(0));
    let steps = f64::from(step.cast_signed());
    match kind % 8 {
        0 | 1 => steps / 16.0,
        2 => 7.4 + steps / 512.0,
        3 => 180.0_f64.copysign(steps),
        4 => 8e5 + steps,
        5 => steps * f64::from(kind / 8).exp2() / 65536.0,
        6 => steps * 10.0_f64.powi(i32::from(kind / 8) - 15),
        _ => EXTREMES[usize::from(step) % EXTREMES.len()],
    }
}

const EXTREMES: [f64; 12] = [
    0.0,
    -0.0,
    f64::MIN,
    f64::MAX,
    f64::MIN_POSITIVE,
    -f64::MIN_POSITIVE,
    f64::from_bits(1),
    -1e300,
    1e300,
    // The largest cell is 2³⁹ wide, the smallest 2⁻²⁴.
    549_755_813_888.0,
    -1_099_511_627_776.0,
    5.960_464_477_539_063e-8,
];

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use proptest::prelude::*;

    use super::*;

    /// The seeds of the fuzz target, on the stable toolchain.
    #[test]
    fn seeds_hold() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/viewport_index");
        let seeds: Vec<_> = fs::read_dir(&folder).expect("the seeds are in the tree").collect();
        assert!(seeds.len() >= 5, "{} has {} seeds", folder.display(), seeds.len());
        for seed in seeds {
            viewport_index(&fs::read(seed.expect("a readable folder").path()).expect("a readable seed"));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        #[test]
        fn the_index_equals_the_list(operations in prop::collection::vec(any::<u8>(), 0..600)) {
            viewport_index(&operations);
        }

        #[test]
        fn boxes_of_all_scales(
            boxes in prop::collection::vec((-9..9_i32, prop::array::uniform4(-1.0..1.0_f64)), 1..60),
            queries in prop::collection::vec((-9..9_i32, prop::array::uniform4(-1.0..1.0_f64)), 1..20),
        ) {
            let scaled = |(scale, [a, b, c, d]): (i32, [f64; 4])| {
                let [a, b, c, d] = [a, b, c, d].map(|number| number * 10_f64.powi(scale));
                Bbox::around(&[[a, b], [c, d]]).unwrap()
            };
            let list: Vec<_> = (0..).zip(boxes).map(|(key, edges)| (key, vec![scaled(edges)])).collect();
            let mut index = ViewportIndex::new();
            for (key, boxes) in &list {
                index.insert(*key, boxes);
            }
            for query in queries {
                check(&index, &list, &scaled(query));
            }
        }
    }
}
