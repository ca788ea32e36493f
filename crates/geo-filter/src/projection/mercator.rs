//! EPSG:4326 to EPSG:3857 by its closed formula, which is what nearly every map on the web asks for.
//!
//! The source is IOGP publication 373-7-2 (EPSG guidance note 7, part 2), "Popular Visualisation Pseudo-Mercator",
//! operation method 1024: the formulas of the sphere, with the ellipsoid's semi-major axis for a radius and latitudes
//! taken as they are. Which inputs have no answer, and how longitudes beyond ±180 degrees wrap, is as in PROJ, to
//! which a test holds every answer.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use super::KnownCrs;

/// Whether this formula is what projects from one system to the other.
pub(super) const fn applies(from: KnownCrs, to: KnownCrs) -> bool {
    from.code == 4326 && is_target(to)
}

/// Whether it is the system that this formula projects to.
pub(super) const fn is_target(crs: KnownCrs) -> bool {
    crs.code == 3857
}

/// Longitude and latitude in degrees to easting and northing in metres; infinite where there is no answer: beyond
/// a pole, more than ten radians from the prime meridian, or not finite.
pub(super) fn forward([longitude, latitude]: [f64; 2]) -> [f64; 2] {
    let (lambda, phi) = (longitude.to_radians(), latitude.to_radians());
    let magnitude = phi.abs();
    // No comparison holds for NaN.
    if !(magnitude - FRAC_PI_2 <= POLE_TOLERANCE && lambda.abs() <= MAX_LONGITUDE) {
        return [f64::INFINITY; 2];
    }
    let (sin, cos) = magnitude.min(FRAC_PI_2).sin_cos();
    // This is ln(tan(pi/4 + phi/2)) without the loss of digits next to the pole, where the sum is rounded and the
    // tangent steep. The rounding of 1 + sin is worth nanometres.
    let northing = RADIUS * ((1.0 + sin) / cos).ln();
    [RADIUS * within_a_turn(lambda), northing.copysign(phi)]
}

/// Longitude and latitude, in degrees, of what lies in a box of eastings and northings in metres, as left, bottom,
/// right, top. `left` is within ±180 degrees, `right` is not less than it and may be beyond 180.
pub(super) fn bounds_backward([left, bottom, right, top]: [f64; 4]) -> [f64; 4] {
    let latitude = |northing: f64| (northing / RADIUS).sinh().atan().to_degrees();
    let (left, right) = ((left / RADIUS).to_degrees(), (right / RADIUS).to_degrees());
    let (bottom, top) = (latitude(bottom) - MARGIN, latitude(top) + MARGIN);
    let width = right - left + 2.0 * MARGIN;
    // Two infinite edges have no distance.
    if width.is_nan() || width >= 360.0 {
        return [-180.0, bottom, 180.0, top];
    }
    let left = left - MARGIN;
    let left = left - 360.0 * ((left + 180.0) / 360.0).floor();
    [left, bottom, left + width, top]
}

fn within_a_turn(lambda: f64) -> f64 {
    // Up to a hair beyond the antimeridian the sign is kept, so that a line along it stays on its side.
    if lambda.abs() < PI + 1e-12 {
        return lambda;
    }
    let turned = lambda + PI;
    turned - TAU * (turned / TAU).floor() - PI
}

/// The semi-major axis of WGS 84 in metres.
const RADIUS: f64 = 6_378_137.0;

/// So far beyond a pole, in radians, a latitude is taken to be the pole.
const POLE_TOLERANCE: f64 = 1e-12;

/// Radians.
const MAX_LONGITUDE: f64 = 10.0;

