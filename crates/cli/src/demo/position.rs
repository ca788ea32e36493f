//! Plane geometry on a small piece of the earth.

/// Longitude and latitude in degrees (EPSG:4326). Distances are right to half a per cent within Switzerland.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Position {
    pub(super) longitude: f64,
    pub(super) latitude: f64,
}

impl Position {
    pub(super) const fn new(longitude: f64, latitude: f64) -> Self {
        Self { longitude, latitude }
    }

    /// Metres to the east and to the north of here.
    pub(super) fn offset_to(self, other: Self) -> (f64, f64) {
        let scale = (0.5 * (self.latitude + other.latitude)).to_radians().cos();
        (
            (other.longitude - self.longitude) * METRES_PER_DEGREE * scale,
            (other.latitude - self.latitude) * METRES_PER_DEGREE,
        )
    }

    /// In metres.
    pub(super) fn distance_to(self, other: Self) -> f64 {
        let (east, north) = self.offset_to(other);
        east.hypot(north)
    }

    /// Degrees clockwise from north, from 0 up to 360.
    pub(super) fn heading_to(self, other: Self) -> f64 {
        let (east, north) = self.offset_to(other);
        east.atan2(north).to_degrees().rem_euclid(360.0)
    }

    /// So many metres to the east and to the north.
    pub(super) fn moved(self, east: f64, north: f64) -> Self {
        Self {
            longitude: self.longitude + east / METRES_PER_DEGREE / self.latitude.to_radians().cos(),
            latitude: self.latitude + north / METRES_PER_DEGREE,
        }
    }

    /// On the straight way to another, from 0 (here) to 1 (there).
    pub(super) fn toward(self, other: Self, part: f64) -> Self {
        Self {
            longitude: self.longitude + (other.longitude - self.longitude) * part,
            latitude: self.latitude + (other.latitude - self.latitude) * part,
        }
    }
}

/// A degree of a great circle on a sphere of 6371 km.
const METRES_PER_DEGREE: f64 = 111_195.0;

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn distances_and_headings_are_those_of_the_earth() {
        let (bern, zurich) = (Position::new(7.4391, 46.9490), Position::new(8.5402, 47.3782));
        // By the haversine formula: 95.8 km.
        assert!((bern.distance_to(zurich) - 95_800.0).abs() < 500.0, "{}", bern.distance_to(zurich));
        assert!((bern.heading_to(zurich) - 60.0).abs() < 2.0);
        assert!((zurich.heading_to(bern) - 240.0).abs() < 2.0);
        let back = bern.moved(300.0, 400.0);
        assert!((bern.distance_to(back) - 500.0).abs() < 1.0);
        assert_eq!(bern.toward(zurich, 0.0), bern);
    }
}
