use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

use super::Transform;
use crate::{Bbox, Region, Shape, ViewportIndex};

/// Who looks at a shape in EPSG:4326, where each looks at a region in a system of its own.
///
/// Results are coarse, but nobody is missing: the exact test of the shape against the region comes after it. Points are
/// found by the [bounds](Transform::region_bounds) of regions in EPSG:4326. Lines and areas are not, unless the system
/// [keeps boxes](Transform::keeps_boxes): an edge that is straight in a region's system bends in EPSG:4326, as around
/// a pole. They are projected, once for each system that somebody looks in, and found there by their extent.
#[derive(Debug)]
pub struct RegionIndex<K> {
    seed: u64,
    /// Regions whose bounds hold for every shape.
    any: ViewportIndex<K>,
    /// The bounds, for points, of all others.
    points: ViewportIndex<K>,
    /// Those others, by the code of their system.
    planes: BTreeMap<u32, Plane<K>>,
}

#[derive(Debug)]
struct Plane<K> {
    transform: Arc<Transform>,
    regions: ViewportIndex<K>,
}

impl<K: Copy + Eq + Hash> RegionIndex<K> {
    /// An empty index; for the seed see [`ViewportIndex::with_seed`].
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        let empty = || ViewportIndex::with_seed(seed);
        Self { seed, any: empty(), points: empty(), planes: BTreeMap::new() }
    }

    /// Gives a key, which has none, a region: in the target of the transformation, or in EPSG:4326 without one.
    /// `bounds` are the [bounds](Transform::region_bounds) of the region in EPSG:4326, or else its boxes.
    pub fn insert(&mut self, key: K, region: &Region, transform: Option<&Arc<Transform>>, bounds: &[Bbox]) {
        let Some(transform) = transform.filter(|transform| !transform.keeps_boxes()) else {
            return self.any.insert(key, bounds);
        };
        self.points.insert(key, bounds);
        let plane = self.planes.entry(transform.to().code()).or_insert_with(|| Plane {
            transform: Arc::clone(transform),
            regions: ViewportIndex::with_seed(self.seed),
        });
        plane.regions.insert(key, region.boxes());
    }

    /// Removes a key, whose region is in the target of this transformation; whether it was there.
    pub fn remove(&mut self, key: K, transform: Option<&Transform>) -> bool {
        let Some(transform) = transform.filter(|transform| !transform.keeps_boxes()) else {
            return self.any.remove(key);
        };
        let code = transform.to().code();
        if let Some(plane) = self.planes.get_mut(&code) {
            plane.regions.remove(key);
            if plane.regions.is_empty() {
                self.planes.remove(&code);
            }
        }
        self.points.remove(key)
    }

    /// Visits each key whose region may have some of the shape, once. All are visited where a part of the shape has no
    /// place. `project` is asked for the shape in another system, once for each.
    pub fn for_each(
        &self,
        shape: &Shape,
        mut project: impl FnMut(&Transform) -> Arc<Shape>,
        mut visit: impl FnMut(K),
    ) {
        let Some(whereabouts) = shape.whereabouts() else {
            self.any.for_each(&Bbox::EVERYTHING, &mut visit);
            return self.points.for_each(&Bbox::EVERYTHING, visit);
        };
        find(&self.any, &whereabouts, &mut visit);
        if shape.is_points() {
            return find(&self.points, &whereabouts, &mut visit);
        }
        for plane in self.planes.values() {
            // Without an extent there it has no finite coordinates there, and nobody sees it.
            if let Some(extent) = project(&plane.transform).extent() {
                find(&plane.regions, &extent, &mut visit);
            }
        }
    }

    /// Visits all keys.
    pub fn for_all(&self, mut visit: impl FnMut(K)) {
        self.any.for_each(&Bbox::EVERYTHING, &mut visit);
        self.points.for_each(&Bbox::EVERYTHING, visit);
    }
}

fn find<K: Copy + Eq + Hash>(index: &ViewportIndex<K>, extent: &Bbox, visit: &mut impl FnMut(K)) {
    let [left, bottom, right, top] = extent.to_array();
    if index.is_empty() {
    } else if left == right && bottom == top {
        index.for_each_at([left, bottom], visit);
    } else {
        index.for_each(extent, visit);
    }
}
