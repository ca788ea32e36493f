mod edge;
mod edges;
mod effort;
mod error;
mod gaps;
mod polygon;

use std::sync::OnceLock;

pub use error::AreaError;

use self::{edge::Edge, edges::Edges, effort::Effort};
use crate::structure::{Part, Primitive, Structure};
use crate::world::World;
use crate::{Bbox, Shape};

/// A part of the world, of polygons with holes, in longitude and latitude (EPSG:4326, degrees), which can tell whether all
/// of a geometry is in it.
///
/// Between two positions, an edge and a line are straight in these coordinates (RFC 7946 §3.1.1). Edges belong to the area,
/// and so does what several polygons cover together. A longitude beyond ±180 degrees is what it is a turn away, in the area
/// as in what is judged.
///
/// ```
/// use geocast_geo_filter::{Area, Document, Limits};
///
/// let area = Area::try_from(vec![vec![vec![[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 9.0], [0.0, 0.0]]]])?;
/// let line = br#"{"type":"LineString","coordinates":[[1,1],[9,9]]}"#;
/// assert_eq!(area.members(Document::read(line, &Limits::default())?.shape()), [0]);
/// let line = br#"{"type":"LineString","coordinates":[[1,1],[9,10]]}"#;
/// assert!(area.members(Document::read(line, &Limits::default())?.shape()).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Area {
    edges: Vec<Edge>,
    /// What decides where nothing is beyond the antimeridian, neither in the area nor in what is judged.
    plain: Option<Plane>,
    /// What decides elsewhere: the area, and again a turn to either side. None if it cannot tell. Made when it is needed.
    turned: OnceLock<Option<Plane>>,
}

/// Polygons, ready to be asked.
#[derive(Clone, Debug)]
struct Plane {
    edges: Edges,
    extent: Bbox,
    /// A point in each part that is enclosed and not covered.
    gaps: Vec<[f64; 2]>,
}

impl Area {
    /// The most positions of all rings together.
    pub const MOST_POSITIONS: usize = 1024;

    /// The most polygons.
    pub const MOST_POLYGONS: usize = edges::MOST / 3;

    /// The members of a document in EPSG:4326 that are in the area with all of their geometry, ascending. A member without
    /// geometry is nowhere, and so is one with a coordinate that is not finite.
    ///
    /// What takes too long to judge is not in it: where so many edges of the area are beside what a document has that more than
    /// a million would have to be looked at, and 64 for each position besides. Usual are a few for each.
    #[must_use]
    pub fn members(&self, shape: &Shape) -> Vec<usize> {
        let effort = Effort::of(LOOKS + LOOKS_FOR_POSITION * shape.positions().len());
        (0..shape.members()).filter(|&member| self.has(shape, member, &effort)).collect()
    }

    fn has(&self, shape: &Shape, member: usize, effort: &Effort) -> bool {
        let structure = shape.structure();
        let parts = structure.parts_of(member);
        let Some(extent) = shape.member_extent(member) else { return false };
        let Some(plane) = self.plane(&extent) else { return false };
        plane.extent.contains(&extent)
            && parts.iter().all(|part| plane.covers(structure, part, shape.positions(), effort))
            && !effort.is_spent()
    }

    /// What can judge this place.
    fn plane(&self, extent: &Bbox) -> Option<&Plane> {
        let is_inner = -World::DEGREES.half < extent.min_x() && extent.max_x() < World::DEGREES.half;
        self.plain.as_ref().filter(|_| is_inner).or_else(|| self.turned.get_or_init(|| self.turn()).as_ref())
    }

    fn turn(&self) -> Option<Plane> {
        let turn = World::DEGREES.turn();
        let copies = [0.0, -turn, turn].into_iter().enumerate().flat_map(|(copy, by)| {
            self.edges.iter().map(move |edge| Edge {
                from: [edge.from[0] + by, edge.from[1]],
                to: [edge.to[0] + by, edge.to[1]],
                polygon: edge.polygon + copy * Self::MOST_POLYGONS,
            })
        });
        Plane::new(copies.collect()).ok()
    }
}

impl TryFrom<Vec<Vec<Vec<[f64; 2]>>>> for Area {
    type Error = AreaError;

