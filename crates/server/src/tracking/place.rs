use geocast_geo_filter::{Bbox, Shape};
use rstar::{AABB, Envelope, RTreeObject};
use slotmap::{Key, new_key_type};

new_key_type! {
    /// Names an entry of a mirror.
    pub(super) struct Slot;
}

/// Where an entry of a mirror is, as a tree of places takes it: a little aside, each entry elsewhere, because what stands in one place
/// with many others is not found quickly in a tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) slot: Slot,
    extent: AABB<[f64; 2]>,
    pub(super) is_points: bool,
}

impl Place {
    /// Of an entry with this shape, if it has a place. What has none is in every viewport.
    pub(super) fn new(slot: Slot, shape: &Shape) -> Option<Self> {
        let [left, bottom, right, top] = edges(&shape.whereabouts()?);
        // Neighbouring slots are far apart, and no two of them in the same place.
        let spread =
            u32::try_from(slot.data().as_ffi() & 0xffff_ffff).unwrap_or_default().wrapping_mul(SPREAD);
        let [x, y] = [spread >> 16, spread & 0xffff].map(|part| f64::from(part) / 65_536.0);
        let aside = |edge: f64, part: f64| edge + part * margin(edge);
        let extent = AABB::from_corners([aside(left, x), aside(bottom, y)], [aside(right, x), aside(top, y)]);
        Some(Self { slot, extent, is_points: shape.is_points() })
    }

    /// Whether a tree finds it [within](within) this.
    pub(super) fn is_within(&self, bounds: &AABB<[f64; 2]>) -> bool {
        bounds.intersects(&self.extent)
    }
}

impl RTreeObject for Place {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> AABB<[f64; 2]> {
        self.extent
    }
}

/// What to ask a tree of places for, to be told of all that is in a box.
pub(super) fn within(bbox: &Bbox) -> AABB<[f64; 2]> {
    let [left, bottom, right, top] = edges(bbox);
    AABB::from_corners([left, bottom], [right + margin(right), top + margin(top)])
}

/// Edges that a tree can calculate with.
fn edges(bbox: &Bbox) -> [f64; 4] {
    bbox.to_array().map(|edge| edge.clamp(-FARTHEST, FARTHEST))
}

/// How far aside of an edge an entry stands at most: some ten centimetres in degrees, and far away enough for different
/// numbers. What is behind an edge stays behind it.
fn margin(edge: f64) -> f64 {
    (edge.abs() * FINENESS).max(1e-6)
}

/// Edges beyond it are taken for this. The tree adds, multiplies and compares them, and panics where that comes to infinity less
/// infinity.
const FARTHEST: f64 = 1e9;

/// Of the numbers of a double's size, some millions are between an edge and this part more of it.
const FINENESS: f64 = 1.0 / (1u64 << 30) as f64;

/// Odd, so that no two slots are taken to the same place: 2³² divided by the golden ratio.
const SPREAD: u32 = 0x9E37_79B1;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use slotmap::SlotMap;

    use super::*;

    fn place(slot: Slot, [x, y]: [f64; 2]) -> Place {
        let document = format!(r#"{{"type":"Point","coordinates":[{x:?},{y:?}]}}"#);
        let limits = geocast_geo_filter::Limits::default();
        let document = geocast_geo_filter::Document::read(document.as_bytes(), &limits).expect("a document");
        Place::new(slot, document.shape()).expect("a place")
    }

    #[test]
    fn no_two_entries_stand_in_the_same_place() {
        let mut slots = SlotMap::<Slot, ()>::with_key();
        for point in [[0.0, 0.0], [180.0, -90.0], [-180.0, 1e9], [0.0, -1e300]] {
            let corners = (0..10_000).map(|_| {
                let corner = place(slots.insert(()), point).extent.lower();
                corner.map(f64::to_bits)
            });
            assert_eq!(corners.collect::<BTreeSet<_>>().len(), 10_000, "at {point:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_in_a_box_is_found(
            // Longitudes are those of the world; latitudes may be anything.
            scale in (prop_oneof![Just(1.0), Just(180.0)], prop_oneof![Just(90.0), Just(1e6), Just(1e12)]),
            point in [-1.0..1.0_f64, -1.0..1.0_f64],
            past in [0.0..1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64],
            edge in 0..5_usize,
            before in 0..100_usize,
        ) {
            let mut slots = SlotMap::<Slot, ()>::with_key();
            (0..before).for_each(|_| _ = slots.insert(()));
            let [x, y] = [point[0] * scale.0, point[1] * scale.1];
            let mut past = [past[0] * scale.0, past[1] * scale.1, past[2] * scale.0, past[3] * scale.1];
            // A point on an edge is in the box.
            past.iter_mut().take(edge).for_each(|part| *part = 0.0);
            let bbox = Bbox::try_from([x - past[0], y - past[1], x + past[2], y + past[3]]).expect("a box");
            prop_assert!(place(slots.insert(()), [x, y]).is_within(&within(&bbox)));
        }
    }
}
