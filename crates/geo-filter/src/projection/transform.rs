use std::f64::consts::FRAC_PI_2;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::operation::{Axes, Operation};
use super::{AxisOrder, CrsKind, KnownCrs, mercator};
use crate::{Bbox, Decimals, Region, Shape};

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
    /// The greatest latitude in the unit of the source; infinite for a projected source.
    max_latitude: f64,
}

impl Transform {
    /// Prepares a transformation. `order` is that of the target's numbers; the source's are x, y always, as GeoJSON has
    /// them (RFC 7946 §3.1.1). It takes 2 to 60 ms, except for what has a closed formula: not for a thread that
    /// serves clients.
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

    /// Boxes of the source system that together contain whatever lies in a box of the target system: a coarse
    /// filter, for the exact test comes after it.
    ///
    /// Two where the box crosses the antimeridian; [`Bbox::EVERYTHING`] where no bounds can be given. Longitudes of
    /// the source are taken to be within ±180 degrees. From EPSG:4326 to EPSG:3857 they are exact to a tenth of a
    /// millimetre. Else the box's edges are followed in 22 steps each and the result widened by a fiftieth and about
    /// a kilometre, which takes 50 to 600 µs, the first time up to 5 ms.
    ///
    /// That holds for positions. A line between two of them is straight in the target, and may leave in the source the
    /// box around its ends, unless the transformation [keeps boxes](Self::keeps_boxes).
    #[must_use]
    pub fn bounds(&self, bbox: &Bbox) -> Vec<Bbox> {
        let kind = self.from.kind();
        let bounds = match &self.method {
            Method::Mercator => mercator::bounds_backward(bbox.to_array()),
            Method::Proj(proj) => match proj.bounds_backward(bbox) {
                Some(bounds) => widened(bounds, kind),
                None => return vec![Bbox::EVERYTHING],
            },
        };
        split(bounds, kind)
            .into_iter()
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
            max_latitude,
        })
    }

    fn project(&self, positions: &mut [[f64; 2]]) {
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
    fn bounds_backward(&self, bbox: &Bbox) -> Option<[f64; 4]> {
        let target = swapped(bbox.to_array(), self.swap_output);
        self.operation().bounds_backward(target).filter(|bounds| bounds.iter().all(|edge| edge.is_finite()))
    }

    fn operation(&self) -> MutexGuard<'_, Operation> {
        self.operation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no transformation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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

/// Bounds found at sampled points may miss what bulges between them. And PROJ chooses among several datum shifts
/// by place, on the way back not always the same one as on the way there: that is worth up to some hundred metres.
fn widened([left, bottom, right, top]: [f64; 4], kind: CrsKind) -> [f64; 4] {
    let (turn, least) = match kind {
        CrsKind::Geographic => (360.0, 0.01),
        CrsKind::Projected => (0.0, 1_000.0),
    };
    let width = if right < left { right + turn - left } else { right - left };
    let (x, y) = (width.abs() / 50.0 + least, (top - bottom).abs() / 50.0 + least);
    [left - x, bottom - y, right + x, top + y]
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
