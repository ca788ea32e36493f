use std::hash::{Hash, Hasher};

/// A length on a Web Mercator map, in metres of EPSG:3857: on the ground it is less, the more so the further from the
/// equator.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct MapLength(f64);

impl MapLength {
    /// So many pixels, of a map whose whole world is one tile of 256 pixels at zoom level zero, and twice as wide with each
    /// further level.
    ///
    /// # Errors
    /// It is less than 10⁻⁷ or more than 10⁹ metres, or no number.
    pub fn of_pixels(pixels: f64, zoom: f64) -> Result<Self, MapLengthError> {
        Self::try_from(pixels * TURN / TILE * (-zoom).exp2())
    }

    /// The same in metres of EPSG:3857.
    #[must_use]
    pub const fn metres(self) -> f64 {
        self.0
    }

    /// Where on the map a longitude and a latitude in degrees are, in metres of EPSG:3857, without an end to the east and west
    /// (EPSG operation method 1024). Latitudes beyond 85.06 degrees, where such maps end, are taken for that.
    pub(crate) fn place([longitude, latitude]: [f64; 2]) -> [f64; 2] {
        let latitude = latitude.clamp(-POLE, POLE).to_radians();
        [RADIUS * longitude.to_radians(), RADIUS * latitude.tan().asinh()]
    }
}

/// From 10⁻⁷ to 10⁹: so no computation with positions on the map overflows or vanishes.
impl TryFrom<f64> for MapLength {
    type Error = MapLengthError;

    fn try_from(metres: f64) -> Result<Self, MapLengthError> {
        if (1e-7..=1e9).contains(&metres) { Ok(Self(metres)) } else { Err(MapLengthError { metres }) }
    }
}

/// It is no NaN.
impl Eq for MapLength {}

/// It is no zero, of which there are two.
impl Hash for MapLength {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// No length that a map has.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{metres} m is not a length from 1e-7 to 1e9 m")]
#[non_exhaustive]
pub struct MapLengthError {
    /// The number of metres.
    pub metres: f64,
}

/// The semi-major axis of WGS 84, in metres.
const RADIUS: f64 = 6_378_137.0;

/// All the way around the equator, in metres.
const TURN: f64 = std::f64::consts::TAU * RADIUS;

/// The pixels of the world at zoom level zero.
const TILE: f64 = 256.0;

/// In degrees.
const POLE: f64 = 85.06;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_those_of_tiles() {
        for (pixels, zoom, metres) in [
            (256.0, 0.0, 40_075_016.685_578_49),
            (1.0, 0.0, 156_543.033_928_040_97),
            (1.0, -1.0, 313_086.067_856_081_94),
            (2.0, 10.0, 305.748_113_140_705),
            (1.0, 9.5, 216.196_564_136_774_28),
        ] {
            let length = MapLength::of_pixels(pixels, zoom).expect("a length").metres();
            assert!((length - metres).abs() < metres * 1e-12, "{pixels} pixels at {zoom}: {length}");
        }
        for (pixels, zoom) in [(0.0, 5.0), (-1.0, 5.0), (f64::NAN, 5.0), (1.0, f64::INFINITY), (1.0, -400.0)]
        {
            assert!(MapLength::of_pixels(pixels, zoom).is_err(), "{pixels} pixels at {zoom}");
        }
        assert_eq!(
            MapLength::try_from(0.0).unwrap_err().to_string(),
            "0 m is not a length from 1e-7 to 1e9 m"
        );
    }

    #[test]
    fn places_are_those_of_mercator() {
        for (place, expected) in [
            // echo 8.54 47.38 | cs2cs -f %.3f +proj=longlat +datum=WGS84 +to EPSG:3857
            ([8.54, 47.38], [950_668.451, 6_004_321.825]),
            ([0.0, -45.0], [0.0, -5_621_521.486]),
            ([540.0, 0.0], [60_112_525.028, 0.0]),
        ] {
            let found = MapLength::place(place);
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-3, "{place:?}: {found}");
            }
        }
        assert_eq!(MapLength::place([0.0, 90.0]), MapLength::place([0.0, POLE]));
    }
}
