use crate::world::World;
use crate::{Bbox, BboxError};

/// The part of the world that a client's box means: what is in one of its boxes.
///
/// Where a coordinate system goes around the world, a box may go across the antimeridian: left is greater than right
/// then, or an edge is beyond ±180 degrees, as map libraries say it when the map shows more than one world. Such a
/// region has two boxes, a turn apart, of which each reaches beyond the antimeridian; what is at exactly 180 degrees is
/// also at −180. A box of a whole turn or more has all longitudes.
///
/// The unit and the axis order are those of the coordinate system it is used with.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    boxes: Boxes,
    world: Option<World>,
}

/// Nearly all regions have one box, which is kept where the region is: the box is read for each event that is near.
#[derive(Clone, Debug, PartialEq)]
enum Boxes {
    One(Bbox),
    Several(Vec<Bbox>),
}

impl Region {
    /// A box in EPSG:4326: left, bottom, right, top, in degrees of longitude and latitude.
    ///
    /// ```
    /// use geocast_geo_filter::Region;
    ///
    /// let fiji = Region::from_degrees([176.0, -20.0, -178.0, -16.0])?;
    /// assert!(fiji.contains_point([178.4, -18.1]) && fiji.contains_point([-179.9, -16.8]));
    /// assert_eq!(fiji, Region::from_degrees([176.0, -20.0, 182.0, -16.0])?);
    /// assert!(Region::from_degrees([2_600_000.0, 1_200_000.0, 2_601_000.0, 1_201_000.0]).is_err());
    /// # Ok::<(), geocast_geo_filter::RegionError>(())
    /// ```
    ///
    /// # Errors
    /// A number is not finite, bottom is above top, or the numbers can be no degrees: all of the box is beyond a pole,
    /// a latitude is beyond ±3600 or a longitude beyond ±36 000. Up to there, what is beyond a pole is cut off in
    /// effect, for nothing is there.
    pub fn from_degrees(corners: [f64; 4]) -> Result<Self, RegionError> {
        Self::in_world(World::DEGREES, corners)
    }

    pub(crate) fn in_world(world: World, corners: [f64; 4]) -> Result<Self, RegionError> {
        let World { axis, half, hair, .. } = world;
        if let Some(&value) = corners.iter().find(|value| !value.is_finite()) {
            return Err(BboxError::NotFinite { value }.into());
        }
        let (low, mut high) = (corners[axis], corners[axis + 2]);
        let with = |low, high| {
            let mut edges = corners;
            (edges[axis], edges[axis + 2]) = (low, high);
            Bbox::try_from(edges)
        };
        // The other axis has an order.
        with(low, low)?;
        check_latitudes(&world, corners)?;
        let turn = world.turn();
        if low > high {
            high += turn * ((low - high) / turn).ceil();
        }
        let width = high - low;
        if width >= turn - 2.0 * hair {
            // Data may be beyond the antimeridian as well.
            let boxes = Boxes::One(with(low.min(-1.5 * turn), high.max(1.5 * turn))?);
            return Ok(Self { boxes, world: Some(world) });
        }
        let whole_turns = turn * ((low + half) / turn).floor();
        let mut boxes = Vec::with_capacity(2);
        for by in [0.0, -turn, turn] {
            let (mut low, mut high) = (low - whole_turns + by, high - whole_turns + by);
            if low > half + hair || high < -half - hair {
                continue;
            }
            for end in [-half, half] {
                if (low - end).abs() <= hair {
                    low = low.min(end);
                }
                if (high - end).abs() <= hair {
                    high = high.max(end);
                }
            }
            boxes.push(with(low, high)?);
        }
        Ok(Self { boxes: boxes.into(), world: Some(world) })
    }

    /// The boxes: one, or two a turn apart.
    #[must_use]
    pub fn boxes(&self) -> &[Bbox] {
        match &self.boxes {
            Boxes::One(bbox) => std::slice::from_ref(bbox),
            Boxes::Several(boxes) => boxes,
        }
    }

    /// Whether the point is in one of the boxes or on its edge.
    #[must_use]
    pub fn contains_point(&self, point: [f64; 2]) -> bool {
        self.boxes().iter().any(|bbox| bbox.contains_point(point))
    }

    /// Whether the box has a point in common with one of the region's.
    #[must_use]
    pub fn intersects(&self, other: &Bbox) -> bool {
        self.boxes().iter().any(|bbox| bbox.intersects(other))
    }

