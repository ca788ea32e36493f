use geo::{
    Coord, Orientation,
    kernels::{Kernel, RobustKernel},
};
use rstar::{AABB, RTreeObject};

/// A part of a polygon's boundary, with the polygon on its left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge {
    pub(super) from: [f64; 2],
    pub(super) to: [f64; 2],
    /// Of which polygon.
    pub(super) polygon: usize,
}

/// On which side of a line a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
    On,
}

impl Edge {
    /// On which side of the endless line through the edge a point is; exactly, whatever rounding would say.
    pub(super) fn side(&self, point: [f64; 2]) -> Side {
        side(self.from, self.to, point)
    }

    /// Whether the point is on the edge, ends included.
    pub(super) fn holds(&self, point: [f64; 2]) -> bool {
        let between = |axis: usize| {
            let (a, b) = (self.from[axis], self.to[axis]);
            a.min(b) <= point[axis] && point[axis] <= a.max(b)
        };
        between(0) && between(1) && self.side(point) == Side::On
    }

    /// Whether a ray from the point towards greater x crosses the edge. Of two edges that meet on the ray, one counts if the
    /// line goes through there, and none or both if it turns back.
    pub(super) fn is_crossed_from(&self, point: [f64; 2]) -> bool {
        let y = point[1];
        match (self.from[1] <= y, self.to[1] <= y) {
            (true, false) => self.side(point) == Side::Left,
            (false, true) => self.side(point) == Side::Right,
            _ => false,
        }
    }

    /// Where the segment from `a` to `b` meets the edge, as fractions of the segment.
    pub(super) fn meets(&self, a: [f64; 2], b: [f64; 2]) -> Meeting {
        let (from, to) = (side(a, b, self.from), side(a, b, self.to));
        let (start, end) = (self.side(a), self.side(b));
        match (from, to, start, end) {
            (Side::On, Side::On, ..) => {
                let (s, t) = (fraction(a, b, self.from), fraction(a, b, self.to));
                let (low, high) = (s.min(t).max(0.0), s.max(t).min(1.0));
                if low < high { Meeting::Along { low, high, same_way: s < t } } else { Meeting::Nowhere }
            }
            // Both on one side of the other.
            _ if (from == to && from != Side::On) || (start == end && start != Side::On) => Meeting::Nowhere,
            (_, _, Side::On, _) => Meeting::At(0.0),
            (_, _, _, Side::On) => Meeting::At(1.0),
            (Side::On, ..) => Meeting::At(fraction(a, b, self.from).clamp(0.0, 1.0)),
            (_, Side::On, ..) => Meeting::At(fraction(a, b, self.to).clamp(0.0, 1.0)),
            _ => {
                let (near, far) = (self.distance(a), self.distance(b));
                Meeting::At((near / (near + far)).clamp(0.0, 1.0))
            }
        }
    }

    /// Where the edge begins, as a fraction of the segment from `a` to `b`, if that is beside the segment, and so near that
    /// a rounded point of the segment may be on the wrong side of the edge.
    pub(super) fn begins_beside(&self, a: [f64; 2], b: [f64; 2]) -> Option<f64> {
        let length = (b[0] - a[0]).hypot(b[1] - a[1]);
        let segment = Self { from: a, to: b, polygon: self.polygon };
        if segment.distance(self.from) > length * NEAR {
            return None;
        }
        Some(fraction(a, b, self.from)).filter(|fraction| 0.0 < *fraction && *fraction < 1.0)
    }

    /// Something that grows with the distance of a point from the line through the edge, and is not negative.
    fn distance(&self, [x, y]: [f64; 2]) -> f64 {
        let ([x0, y0], [x1, y1]) = (self.from, self.to);
        ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)).abs()
    }
}

impl RTreeObject for Edge {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> AABB<[f64; 2]> {
        AABB::from_corners(self.from, self.to)
    }
}

/// What a segment and an edge have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meeting {
    Nowhere,
    /// A point.
    At(f64),
    /// A stretch.
    Along {
        low: f64,
        high: f64,
        /// Whether the two have the same direction.
        same_way: bool,
    },
}

fn side(from: [f64; 2], to: [f64; 2], point: [f64; 2]) -> Side {
    let [from, to, point] = [from, to, point].map(|[x, y]| Coord { x, y });
    match RobustKernel::orient2d(from, to, point) {
        Orientation::CounterClockwise => Side::Left,
        Orientation::Clockwise => Side::Right,
        Orientation::Collinear => Side::On,
    }
}

/// How far along the way from `a` to `b` a point on it is. Exact at the ends.
fn fraction(a: [f64; 2], b: [f64; 2], point: [f64; 2]) -> f64 {
    if point == a {
        return 0.0;
    }
    if point == b {
        return 1.0;
    }
    let axis = usize::from((b[1] - a[1]).abs() > (b[0] - a[0]).abs());
    (point[axis] - a[axis]) / (b[axis] - a[axis])
}

/// In degrees: a micrometre, and a hundred times what is lost when a point of a segment is rounded.
const NEAR: f64 = 1e-11;
