use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::structure::Structure;
use crate::world::World;
use crate::{Bbox, Region, geometry};

/// The coordinates of a document in one coordinate system: the one it came in, or one it was projected to.
///
/// A *member* is a feature of a FeatureCollection; any other document is one member, with index 0. The rules of
/// a viewport, wherever this type judges one:
/// - A hit is a true intersection of the geometry and the closed box: a point on the edge is in, so is a line
///   that crosses the box without a vertex in it, and a polygon that covers it. A box inside a polygon's hole
///   is out.
/// - What has no geometry passes every viewport.
/// - A collection passes if one of its members passes.
/// - A member that is withheld (see [`withheld`](Self::withheld)) passes none.
#[derive(Clone, Debug)]
pub struct Shape {
    structure: Arc<Structure>,
    positions: Vec<[f64; 2]>,
    /// Members with a coordinate that is not finite, ascending.
    withheld: Vec<usize>,
    extent: Option<Bbox>,
    /// What the structure says of the whole, kept here: most tests end with it, and the structure is elsewhere in memory.
    summary: Summary,
    /// Per part, what geo needs for the exact test; made when a box first needs it.
    geometries: OnceLock<Box<[OnceLock<geo::Geometry<f64>>]>>,
    /// Per member, the box around it. Made when members are first judged one by one.
    member_extents: OnceLock<Box<[Option<Bbox>]>>,
}

#[derive(Debug, Clone, Copy)]
struct Summary {
    is_points: bool,
    has_bare_member: bool,
    members: usize,
}

impl Shape {
    pub(crate) fn new(structure: Arc<Structure>, positions: Vec<[f64; 2]>) -> Self {
        let mut extent = Bbox::around(&positions);
        let mut withheld = Vec::new();
        if extent.is_none() && !positions.is_empty() {
            for member in 0..structure.members.len() {
                match positions.get(structure.positions_of(member)).unwrap_or_default() {
                    [] => {}
                    some => match (Bbox::around(some), &mut extent) {
                        (None, _) => withheld.push(member),
                        (Some(bbox), Some(all)) => *all = all.union(&bbox),
                        (Some(bbox), none) => *none = Some(bbox),
                    },
                }
            }
        }
        let summary = Summary {
            is_points: structure.parts.iter().all(|part| !geometry::can_cross(part)),
            has_bare_member: structure.bare,
            members: structure.members.len(),
        };
        Self {
            structure,
            positions,
            withheld,
            extent,
            summary,
            geometries: OnceLock::new(),
            member_extents: OnceLock::new(),
        }
    }

    /// The smallest box around all coordinates that are not withheld. `None` when there are none, or when a
    /// member without geometry makes the document pass every viewport: an index must then offer it to all.
    #[must_use]
    pub fn extent(&self) -> Option<Bbox> {
        if self.has_bare_member() { None } else { self.extent }
    }

    /// Where in the world a shape in EPSG:4326 is: its [`extent`](Self::extent) with longitudes within ±180 degrees,
    /// which is what an index of regions is asked for. An extent beyond the antimeridian is moved by whole turns; one
    /// that crosses it has all longitudes.
    #[must_use]
    pub fn whereabouts(&self) -> Option<Bbox> {
        self.extent().map(|extent| World::DEGREES.brought_back(&extent))
    }

    /// Whether there is nothing between the positions: all geometries are points, or several points.
    #[must_use]
    pub fn is_points(&self) -> bool {
        self.summary.is_points
    }

    /// The positions in the order of the payload, as x, y.
    #[must_use]
    pub fn positions(&self) -> &[[f64; 2]] {
        &self.positions
    }

    /// How many members there are: features of a collection; for any other document 1, or 0 if it has no position.
    #[must_use]
    pub fn members(&self) -> usize {
        self.summary.members
    }

    /// Whether a member has a place: a geometry, all coordinates of which are finite.
    #[must_use]
    pub fn has_place(&self, member: usize) -> bool {
        self.member_extent(member).is_some()
    }

    /// The members of which a coordinate could not be projected, ascending. They never hit a box and are cut
    /// out when the document is rewritten, so that no coordinate leaves that is not finite.
    #[must_use]
    pub fn withheld(&self) -> &[usize] {
        &self.withheld
    }

