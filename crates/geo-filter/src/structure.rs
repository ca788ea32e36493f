use std::ops::Range;

/// How the flat list of a document's positions is divided, and where each part stands in the payload. It is the
/// same in every coordinate system, so all shapes of one document share it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Structure {
    /// Whether the document is a FeatureCollection. If not, it has exactly one member or none.
    pub(crate) collection: bool,
    /// Whether a member has no geometry, so that the document passes every viewport.
    pub(crate) bare: bool,
    /// Per member of the collection (or for the whole document) its range of `parts`; empty where the member
    /// has no geometry.
    pub(crate) members: Vec<Range<usize>>,
    /// The primitive geometries, geometry collections flattened, in the order of the payload.
    pub(crate) parts: Vec<Part>,
    /// For each line or ring, the index behind its last position.
    pub(crate) lines: Vec<usize>,
    /// For each polygon of a multi-polygon, the index behind its last ring in `lines`.
    pub(crate) polygons: Vec<usize>,
}

/// One geometry with coordinates of its own.
#[derive(Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) primitive: Primitive,
    /// Where its `coordinates` value begins in the payload.
    pub(crate) byte: usize,
    pub(crate) positions: Range<usize>,
    pub(crate) lines: Range<usize>,
    pub(crate) polygons: Range<usize>,
}

/// The geometry types that have coordinates (RFC 7946 §3.1.2 to §3.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    Point,
    MultiPoint,
    LineString,
    MultiLineString,
    Polygon,
    MultiPolygon,
}

impl Primitive {
    /// The number of arrays around a position.
    pub(crate) const fn level(self) -> u8 {
        match self {
            Self::Point => 0,
            Self::MultiPoint | Self::LineString => 1,
            Self::MultiLineString | Self::Polygon => 2,
            Self::MultiPolygon => 3,
        }
    }
}

impl Structure {
    /// The positions of a member: its parts follow each other.
    pub(crate) fn positions_of(&self, member: usize) -> Range<usize> {
        let parts = self.parts_of(member);
        match (parts.first(), parts.last()) {
            (Some(first), Some(last)) => first.positions.start..last.positions.end,
            _ => 0..0,
        }
    }

    pub(crate) fn parts_of(&self, member: usize) -> &[Part] {
        self.members.get(member).and_then(|range| self.parts.get(range.clone())).unwrap_or_default()
    }

    /// The position ranges of a part's lines or rings.
    pub(crate) fn lines_of(&self, part: &Part) -> impl Iterator<Item = Range<usize>> {
        ranges(&self.lines, &part.lines, part.positions.start)
    }

    /// How many rings each polygon of a multi-polygon has.
    pub(crate) fn rings_of(&self, part: &Part) -> impl Iterator<Item = usize> {
        ranges(&self.polygons, &part.polygons, part.lines.start).map(|lines| lines.len())
    }
}

/// Turns the ends in `ends[range]` into ranges that follow each other from `start` on.
fn ranges(ends: &[usize], range: &Range<usize>, start: usize) -> impl Iterator<Item = Range<usize>> {
    ends.get(range.clone()).unwrap_or_default().iter().scan(start, |from, &to| {
        let range = *from..to;
        *from = to;
        Some(range)
    })
}
