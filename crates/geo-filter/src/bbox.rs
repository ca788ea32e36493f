/// A closed, axis-parallel box: points on its edges are inside.
///
/// The unit and the axis order are those of the coordinate system it is used with: degrees with longitude as x
/// and latitude as y for EPSG:4326, metres easting and northing for most projected systems. All four numbers
/// are finite, and no minimum is above its maximum, because a box is only made through [`TryFrom`] or from other
/// boxes. A box that crosses the antimeridian is two boxes: a [`Region`](crate::Region).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bbox {
    min_x: f64,
    min_y: f64,
    max_x: f64,
    max_y: f64,
}

impl Bbox {
    /// Everything: the largest box that finite numbers can describe.
    pub const EVERYTHING: Self = Self { min_x: f64::MIN, min_y: f64::MIN, max_x: f64::MAX, max_y: f64::MAX };

    /// The left (western) edge.
    #[must_use]
    pub const fn min_x(&self) -> f64 {
        self.min_x
    }

    /// The bottom (southern) edge.
    #[must_use]
    pub const fn min_y(&self) -> f64 {
        self.min_y
    }

    /// The right (eastern) edge.
    #[must_use]
    pub const fn max_x(&self) -> f64 {
        self.max_x
    }

    /// The top (northern) edge.
    #[must_use]
    pub const fn max_y(&self) -> f64 {
        self.max_y
    }

    /// The edges in the order left, bottom, right, top, as in RFC 7946 §5 for two dimensions.
    #[must_use]
    pub const fn to_array(self) -> [f64; 4] {
        [self.min_x, self.min_y, self.max_x, self.max_y]
    }

    /// Whether the two closed boxes have a point in common; touching edges and corners count.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.min_x <= other.max_x
            && other.min_x <= self.max_x
            && self.min_y <= other.max_y
            && other.min_y <= self.max_y
    }

    /// Whether every point of `other` is in this box.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.min_x <= other.min_x
            && other.max_x <= self.max_x
            && self.min_y <= other.min_y
            && other.max_y <= self.max_y
    }

    /// Whether the point is inside or on an edge. A coordinate that is not a number is never inside.
    #[must_use]
    pub fn contains_point(&self, [x, y]: [f64; 2]) -> bool {
        self.min_x <= x && x <= self.max_x && self.min_y <= y && y <= self.max_y
    }

    /// The smallest box that contains both.
    #[must_use]
    pub const fn union(&self, other: &Self) -> Self {
        Self {
            min_x: self.min_x.min(other.min_x),
            min_y: self.min_y.min(other.min_y),
            max_x: self.max_x.max(other.max_x),
            max_y: self.max_y.max(other.max_y),
        }
    }

    /// The same box, so far to the right, or up.
    pub(crate) fn moved(&self, axis: usize, by: f64) -> Self {
        let (x, y) = if axis == 0 { (by, 0.0) } else { (0.0, by) };
        let [min_x, min_y, max_x, max_y] = [self.min_x + x, self.min_y + y, self.max_x + x, self.max_y + y]
            .map(|edge| edge.clamp(f64::MIN, f64::MAX));
        Self { min_x, min_y, max_x, max_y }
    }

    /// The smallest box around the points; `None` when there is none, or one of them is not finite.
    #[must_use]
    pub fn around(points: &[[f64; 2]]) -> Option<Self> {
        let start = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        let mut finite = true;
        let [min_x, min_y, max_x, max_y] =
            points.iter().fold(start, |[min_x, min_y, max_x, max_y], &[x, y]| {
                finite &= x.is_finite() & y.is_finite();
                [min_x.min(x), min_y.min(y), max_x.max(x), max_y.max(y)]
            });
        (finite && !points.is_empty()).then_some(Self { min_x, min_y, max_x, max_y })
    }
}

impl TryFrom<[f64; 4]> for Bbox {
    type Error = BboxError;