    /// Whether nothing of the document may leave: it has members and all are withheld.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        !self.withheld.is_empty() && self.withheld.len() == self.members()
    }

    /// Whether the document passes a viewport: any of its members does, or it has no geometry.
    #[must_use]
    pub fn intersects(&self, bbox: &Bbox) -> bool {
        if self.members() == 0 || self.has_bare_member() {
            return true;
        }
        let Some(extent) = self.extent else { return false };
        if !bbox.intersects(&extent) {
            return false;
        }
        bbox.contains(&extent) || (0..self.members()).any(|member| self.member_intersects(member, bbox))
    }

    /// Whether the document passes a viewport that is a region. Where the region goes around the world, longitudes
    /// beyond ±180 degrees are what they are a turn away.
    #[must_use]
    pub fn is_in(&self, region: &Region) -> bool {
        region.boxes().iter().any(|bbox| self.intersects(bbox))
            || self.turned(region).iter().any(|bbox| self.intersects(bbox))
    }

    /// The members that pass a viewport that is a region, ascending.
    #[must_use]
    pub fn members_in(&self, region: &Region) -> Vec<usize> {
        let turned = self.turned(region);
        let boxes = || region.boxes().iter().chain(&turned);
        (0..self.members())
            .filter(|&member| boxes().any(|bbox| self.member_intersects(member, bbox)))
            .collect()
    }

    /// The members that pass a viewport, ascending.
    #[must_use]
    pub fn members_inside(&self, bbox: &Bbox) -> Vec<usize> {
        (0..self.members()).filter(|&member| self.member_intersects(member, bbox)).collect()
    }

    /// The same document with every position replaced. Members with a result that is not finite are withheld.
    /// This is the door for a projection that is not PROJ.
    #[must_use]
    pub fn map(&self, project: impl FnMut([f64; 2]) -> [f64; 2]) -> Self {
        self.with_positions(self.positions.iter().copied().map(project).collect())
    }

    /// The same document with these positions, of which there must be as many.
    pub(crate) fn with_positions(&self, positions: Vec<[f64; 2]>) -> Self {
        Self::new(Arc::clone(&self.structure), positions)
    }

    pub(crate) fn structure(&self) -> &Structure {
        &self.structure
    }

    fn member_intersects(&self, member: usize, bbox: &Bbox) -> bool {
        let parts = self.structure.members.get(member).cloned().unwrap_or_default();
        if parts.is_empty() {
            return true;
        }
        let Some(extent) = self.member_extent(member) else { return false };
        if !bbox.intersects(&extent) {
            return false;
        }
        if bbox.contains(&extent) {
            return true;
        }
        // A vertex in the box settles it for every type, and most hits end here, without a geometry built.
        let positions = self.positions.get(self.structure.positions_of(member)).unwrap_or_default();
        positions.iter().any(|&position| bbox.contains_point(position))
            || parts.into_iter().any(|part| self.part_crosses(part, bbox))
    }

    /// Whether a part without a vertex in the box has a point in it.
    fn part_crosses(&self, index: usize, bbox: &Bbox) -> bool {
        let Some(part) = self.structure.parts.get(index).filter(|part| geometry::can_cross(part)) else {
            return false;
        };
        let built =
            self.geometries.get_or_init(|| self.structure.parts.iter().map(|_| OnceLock::new()).collect());
        built.get(index).is_some_and(|built| {
            let geometry = built.get_or_init(|| geometry::build(&self.structure, part, &self.positions));
            geometry::intersects(geometry, bbox)
        })
    }

    /// The box around a member; none if it has no geometry, or a coordinate that is not finite.
    pub(crate) fn member_extent(&self, member: usize) -> Option<Bbox> {
        if self.members() == 1 {
            return self.extent;
        }
        let extents =
            self.member_extents.get_or_init(|| (0..self.members()).map(|m| self.around(m)).collect());
        extents.get(member).copied().flatten()
    }

    fn around(&self, member: usize) -> Option<Bbox> {
        let range: Range<usize> = self.structure.positions_of(member);
        Bbox::around(self.positions.get(range).unwrap_or_default())
    }

    fn turned(&self, region: &Region) -> Vec<Bbox> {
        self.extent.map_or_else(Vec::new, |extent| region.turned(&extent))
    }

    fn has_bare_member(&self) -> bool {
        self.summary.has_bare_member
    }
}
