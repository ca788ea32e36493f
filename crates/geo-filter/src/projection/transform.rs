use std::f64::consts::FRAC_PI_2;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::operation::{Axes, Operation};
use super::{AreaOfUse, AxisOrder, CrsKind, KnownCrs, bounds, mercator};
use crate::{Bbox, Decimals, Region, RegionError, Shape};

/// Projects shapes from one coordinate system to another.
///
/// It may be used from any thread; a lock is held while PROJ computes, so give threads that project much each
/// their own. Grid files are never read: where the best operation between two systems needs one, the next best is
/// taken, typically good to a few metres.
///
/// From EPSG:4326 to EPSG:3857 it takes the closed formula of EPSG's operation method 1024, within a micrometre of
/// PROJ everywhere, without a lock.
#[derive(Debug)]
pub struct Transform {
    from: KnownCrs,
    to: KnownCrs,
    method: Method,
}

/// How the numbers come about.
#[derive(Debug)]
enum Method {
    /// EPSG:4326 to EPSG:3857. The target's axes are x, y in either order.
    Mercator,
    Proj(Proj),
}

/// What PROJ needs to be told.
#[derive(Debug)]
struct Proj {
    /// A PROJ operation changes while it is used. The lock is never held while anything else is waited for.
    operation: Mutex<Operation>,
    swap_output: bool,
    /// Whether the source's authority puts y first.
    source_is_swapped: bool,
    swap_input: bool,
    /// The greatest latitude in the unit of the source; infinite for a projected source.
    max_latitude: f64,
    /// Where a projected target is meant to be used, in the source's degrees, which are those of EPSG:4326.
    area: Option<AreaOfUse>,
    /// Where in the target that is; made when it is first needed.
    home: OnceLock<Option<Bbox>>,
}

impl Transform {
    /// Prepares a transformation. `order` is that of the target's numbers; the source's are x, y, as GeoJSON has them
    /// (RFC 7946 §3.1.1), unless it is [said otherwise](Self::reading). It takes 2 to 60 ms, except for what has a closed
    /// formula: not for a thread that serves clients.
    ///
    /// # Errors
    /// When PROJ has no operation between the two systems.
    pub fn new(from: KnownCrs, to: KnownCrs, order: AxisOrder) -> Result<Self, TransformError> {
        let method = if mercator::applies(from, to) {
            Method::Mercator
        } else {
            Method::Proj(Proj::new(from, to, order)?)
        };
        Ok(Self { from, to, method })
    }

    /// The same from a source whose numbers are in this order. EPSG:4326 has longitude first in either.
    #[must_use]
    pub fn reading(mut self, order: AxisOrder) -> Self {
        if let Method::Proj(proj) = &mut self.method {
            proj.swap_input =
                order == AxisOrder::Authority && proj.source_is_swapped && self.from.code() != 4326;
        }
        self
    }

    /// The system it projects from.
    #[must_use]
    pub const fn from(&self) -> KnownCrs {
        self.from
    }

    /// The system it projects to.
    #[must_use]
    pub const fn to(&self) -> KnownCrs {
        self.to
    }

    /// How many decimals a coordinate in the target has by default.
    #[must_use]
    pub const fn decimals(&self) -> Decimals {
        self.to.decimals()
    }

    /// Projects all coordinates of a shape at once. A latitude beyond a pole is refused, and a position outside
    /// of what the target can express fails: either [withholds](Shape::withheld) the member it is in, and the
    /// whole document where it is no collection. A coordinate that is not finite never gets further.
    #[must_use]
    pub fn shape(&self, shape: &Shape) -> Shape {
        match &self.method {
            Method::Mercator => shape.map(mercator::forward),
            Method::Proj(proj) => {
                let mut positions = shape.positions().to_vec();
                proj.project(&mut positions);
                shape.with_positions(positions)
            }
        }
    }