    /// Whether one of the region's boxes contains the other one.
    #[must_use]
    pub fn contains(&self, other: &Bbox) -> bool {
        self.boxes().iter().any(|bbox| bbox.contains(other))
    }

    /// The boxes again, one and two turns away, where they have a point in common with an extent that is beyond the
    /// antimeridian. For any other extent there are none.
    pub(crate) fn turned(&self, extent: &Bbox) -> Vec<Bbox> {
        let Some(world) = self.world.filter(|world| !world.has(extent)) else { return Vec::new() };
        let turns = [-2.0, -1.0, 1.0, 2.0].map(|turns| turns * world.turn());
        let moved = turns.iter().flat_map(|by| self.boxes().iter().map(|bbox| bbox.moved(world.axis, *by)));
        moved.filter(|bbox| bbox.intersects(extent)).collect()
    }

    /// The parts of the boxes that are neither beyond the antimeridian nor beyond a pole.
    #[cfg(feature = "proj")]
    pub(crate) fn within_world(&self) -> Vec<Bbox> {
        let Some(world) = self.world else { return self.boxes().to_vec() };
        self.boxes().iter().map(|bbox| world.cut(bbox)).collect()
    }
}

impl From<Bbox> for Region {
    /// The box alone, in a system that does not go around the world.
    fn from(bbox: Bbox) -> Self {
        Self { boxes: Boxes::One(bbox), world: None }
    }
}

impl From<Vec<Bbox>> for Boxes {
    fn from(boxes: Vec<Bbox>) -> Self {
        match boxes[..] {
            [only] => Self::One(only),
            _ => Self::Several(boxes),
        }
    }
}

/// Why four numbers are no [`Region`].
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegionError {
    /// They are no box in any unit.
    #[error(transparent)]
    Bbox(#[from] BboxError),
    /// All latitudes are beyond a pole.
    #[error(
        "box has latitudes from {low} to {high}, all of them beyond the pole at {pole}: longitude comes first, as in \
         RFC 7946, unless the server is set to the authority's order"
    )]
    BeyondPole {
        /// The lower latitude.
        low: f64,
        /// The higher latitude.
        high: f64,
        /// The greatest latitude there is.
        pole: f64,
    },
    /// A number is too large for an angle.
    #[error("box edge {value} can be no angle: a box in metres has to name its system, such as epsg:3857")]
    NoAngle {
        /// The first such number.
        value: f64,
    },
    /// Degrees, in a system that has lengths.
    #[error(
        "box edges {first} and {second} look like degrees, but EPSG:{code} has lengths: a box in degrees has to name its \
         system, such as epsg:4326"
    )]
    Degrees {
        /// The first number of the lower left corner.
        first: f64,
        /// The second number of the lower left corner.
        second: f64,
        /// The system's EPSG code.
        code: u32,
    },
    /// The two axes are swapped.
    #[error(
        "box edges {first} and {second} look like y before x: in EPSG:{code}, {first_axis} comes first here"
    )]
    Swapped {
        /// The first number of the lower left corner.
        first: f64,
        /// The second number of the lower left corner.
        second: f64,
        /// The system's EPSG code.
        code: u32,
        /// What comes first.
        first_axis: &'static str,
    },
}

fn check_latitudes(world: &World, corners: [f64; 4]) -> Result<(), RegionError> {
    let World { axis, half, pole, .. } = *world;
    if pole.is_infinite() {
        return Ok(());
    }
    let (low, high) = (corners[1 - axis], corners[3 - axis]);
    let longitudes = [corners[axis], corners[axis + 2]].map(|value| (value, MOST_TURNS * half));
    let mut angles = longitudes.into_iter().chain([(low, MOST_POLES * pole), (high, MOST_POLES * pole)]);
    if let Some((value, _)) = angles.find(|(value, most)| value.abs() > *most) {
        return Err(RegionError::NoAngle { value });
    }
    if low > pole || high < -pole {
        return Err(RegionError::BeyondPole { low, high, pole });
    }
    Ok(())
}

/// Longitudes up to so many times 180 degrees: a map that was dragged around the world a hundred times.
const MOST_TURNS: f64 = 200.0;

/// Latitudes up to so many times 90 degrees: a large screen that shows one world in a corner.
const MOST_POLES: f64 = 40.0;
