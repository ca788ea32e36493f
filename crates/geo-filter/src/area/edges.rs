use rstar::{AABB, RTree};

use super::{
    edge::{Edge, Meeting},
    effort::Effort,
};

/// The edges of polygons, by place. What is in one of the polygons, edges included, is in all of them together.
#[derive(Clone, Debug, Default)]
pub(super) struct Edges(RTree<Edge>);

/// A stretch of a segment on which nothing changes: no edge of what is near begins, ends or crosses within it.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Near the middle of it, as far as numbers allow.
    pub(super) middle: [f64; 2],
    /// The edges that lie along it, and whether they have its direction.
    along: &'a [(Edge, f64, f64, bool)],
}

impl Edges {
    pub(super) fn new(edges: Vec<Edge>) -> Self {
        Self(RTree::bulk_load(edges))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Edge> {
        self.0.iter()
    }

    /// The edges whose boxes have something in common with the box of a segment.
    pub(super) fn near<'e>(
        &'e self,
        a: [f64; 2],
        b: [f64; 2],
        effort: &'e Effort,
    ) -> impl Iterator<Item = &'e Edge> {
        // Looking costs something where nothing is, too.
        effort.spend(1);
        let near = self.0.locate_in_envelope_intersecting(&AABB::from_corners(a, b));
        near.take_while(|_| effort.spend(1))
    }

    /// Whether a point is in a polygon or on an edge.
    pub(super) fn contains(&self, point: [f64; 2], effort: &Effort) -> bool {
        self.contains_apart_from(point, |_| false, effort)
    }

    /// The same, of the polygons that are not passed over.
    pub(super) fn contains_apart_from(
        &self,
        point: [f64; 2],
        passes_over: impl Fn(usize) -> bool,
        effort: &Effort,
    ) -> bool {
        let mut crossings = [0_u64; WORDS];
        for edge in self.near(point, [f64::MAX, point[1]], effort) {
            if passes_over(edge.polygon) {
                continue;
            }
            if edge.holds(point) {
                return true;
            }
            if edge.is_crossed_from(point)
                && let Some(word) = crossings.get_mut(edge.polygon / 64)
            {
                *word ^= 1 << (edge.polygon % 64);
            }
        }
        crossings != [0; WORDS]
    }

    /// Whether all of a segment that begins in a polygon is in polygons.
    pub(super) fn covers(&self, a: [f64; 2], b: [f64; 2], effort: &Effort) -> bool {
        // What meets no edge does not leave.
        if self.near(a, b, effort).all(|edge| edge.meets(a, b) == Meeting::Nowhere) {
            return true;
        }
        self.contains(b, effort)
            && self.all_pieces(a, b, effort, |piece| {
                piece.along().next().is_some() || self.contains(piece.middle, effort)
            })
    }

    /// Whether a part of a segment is inside a polygon, and not only on its edge.
    pub(super) fn is_entered(&self, a: [f64; 2], b: [f64; 2], effort: &Effort) -> bool {
        !self.all_pieces(a, b, effort, |piece| {
            piece.along().next().is_some() || !self.contains(piece.middle, effort)
        })
    }

    /// Cuts a segment wherever it meets an edge, and says whether something holds for all pieces.
    ///
    /// Where an edge is nearly in line with the segment, rounding decides where the two are said to meet, and whether the middle
    /// of a piece is in a polygon. So it is cut as well where edges begin that near to it: then each piece is beside all
    /// of such an edge, where a mistake is one of a micrometre, or beyond it.
    pub(super) fn all_pieces(
        &self,
        a: [f64; 2],
        b: [f64; 2],
        effort: &Effort,
        mut holds: impl FnMut(&Piece<'_>) -> bool,
    ) -> bool {
        let (mut cuts, mut along) = (vec![0.0, 1.0], Vec::new());
        for edge in self.near(a, b, effort) {
            match edge.meets(a, b) {
                Meeting::Nowhere => {}
                Meeting::At(fraction) => cuts.push(fraction),
                Meeting::Along { low, high, same_way } => {
                    cuts.extend([low, high]);
                    along.push((*edge, low, high, same_way));
                }
            }
            cuts.extend(edge.begins_beside(a, b));
        }
        cuts.sort_by(f64::total_cmp);
        cuts.windows(2).all(|ends| match *ends {
            [low, high] if low < high => {
                let middle = between(a, b, low.midpoint(high));
                holds(&Piece { low, high, middle, along: &along })
            }
            _ => true,
        })
    }
}

impl Piece<'_> {
    /// The edges that lie along all of it, and whether they have its direction.
    pub(super) fn along(&self) -> impl Iterator<Item = (&Edge, bool)> {
        self.along
            .iter()
            .filter(|(_, low, high, _)| *low <= self.low && self.high <= *high)
            .map(|(edge, _, _, same_way)| (edge, *same_way))
    }
}

fn between(a: [f64; 2], b: [f64; 2], fraction: f64) -> [f64; 2] {
    [0, 1].map(|axis| a[axis] + (b[axis] - a[axis]) * fraction)
}

/// Each polygon has a bit.
const WORDS: usize = 3;

/// The most polygons that edges can be of.
pub(super) const MOST: usize = 64 * WORDS;