    /// Boxes of the source system that together contain every position that lies in a box of the target system: a
    /// coarse filter, for the exact test comes after it.
    ///
    /// Two where the box crosses the antimeridian; [`Bbox::EVERYTHING`] where no bounds can be given, as for a box that
    /// is far larger than the area that the target is meant for. Longitudes of the source are taken to be within ±180
    /// degrees. From EPSG:4326 to EPSG:3857 they are exact to a tenth of a millimetre. Else the box's edges are followed
    /// in 22 steps each and the result widened by a fiftieth and about a kilometre, which takes 50 to 600 µs, the first
    /// time up to 5 ms. A position from which the way back leads elsewhere has no place in the target, and is in no box.
    ///
    /// A line between two positions is straight in the target, and may leave in the source the box around its ends,
    /// unless the transformation [keeps boxes](Self::keeps_boxes).
    #[must_use]
    pub fn bounds(&self, bbox: &Bbox) -> Vec<Bbox> {
        let kind = self.from.kind();
        let bounds = match &self.method {
            Method::Mercator => mercator::bounds_backward(bbox.to_array()),
            Method::Proj(proj) => match proj.bounds_backward(bbox, kind) {
                Some(bounds) => bounds,
                None => return vec![Bbox::EVERYTHING],
            },
        };
        let swap = matches!(&self.method, Method::Proj(proj) if proj.swap_input);
        split(bounds, kind)
            .into_iter()
            .map(|edges| swapped(edges, swap))
            .map(|edges| Bbox::try_from(edges).unwrap_or(Bbox::EVERYTHING))
            .collect()
    }
}

impl Transform {
    /// Whether a box around positions in the source becomes a box around the same positions in the target, so that
    /// what is between them stays between them. It holds from EPSG:4326 to EPSG:3857.
    #[must_use]
    pub const fn keeps_boxes(&self) -> bool {
        matches!(self.method, Method::Mercator)
    }

    /// Whether a region is one that people look at in a target with lengths, as far as that is plain. It takes a fraction
    /// of a millisecond the first time, and a lock.
    ///
    /// # Errors
    /// It is far from the area that the target is meant for, and would be in it with x and y swapped, or in degrees.
    pub fn check_units(&self, region: &Region) -> Result<(), RegionError> {
        match (&self.method, region.boxes()) {
            (Method::Proj(proj), [bbox]) => proj.check_units(bbox, self.to.code()),
            _ => Ok(()),
        }
    }

    /// The [bounds](Self::bounds) of all boxes of a region.
    #[must_use]
    pub fn region_bounds(&self, region: &Region) -> Vec<Bbox> {
        let mut bounds: Vec<Bbox> = Vec::new();
        for bbox in region.within_world().iter().flat_map(|bbox| self.bounds(bbox)) {
            if !bounds.iter().any(|other| other.contains(&bbox)) {
                bounds.retain(|other| !bbox.contains(other));
                bounds.push(bbox);
            }
        }
        bounds
    }
}

impl Proj {
    fn new(from: KnownCrs, to: KnownCrs, order: AxisOrder) -> Result<Self, TransformError> {
        let operation = Operation::new(from, to)?;
        let unknown = |crs| TransformError::UnknownAxes { crs };
        let source = Axes::of(from).ok_or_else(|| unknown(from))?;
        let target = Axes::of(to).ok_or_else(|| unknown(to))?;
        let max_latitude = match from.kind() {
            // A hair more than a right angle, as a pole must not fail for its last bit.
            CrsKind::Geographic => FRAC_PI_2 / source.unit * (1.0 + 1e-12),
            CrsKind::Projected => f64::INFINITY,
        };
        Ok(Self {
            operation: Mutex::new(operation),
            swap_output: order == AxisOrder::Authority && target.swapped,
            source_is_swapped: source.swapped,
            swap_input: false,
            max_latitude,
            area: target.area.filter(|_| from.code() == 4326 && to.kind() == CrsKind::Projected),
            home: OnceLock::new(),
        })
    }