    /// Takes the coordinates of a MultiPolygon (RFC 7946 §3.1.7): longitude and latitude, in degrees. The direction of a ring
    /// does not matter.
    ///
    /// # Errors
    /// The first thing that is wrong, see [`AreaError`].
    fn try_from(polygons: Vec<Vec<Vec<[f64; 2]>>>) -> Result<Self, AreaError> {
        let count = polygons.len();
        if count == 0 {
            return Err(AreaError::Empty);
        }
        if count > Self::MOST_POLYGONS {
            return Err(AreaError::TooManyPolygons { count, most: Self::MOST_POLYGONS });
        }
        let count = polygons.iter().flatten().map(Vec::len).sum();
        if count > Self::MOST_POSITIONS {
            return Err(AreaError::TooManyPositions { count, most: Self::MOST_POSITIONS });
        }
        let mut edges = Vec::with_capacity(count);
        for (index, rings) in polygons.iter().enumerate() {
            edges.extend(polygon::edges(rings, index)?);
        }
        let plain = Plane::new(edges.clone())?;
        let plain = Some(plain).filter(|plain| World::DEGREES.has(&plain.extent));
        Ok(Self { edges, plain, turned: OnceLock::new() })
    }
}

impl Plane {
    fn new(edges: Vec<Edge>) -> Result<Self, AreaError> {
        let ends: Vec<[f64; 2]> = edges.iter().map(|edge| edge.from).collect();
        let extent = Bbox::around(&ends).ok_or(AreaError::Empty)?;
        let edges = Edges::new(edges);
        let gaps = gaps::find(&edges)?;
        Ok(Self { edges, extent, gaps })
    }

    fn covers(&self, structure: &Structure, part: &Part, positions: &[[f64; 2]], effort: &Effort) -> bool {
        let all = positions.get(part.positions.clone()).unwrap_or_default();
        let mut lines = structure.lines_of(part).map(|range| positions.get(range).unwrap_or_default());
        match part.primitive {
            Primitive::Point | Primitive::MultiPoint => {
                all.iter().all(|&point| self.edges.contains(point, effort))
            }
            Primitive::LineString => self.has_line(all, effort),
            Primitive::MultiLineString => lines.all(|line| self.has_line(line, effort)),
            Primitive::Polygon => self.has_polygon(&lines.collect::<Vec<_>>(), effort),
            Primitive::MultiPolygon => structure.rings_of(part).all(|rings| {
                let rings: Vec<&[[f64; 2]]> = lines.by_ref().take(rings).collect();
                self.has_polygon(&rings, effort)
            }),
        }
    }

    fn has_line(&self, line: &[[f64; 2]], effort: &Effort) -> bool {
        line.first().is_none_or(|&first| self.edges.contains(first, effort))
            && line.windows(2).all(|ends| self.edges.covers(ends[0], ends[1], effort))
    }

    fn has_polygon(&self, rings: &[&[[f64; 2]]], effort: &Effort) -> bool {
        let is_closed_within = |ring: &&[[f64; 2]]| match (ring.first(), ring.last()) {
            (Some(&first), Some(&last)) => self.edges.covers(last, first, effort),
            _ => true,
        };
        let positions: usize = rings.iter().map(|ring| ring.len()).sum();
        rings.iter().all(|ring| self.has_line(ring, effort) && is_closed_within(ring))
            && !self.gaps.iter().any(|&gap| effort.spend(positions / QUICKER) && is_in(gap, rings))
    }
}

/// Whether a point that is on no ring is in a polygon. Of what a ring goes around more than once in one direction, all is in;
/// of what is in several holes at once, what is in an odd number of them is out.
fn is_in(point: [f64; 2], rings: &[&[[f64; 2]]]) -> bool {
    let Some((exterior, holes)) = rings.split_first() else { return false };
    winding(point, exterior) != 0 && !holes.iter().any(|hole| winding(point, hole) % 2 != 0)
}

/// How often a ring goes around a point.
fn winding(point: [f64; 2], ring: &[[f64; 2]]) -> i64 {
    let closing = ring.last().zip(ring.first()).map(|(&last, &first)| (last, first));
    let edges = ring.windows(2).map(|ends| (ends[0], ends[1])).chain(closing);
    edges
        .map(|(from, to)| Edge { from, to, polygon: 0 })
        .filter(|edge| edge.is_crossed_from(point))
        .map(|edge| if edge.from[1] < edge.to[1] { 1 } else { -1 })
        .sum()
}

/// How many edges are looked at for any document: some hundredths of a second.
const LOOKS: usize = 1_000_000;

/// How many more for each position: shores have so many windings at most to one side of a point, usually.
const LOOKS_FOR_POSITION: usize = 64;

/// A position of a ring is passed so much faster than an edge is looked at.
const QUICKER: usize = 16;
