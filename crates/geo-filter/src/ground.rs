use crate::Bbox;

impl Bbox {
    /// The area of a box in EPSG:4326 on the ellipsoid of WGS 84, in square kilometres. What of it is beyond ±180 degrees of
    /// longitude or beyond a pole does not count.
    ///
    /// ```
    /// use geocast_geo_filter::Bbox;
    ///
    /// // A square degree at the equator, and the whole world.
    /// assert_eq!(Bbox::try_from([8.0, 0.0, 9.0, 1.0])?.ground_area().round(), 12_308.0);
    /// assert_eq!(Bbox::EVERYTHING.ground_area().round(), 510_065_622.0);
    /// # Ok::<(), geocast_geo_filter::BboxError>(())
    /// ```
    #[must_use]
    pub fn ground_area(&self) -> f64 {
        let [left, bottom, right, top] = self.to_array();
        let [left, right] = [left, right].map(|edge| edge.clamp(-180.0, 180.0));
        let [bottom, top] = [bottom, top].map(|edge| edge.clamp(-90.0, 90.0));
        (right - left).to_radians() * (from_equator(top) - from_equator(bottom))
    }
}

/// The area between the equator and a parallel, per radian of longitude, in square kilometres; negative in the south. Snyder,
/// Map Projections (USGS Professional Paper 1395), equation 3-12, times a²/2.
fn from_equator(latitude: f64) -> f64 {
    let sine = latitude.to_radians().sin();
    let e = ECCENTRICITY_SQUARED.sqrt();
    let q = (1.0 - ECCENTRICITY_SQUARED)
        * (sine / (1.0 - ECCENTRICITY_SQUARED * sine * sine) + (e * sine).atanh() / e);
    EQUATORIAL_RADIUS * EQUATORIAL_RADIUS / 2.0 * q
}

/// Of WGS 84, in kilometres.
const EQUATORIAL_RADIUS: f64 = 6378.137;

/// Of WGS 84: f (2 − f) with f = 1 / 298.257223563.
const ECCENTRICITY_SQUARED: f64 = 6.694_379_990_141_317e-3;

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by adding up strips, each as wide as its middle.
    fn added_up([left, bottom, right, top]: [f64; 4]) -> f64 {
        const STRIPS: u32 = 20_000;
        let height = (top - bottom).to_radians() / f64::from(STRIPS);
        let strip = |number: u32| {
            let latitude = bottom.to_radians() + height * (f64::from(number) + 0.5);
            let root = (1.0 - ECCENTRICITY_SQUARED * latitude.sin().powi(2)).sqrt();
            let meridian = EQUATORIAL_RADIUS * (1.0 - ECCENTRICITY_SQUARED) / root.powi(3);
            meridian * height * EQUATORIAL_RADIUS / root * latitude.cos() * (right - left).to_radians()
        };
        (0..STRIPS).map(strip).sum()
    }

    #[test]
    fn the_formula_is_the_sum_of_strips() {
        for edges in [
            [8.0, 0.0, 9.0, 1.0],
            [5.9, 45.8, 10.5, 47.8],
            [-180.0, -90.0, 180.0, 90.0],
            [-70.0, -60.0, -60.0, 5.0],
            [0.0, 89.9, 180.0, 90.0],
        ] {
            let (area, sum) = (Bbox::try_from(edges).unwrap().ground_area(), added_up(edges));
            assert!((area - sum).abs() < 1e-6 * sum, "{edges:?}: {area} {sum}");
        }
        let point = Bbox::try_from([8.0, 47.0, 8.0, 47.0]).unwrap();
        assert_eq!(point.ground_area(), 0.0);
    }
}
