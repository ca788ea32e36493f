//! The index of viewports, held to a loop over all of them.

use geocast_geo_filter::{Bbox, ViewportIndex};

use crate::bbox;

/// Numbers that look random and are the same each time: the top bits of a linear congruential generator.
struct Numbers(u64);

impl Numbers {
    /// From 0 up to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }

    /// What a map shows: at all zooms, half of them about one town, some across the antimeridian.
    fn viewport(&mut self) -> Vec<Bbox> {
        let width = 360.0 * (-self.within(0.0, 18.0)).exp2();
        let (x, y) = if self.next() < 0.5 {
            (self.within(7.0, 8.0), self.within(46.5, 47.5))
        } else {
            (self.within(-180.0, 180.0), self.within(-85.0, 85.0))
        };
        let (right, top) = (x + width, y + width * 0.6);
        if right > 180.0 {
            vec![bbox([x, y, 180.0, top]), bbox([-180.0, y, right - 360.0, top])]
        } else {
            vec![bbox([x, y, right, top])]
        }
    }

    fn point(&mut self) -> [f64; 2] {
        if self.next() < 0.5 {
            [self.within(7.0, 8.0), self.within(46.5, 47.5)]
        } else {
            [self.within(-180.0, 180.0), self.within(-85.0, 85.0)]
        }
    }
}

fn found(visit: impl FnOnce(&mut dyn FnMut(usize))) -> Vec<usize> {
    let mut found = Vec::new();
    visit(&mut |key| found.push(key));
    found.sort_unstable();
    found
}

fn expected(viewports: &[Vec<Bbox>], hit: impl Fn(&Bbox) -> bool) -> Vec<usize> {
    (0..viewports.len()).filter(|&key| viewports[key].iter().any(&hit)).collect()
}

#[test]
fn a_hundred_thousand_queries_while_viewports_move() {
    let mut numbers = Numbers(7);
    let mut viewports: Vec<_> = (0..200).map(|_| numbers.viewport()).collect();
    let mut index = ViewportIndex::with_seed(42);
    for (key, boxes) in viewports.iter().enumerate() {
        index.insert(key, boxes);
    }
    let (mut hits, mut pairs) = (0, 0);
    for round in 0..100_000 {
        let key = round % viewports.len();
        viewports[key] = numbers.viewport();
        pairs += usize::from(viewports[key].len() == 2);
        index.insert(key, &viewports[key]);
        let point = numbers.point();
        let keys = found(|visit| index.for_each_at(point, visit));
        assert_eq!(keys, expected(&viewports, |bbox| bbox.contains_point(point)), "{point:?}");
        hits += keys.len();
        if round % 10 == 0 {
            let extent = numbers.viewport()[0];
            let keys = found(|visit| index.for_each(&extent, visit));
            assert_eq!(keys, expected(&viewports, |bbox| bbox.intersects(&extent)), "{extent:?}");
        }
    }
    assert!(hits > 1_000_000 && pairs > 3_000, "{hits} hits, {pairs} pairs");
    assert_eq!(index.len(), viewports.len());
}

#[test]
fn edges_are_inside() {
    let mut index = ViewportIndex::new();
    for (key, edges) in
        [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 2.0, 2.0], [1.0, -5.0, 1.0, 5.0], [-4.0, 1.0, 4.0, 1.0]]
            .into_iter()
            .enumerate()
    {
        index.insert(key, &[bbox(edges)]);
    }
    for (point, keys) in [
        ([1.0, 1.0], vec![0, 1, 2, 3]),
        ([1.0, 0.0], vec![0, 2]),
        ([1.0_f64.next_up(), 1.0], vec![1, 3]),
        ([1.0, 1.0_f64.next_down()], vec![0, 2]),
        ([-0.0, 0.5], vec![0]),
        ([0.0_f64.next_down(), 0.5], vec![]),
        ([f64::NAN, 1.0], vec![]),
        ([f64::INFINITY, 1.0], vec![]),
    ] {
        assert_eq!(found(|visit| index.for_each_at(point, visit)), keys, "{point:?}");
    }
    for (extent, keys) in [
        ([2.0, 2.0, 3.0, 3.0], vec![1]),
        ([-1.0, -1.0, 0.0, 0.0], vec![0]),
        ([4.0, 0.0, 5.0, 1.0], vec![3]),
        ([2.0_f64.next_up(), 1.5, 3.0, 3.0], vec![]),
    ] {
        assert_eq!(found(|visit| index.for_each(&bbox(extent), visit)), keys, "{extent:?}");
    }
}

#[test]
fn each_key_is_visited_once_and_has_the_boxes_it_was_given_last() {
    let mut index = ViewportIndex::new();
    let (west, east) = (bbox([170.0, -10.0, 180.0, 10.0]), bbox([-180.0, -10.0, -170.0, 10.0]));
    index.insert(7, &[west, east]);
    assert_eq!(found(|visit| index.for_each(&Bbox::EVERYTHING, visit)), [7]);
    assert_eq!(found(|visit| index.for_each_at([-175.0, 0.0], visit)), [7]);
    index.insert(7, &[west, west, east, Bbox::EVERYTHING]);
    assert_eq!(found(|visit| index.for_each_at([175.0, 0.0], visit)), [7]);
    index.insert(7, &[west]);
    assert!(found(|visit| index.for_each_at([-175.0, 0.0], visit)).is_empty());
    assert_eq!(index.len(), 1);
    index.insert(8, &[Bbox::EVERYTHING]);
    assert_eq!(found(|visit| index.for_each_at([f64::MAX, f64::MIN], visit)), [8]);
    index.insert(7, &[]);
    assert_eq!(index.len(), 1);
    assert!(!index.remove(7) && index.remove(8) && !index.remove(8));
    assert!(index.is_empty());
}
