use std::fmt;

use serde::Serialize;

/// The smallest box around positions, as they are written: x, y.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Extent {
    pub(super) left: f64,
    pub(super) bottom: f64,
    pub(super) right: f64,
    pub(super) top: f64,
}

/// What positions seem to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// Longitude and latitude, as they should.
    Degrees,
    /// Latitude and longitude.
    Swapped,
    /// In this system, by where they are.
    Metres { epsg: u32, sure: bool },
    /// In no system that can be guessed.
    Unknown,
    /// Nowhere: all at 0, 0.
    Zero,
}

impl Extent {
    pub(super) fn at(x: f64, y: f64) -> Self {
        Self { left: x, bottom: y, right: x, top: y }
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            bottom: self.bottom.min(other.bottom),
            right: self.right.max(other.right),
            top: self.top.max(other.top),
        }
    }

    pub(super) fn meaning(self) -> Meaning {
        let within = |x: [f64; 2], y: [f64; 2]| {
            self.left >= x[0] && self.right <= x[1] && self.bottom >= y[0] && self.top <= y[1]
        };
        if within([0.0, 0.0], [0.0, 0.0]) {
            Meaning::Zero
        } else if within([-180.0, 180.0], [-90.0, 90.0]) {
            Meaning::Degrees
        } else if within([-90.0, 90.0], [-180.0, 180.0]) {
            Meaning::Swapped
        } else if within([2_420_000.0, 2_900_000.0], [1_030_000.0, 1_350_000.0]) {
            // The Swiss grid lies where nothing else is looked for: in Web Mercator, that is the Sahara.
            Meaning::Metres { epsg: 2056, sure: true }
        } else if within([420_000.0, 900_000.0], [30_000.0, 350_000.0]) {
            Meaning::Metres { epsg: 21781, sure: false }
        } else if within([-MERCATOR, MERCATOR], [-MERCATOR, MERCATOR]) {
            Meaning::Metres { epsg: 3857, sure: false }
        } else {
            Meaning::Unknown
        }
    }

    /// The same in degrees, if it is in EPSG:3857.
    pub(super) fn unprojected(self) -> Self {
        let longitude = |x: f64| x / MERCATOR * 180.0;
        let latitude = |y: f64| (y / MERCATOR * std::f64::consts::PI).sinh().atan().to_degrees();
        Self {
            left: longitude(self.left),
            bottom: latitude(self.bottom),
            right: longitude(self.right),
            top: latitude(self.top),
        }
    }
}

/// Corners, as `--bbox` takes them.
impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = |number: f64| {
            if number.abs() > 360.0 { number.round() } else { (number * 100.0).round() / 100.0 }
        };
        let Self { left, bottom, right, top } = *self;
        write!(f, "{},{},{},{}", rounded(left), rounded(bottom), rounded(right), rounded(top))
    }
}

/// Half the length of the equator in EPSG:3857, in metres.
const MERCATOR: f64 = 20_037_508.342_789_244;

#[cfg(test)]
mod tests {
    use super::{Extent, Meaning};

    fn check(points: &[(f64, f64)], expected: Meaning) {
        let extent = points.iter().map(|&(x, y)| Extent::at(x, y)).reduce(Extent::with).unwrap();
        assert_eq!(extent.meaning(), expected, "{points:?}");
    }

    #[test]
    fn positions_are_where_they_seem_to_be() {
        check(&[(8.5, 47.4), (-179.0, -89.0)], Meaning::Degrees);
        check(&[(47.4, 8.5), (35.7, 139.7)], Meaning::Swapped);
        check(&[(0.0, 0.0), (0.0, 0.0)], Meaning::Zero);
        check(&[(2_600_000.0, 1_200_000.0)], Meaning::Metres { epsg: 2056, sure: true });
        check(&[(683_000.0, 247_000.0)], Meaning::Metres { epsg: 21781, sure: false });
        check(&[(950_000.0, 6_000_000.0), (8.5, 47.0)], Meaning::Metres { epsg: 3857, sure: false });
        check(&[(1e9, 1e9)], Meaning::Unknown);
    }

    #[test]
    fn mercator_is_told_in_degrees() {
        let zurich = Extent::at(950_671.0, 6_003_055.0).unprojected();
        assert_eq!(zurich.to_string(), "8.54,47.37,8.54,47.37");
    }
}