/// What bounds are widened by, in degrees: a tenth of a millimetre, many times what is lost in rounding.
const MARGIN: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use std::sync::{LazyLock, Mutex, PoisonError};

    use proptest::prelude::*;

    use super::super::operation::Operation;
    use super::super::{Catalogue, CrsKind};
    use super::*;

    /// PROJ itself, asked for all positions in one call.
    fn by_proj(positions: &[[f64; 2]]) -> Vec<[f64; 2]> {
        static OPERATION: LazyLock<Mutex<Operation>> = LazyLock::new(|| {
            let catalogue = Catalogue::load().unwrap();
            let [from, to] = [4326, 3857].map(|code| catalogue.crs(code).unwrap());
            Mutex::new(Operation::new(from, to).unwrap())
        });
        let mut projected = positions.to_vec();
        // A case that failed has not harmed the operation.
        OPERATION.lock().unwrap_or_else(PoisonError::into_inner).forward(&mut projected);
        projected
    }

    /// Both finite and within a micrometre, or neither finite.
    fn check(positions: &[[f64; 2]]) {
        for (position, expected) in positions.iter().zip(by_proj(positions)) {
            let found = forward(*position);
            let finite = |position: [f64; 2]| position.iter().all(|number| number.is_finite());
            assert_eq!(finite(found), finite(expected), "{position:?}: {found:?}, PROJ has {expected:?}");
            if finite(found) {
                let off = (found[0] - expected[0]).abs().max((found[1] - expected[1]).abs());
                assert!(off <= 1e-6, "{position:?}: {found:?}, PROJ has {expected:?}");
            }
        }
    }

    /// A number and its neighbours, of both signs.
    fn about(number: f64) -> [f64; 6] {
        let (down, up) = (number.next_down(), number.next_up());
        [down, number, up, -down, -number, -up]
    }

    #[test]
    fn is_what_proj_says_at_the_edges() {
        let pole = (FRAC_PI_2 + POLE_TOLERANCE).to_degrees();
        let antimeridian = (PI + 1e-12).to_degrees();
        let odd = [0.0, 1e-300, 5e-324, 1e-9, 45.0, f64::MAX, f64::INFINITY, f64::NAN].map(about);
        let latitudes =
            [90.0, pole, pole * (1.0 - 1e-15), pole * (1.0 + 1e-15), 90.0001, 91.0, 89.999_999_999_999];
        let longitudes = [180.0, antimeridian, 360.0, 540.0, 10_f64.to_degrees(), 572.95, 573.0, 720.0];
        let latitudes: Vec<f64> = latitudes.map(about).into_iter().chain(odd).flatten().collect();
        let longitudes: Vec<f64> = longitudes.map(about).into_iter().chain(odd).flatten().collect();
        let positions: Vec<[f64; 2]> =
            longitudes.iter().flat_map(|&x| latitudes.iter().map(move |&y| [x, y])).collect();
        check(&positions);
    }

    #[test]
    fn keeps_the_sign_of_zero_and_reaches_the_pole() {
        assert_eq!(forward([-0.0, -0.0]).map(f64::to_bits), [-0.0_f64; 2].map(f64::to_bits));
        let [_, north] = forward([0.0, 90.0]);
        assert!((north - 242_528_680.944).abs() < 1e-3, "{north}");
    }

    #[test]
    fn applies_to_nothing_else() {
        let crs = |code, kind| KnownCrs { code, kind };
        let (degrees, metres) = (CrsKind::Geographic, CrsKind::Projected);
        assert!(applies(crs(4326, degrees), crs(3857, metres)));
        for (from, to) in [(3857, 4326), (4326, 3395), (4326, 900_913), (4258, 3857), (4326, 4326)] {
            assert!(!applies(crs(from, degrees), crs(to, metres)), "{from} {to}");
        }
    }

    fn somewhere() -> impl Strategy<Value = [f64; 2]> {
        // Uniform, and as close to a pole or the antimeridian as numbers allow.
        let near = |edge: f64| (0.0..18.0).prop_map(move |digits: f64| edge - 10_f64.powf(-digits));
        let longitude = prop_oneof![-181.0..181.0, -600.0..600.0, near(180.0), near(-180.0)];
        let latitude =
            prop_oneof![3 => -90.0..90.0, 1 => near(90.0), 1 => near(90.0).prop_map(|north| -north)];
        (longitude, latitude).prop_map(|(x, y)| [x, y])
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn is_what_proj_says(positions in prop::collection::vec(somewhere(), 1_000)) {
            check(&positions);
        }

        /// What a box contains, its bounds contain: to the last bit, and at every size of box.
        #[test]
        fn bounds_contain_what_is_in_the_box(
            positions in prop::collection::vec((-180.0..=180.0, -90.0..=90.0), 100), exponent in -9.0..9.0,
        ) {
            for (x, y) in positions {
                let [east, north] = forward([x, y]);
                let size = 10_f64.powf(exponent);
                for [left, bottom, right, top] in [
                    [east, north, east, north],
                    [east, north, east + size, north + size],
                    [east - size, north - size, east, north],
                    [f64::MIN, f64::NEG_INFINITY, east, north],
                ] {
                    let [west, south, east, north] = bounds_backward([left, bottom, right, top]);
                    let inside = |x: f64| west <= x && x <= east;
                    prop_assert!((inside(x) || inside(x + 360.0)) && south <= y && y <= north, "{x} {y}");
                }
            }
        }
    }
}
