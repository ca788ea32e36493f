use std::f64::consts::{FRAC_PI_2, PI};

use super::{AreaOfUse, AxisOrder, Catalogue, CrsKind, KnownCrs, mercator};
use crate::world::World;
use crate::{Bbox, Region, RegionError};

impl Catalogue {
    /// The region that a client's box means: left, bottom, right, top, in the units of the system, x before y unless
    /// `order` is [the authority's](AxisOrder::Authority); EPSG:4326 has longitude first in either.
    ///
    /// Boxes go across the antimeridian, and around the world, in geographic systems and in EPSG:3857.
    ///
    /// # Errors
    /// They are no box in that system, or plainly in another unit: beyond a pole, too large for angles; or degrees
    /// within the area of use of a system that has lengths.
    pub fn region(&self, crs: KnownCrs, order: AxisOrder, corners: [f64; 4]) -> Result<Region, RegionError> {
        if let Some(world) = self.world(crs, order) {
            if crs.kind == CrsKind::Projected {
                self.check_lengths(crs, corners)?;
            }
            return Region::in_world(world, corners);
        }
        let bbox = Bbox::try_from(corners)?;
        self.check_lengths(crs, corners)?;
        Ok(bbox.into())
    }

    /// How a system goes around the world, where its boxes may do so too.
    fn world(&self, crs: KnownCrs, order: AxisOrder) -> Option<World> {
        if mercator::is_target(crs) {
            return Some(World::MERCATOR);
        }
        if crs.kind == CrsKind::Projected {
            return None;
        }
        if crs.code == 4326 {
            return Some(World::DEGREES);
        }
        let axes = self.axes(crs)?;
        let latitude_first = order == AxisOrder::Authority && axes.swapped;
        Some(World {
            axis: usize::from(latitude_first),
            half: rounded(PI / axes.unit),
            pole: rounded(FRAC_PI_2 / axes.unit),
            hair: World::DEGREES.hair,
        })
    }

    fn check_lengths(&self, crs: KnownCrs, corners: [f64; 4]) -> Result<(), RegionError> {
        let Some(area) = self.info(crs).and_then(|info| info.area) else { return Ok(()) };
        let [first, second, ..] = corners;
        if area.takes_for_degrees(corners) {
            return Err(RegionError::Degrees { first, second, code: crs.code });
        }
        Ok(())
    }
}

impl AreaOfUse {
    /// Whether both corners, taken for degrees in either order, are in or near the area.
    fn takes_for_degrees(&self, [left, bottom, right, top]: [f64; 4]) -> bool {
        let near = |longitude: f64, latitude: f64| self.is_near(longitude, latitude);
        near(left, bottom) && near(right, top) || near(bottom, left) && near(top, right)
    }

    /// Whether a box, taken for degrees, has something of the area.
    pub(super) fn has_degrees(&self, bbox: &Bbox) -> bool {
        let [left, bottom, right, top] = bbox.to_array();
        let angles = left >= -180.0 && right <= 180.0 && bottom >= -90.0 && top <= 90.0;
        let columns = if self.west <= self.east { self.west <= right && left <= self.east } else { true };
        angles && columns && self.south <= top && bottom <= self.north
    }

    fn is_near(&self, longitude: f64, latitude: f64) -> bool {
        let Self { west, south, east, north } = *self;
        let width = if west <= east { east - west } else { east + 360.0 - west };
        let (x, y) = (width / 4.0 + 1.0, (north - south) / 4.0 + 1.0);
        let from_west = (longitude - (west - x)).rem_euclid(360.0);
        longitude.abs() <= 180.0
            && latitude.abs() <= 90.0
            && (width + 2.0 * x >= 360.0 || from_west <= width + 2.0 * x)
            && (south - y..=north + y).contains(&latitude)
    }
}

/// Angles are whole numbers of degrees or grads, but for what a division loses.
fn rounded(angle: f64) -> f64 {
    if (angle - angle.round()).abs() < 1e-6 { angle.round() } else { angle }
}