    /// Takes left, bottom, right, top.
    fn try_from([min_x, min_y, max_x, max_y]: [f64; 4]) -> Result<Self, BboxError> {
        for value in [min_x, min_y, max_x, max_y] {
            if !value.is_finite() {
                return Err(BboxError::NotFinite { value });
            }
        }
        if min_x > max_x {
            return Err(BboxError::ReversedHorizontally { left: min_x, right: max_x });
        }
        if min_y > max_y {
            return Err(BboxError::ReversedVertically { bottom: min_y, top: max_y });
        }
        Ok(Self { min_x, min_y, max_x, max_y })
    }
}

/// Why four numbers are no [`Bbox`].
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BboxError {
    /// One of the numbers is infinite or not a number.
    #[error("box edge {value} is not finite")]
    NotFinite {
        /// The first such number.
        value: f64,
    },
    /// The left edge lies right of the right edge.
    #[error("box is reversed horizontally: left {left} is greater than right {right}")]
    ReversedHorizontally {
        /// The left edge as given.
        left: f64,
        /// The right edge as given.
        right: f64,
    },
    /// The bottom edge lies above the top edge.
    #[error("box is reversed vertically: bottom {bottom} is greater than top {top}")]
    ReversedVertically {
        /// The bottom edge as given.
        bottom: f64,
        /// The top edge as given.
        top: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bbox(edges: [f64; 4]) -> Bbox {
        Bbox::try_from(edges).unwrap()
    }

    #[test]
    fn refuses_what_is_no_box_and_names_the_value() {
        for (edges, message) in [
            ([f64::NAN, 0.0, 1.0, 1.0], "box edge NaN is not finite"),
            ([0.0, 0.0, f64::INFINITY, 1.0], "box edge inf is not finite"),
            ([2.0, 0.0, 1.0, 1.0], "box is reversed horizontally: left 2 is greater than right 1"),
            ([0.0, 3.5, 1.0, 1.0], "box is reversed vertically: bottom 3.5 is greater than top 1"),
        ] {
            assert_eq!(Bbox::try_from(edges).unwrap_err().to_string(), message);
        }
        assert_eq!(bbox([1.0, 2.0, 1.0, 2.0]).to_array(), [1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn is_closed() {
        let unit = bbox([0.0, 0.0, 1.0, 1.0]);
        for (other, intersects, contains) in [
            ([0.2, 0.2, 0.8, 0.8], true, true),
            ([0.0, 0.0, 1.0, 1.0], true, true),
            ([1.0, 1.0, 2.0, 2.0], true, false),
            ([-1.0, 0.5, 0.0, 0.5], true, false),
            ([-1.0, -1.0, 2.0, 2.0], true, false),
            ([1.000_001, 0.0, 2.0, 1.0], false, false),
            ([0.0, -2.0, 1.0, -0.000_001], false, false),
        ] {
            assert_eq!(unit.intersects(&bbox(other)), intersects, "{other:?}");
            assert_eq!(bbox(other).intersects(&unit), intersects, "{other:?}");
            assert_eq!(unit.contains(&bbox(other)), contains, "{other:?}");
        }
        assert!(unit.contains_point([1.0, 0.0]));
        assert!(!unit.contains_point([f64::NAN, 0.0]));
        assert!(Bbox::EVERYTHING.contains(&unit));
    }

    #[test]
    fn unites_and_surrounds() {
        let union = bbox([0.0, 0.0, 1.0, 1.0]).union(&bbox([-2.0, 0.5, 0.5, 3.0]));
        assert_eq!(union.to_array(), [-2.0, 0.0, 1.0, 3.0]);
        let around = Bbox::around(&[[3.0, 1.0], [2.0, 4.0]]).unwrap();
        assert_eq!(around.to_array(), [2.0, 1.0, 3.0, 4.0]);
        assert_eq!(Bbox::around(&[]), None);
        assert_eq!(Bbox::around(&[[0.0, 0.0], [f64::NAN, 1.0]]), None);
        assert_eq!(Bbox::around(&[[0.0, f64::INFINITY]]), None);
    }
}