    fn project(&self, positions: &mut [[f64; 2]]) {
        if self.swap_input {
            positions.iter_mut().for_each(|position| position.swap(0, 1));
        }
        if self.max_latitude.is_finite() {
            for position in positions.iter_mut() {
                if position[1].abs() > self.max_latitude {
                    *position = [f64::NAN; 2];
                }
            }
        }
        self.operation().forward(positions);
        if self.swap_output {
            positions.iter_mut().for_each(|position| position.swap(0, 1));
        }
    }

    /// `None` where there are none.
    fn bounds_backward(&self, bbox: &Bbox, kind: CrsKind) -> Option<[f64; 4]> {
        let target = swapped(bbox.to_array(), self.swap_output);
        let mut operation = self.operation();
        if let Some(area) = self.area {
            let reach = self.home(&mut operation, area).and_then(|home| bounds::grown(&home, REACH))?;
            if !reach.contains(&Bbox::try_from(target).ok()?) {
                return None;
            }
        }
        bounds::backward(&mut operation, target, kind)
    }

    fn home(&self, operation: &mut Operation, area: AreaOfUse) -> Option<Bbox> {
        *self.home.get_or_init(|| bounds::home(operation, area))
    }

    /// Whether a box that has nothing to do with the target's area would have, if it was meant otherwise.
    fn check_units(&self, given: &Bbox, code: u32) -> Result<(), RegionError> {
        let Some(area) = self.area else { return Ok(()) };
        let Some(home) = self.home(&mut self.operation(), area) else { return Ok(()) };
        let xy = |corners| Bbox::try_from(swapped(corners, self.swap_output));
        let bbox = xy(given.to_array())?;
        if bounds::grown(&home, REACH).is_none_or(|reach| reach.intersects(&bbox)) {
            return Ok(());
        }
        let other_way_round = Bbox::try_from(swapped(bbox.to_array(), true))?;
        let [first, second, ..] = given.to_array();
        if bounds::grown(&home, 0.1).is_some_and(|home| home.contains(&other_way_round)) {
            let first_axis = if self.swap_output { "northing" } else { "easting" };
            return Err(RegionError::Swapped { first, second, code, first_axis });
        }
        if [bbox, other_way_round].iter().any(|bbox| area.has_degrees(bbox)) {
            return Err(RegionError::Degrees { first, second, code });
        }
        Ok(())
    }

    fn operation(&self) -> MutexGuard<'_, Operation> {
        self.operation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no transformation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// PROJ could not be started.
    #[error("no memory for a PROJ context")]
    NoContext,
    /// PROJ has no operation between the two.
    #[error("no transformation from {from} to {to}: {reason}")]
    Unsupported {
        /// The source.
        from: KnownCrs,
        /// The target.
        to: KnownCrs,
        /// What PROJ says.
        reason: String,
    },
    /// PROJ does not say how the axes of a system lie.
    #[error("the axes of {crs} are unknown")]
    UnknownAxes {
        /// The system.
        crs: KnownCrs,
    },
}

const fn swapped([a, b, c, d]: [f64; 4], swap: bool) -> [f64; 4] {
    if swap { [b, a, d, c] } else { [a, b, c, d] }
}

/// Cuts bounds across the antimeridian in two.
fn split([left, bottom, right, top]: [f64; 4], kind: CrsKind) -> Vec<[f64; 4]> {
    if kind == CrsKind::Projected {
        return vec![[left, bottom, right, top]];
    }
    let width = if right < left { right + 360.0 - left } else { right - left };
    if width >= 360.0 {
        vec![[-180.0, bottom, 180.0, top]]
    } else if right < left {
        vec![[left, bottom, 180.0, top], [-180.0, bottom, right, top]]
    } else if left < -180.0 {
        vec![[left + 360.0, bottom, 180.0, top], [-180.0, bottom, right, top]]
    } else if right > 180.0 {
        vec![[left, bottom, 180.0, top], [-180.0, bottom, right - 360.0, top]]
    } else {
        vec![[left, bottom, right, top]]
    }
}

/// Bounds hold no further from the area of use than so many times its size.
const REACH: f64 = 1.0;
