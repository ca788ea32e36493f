//! Boxes that go around the world.

use geocast_geo_filter::{Region, Shape};
use proptest::prelude::*;

use crate::read;

fn region(corners: [f64; 4]) -> Region {
    Region::from_degrees(corners).unwrap()
}

/// Which of these longitudes, at the equator, are in a box of degrees.
fn seen(left: f64, right: f64, longitudes: &[f64]) -> Vec<f64> {
    let region = region([left, -10.0, right, 10.0]);
    longitudes.iter().copied().filter(|longitude| point(*longitude, 0.0).is_in(&region)).collect()
}

fn point(x: f64, y: f64) -> Shape {
    let document = read(&format!(r#"{{"type":"Point","coordinates":[{x},{y}]}}"#));
    document.shape().map(|position| position)
}

const ROUND: &[f64] = &[-180.0, -179.9, -170.0, -169.9, -10.0, 0.0, 10.0, 169.9, 170.0, 179.9, 180.0];

#[test]
fn a_box_may_go_across_the_antimeridian() {
    let across = [-180.0, -179.9, -170.0, 170.0, 179.9, 180.0];
    for (left, right) in [
        (170.0, -170.0),
        (170.0, 190.0),
        (-190.0, -170.0),
        (530.0, 550.0),
        (-1270.0, -1250.0),
        (170.0, -530.0),
    ] {
        assert_eq!(seen(left, right, ROUND), across, "{left} {right}");
    }
    assert_eq!(seen(-200.0, -170.0, ROUND), [-180.0, -179.9, -170.0, 169.9, 170.0, 179.9, 180.0]);
    assert_eq!(seen(530.0, 560.0, ROUND), [-180.0, -179.9, -170.0, -169.9, 170.0, 179.9, 180.0]);
    assert_eq!(seen(350.0, 370.0, ROUND), [-10.0, 0.0, 10.0]);
    assert_eq!(seen(350.0, 10.0, ROUND), [-10.0, 0.0, 10.0]);
}

#[test]
fn the_antimeridian_is_reached_from_either_side() {
    assert_eq!(seen(170.0, 180.0, ROUND), [-180.0, 170.0, 179.9, 180.0]);
    assert_eq!(seen(-180.0, -170.0, ROUND), [-180.0, -179.9, -170.0, 180.0]);
    assert_eq!(seen(180.0, 180.0, ROUND), [-180.0, 180.0]);
    assert_eq!(seen(180.0, -180.0, ROUND), [-180.0, 180.0]);
    assert_eq!(seen(170.0, 180.0_f64.next_down(), ROUND), [-180.0, 170.0, 179.9, 180.0]);
    assert_eq!(seen(170.0, 179.99, ROUND), [170.0, 179.9]);
    assert_eq!(region([170.0, 0.0, 179.0, 1.0]).boxes().len(), 1);
    assert_eq!(region([170.0, 0.0, 180.0, 1.0]).boxes().len(), 2);
}

#[test]
fn a_whole_turn_is_everything() {
    for (left, right) in [(-180.0, 180.0), (0.0, 360.0), (-10.0, 350.0), (-1000.0, 1000.0), (-540.0, 540.0)] {
        assert_eq!(seen(left, right, ROUND), ROUND, "{left} {right}");
        assert_eq!(region([left, -1.0, right, 1.0]).boxes().len(), 1);
        assert_eq!(seen(left, right, &[-200.0, 190.0, 359.0]), [-200.0, 190.0, 359.0], "{left} {right}");
    }
    assert_eq!(seen(0.0, 359.9, ROUND), ROUND);
    assert_eq!(seen(0.05, 359.9, ROUND), ROUND.iter().copied().filter(|x| *x != 0.0).collect::<Vec<_>>());
}

/// Publishers wrap as well, though RFC 7946 §3.1.9 has them cut at the antimeridian.
#[test]
fn data_beyond_the_antimeridian_is_where_it_is_a_turn_away() {
    assert_eq!(seen(-175.0, -165.0, &[190.0, -170.0, -530.0, 550.0, 200.0]), [190.0, -170.0, -530.0, 550.0]);
    let wide = read(
        r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","geometry":{"type":"LineString","coordinates":[[170,0],[190,0]]}},
        {"type":"Feature","geometry":{"type":"Point","coordinates":[0,0]}},
        {"type":"Feature","geometry":{"type":"Point","coordinates":[185,0]}}]}"#,
    );
    for (left, right, members) in [
        (-176.0, -174.0, vec![0, 2]),
        (174.0, 176.0, vec![0]),
        (-5.0, 5.0, vec![1]),
        (-170.0, -160.0, vec![0]),
        (-169.0, -160.0, vec![]),
        (169.0, -169.0, vec![0, 2]),
    ] {
        let region = region([left, -1.0, right, 1.0]);
        assert_eq!(wide.shape().members_in(&region), members, "{left} {right}");
        assert_eq!(wide.shape().is_in(&region), !members.is_empty(), "{left} {right}");
    }
}

#[test]
fn poles_are_the_end() {
    let arctic = region([-180.0, 80.0, 180.0, 120.0]);
    assert!(point(77.0, 90.0).is_in(&arctic) && !point(77.0, 79.0).is_in(&arctic));
    let south = region([10.0, -90.0, 20.0, -90.0]);
    assert!(point(15.0, -90.0).is_in(&south) && !point(25.0, -90.0).is_in(&south));
    for (corners, message) in [
        ([5.0, 91.0, 6.0, 92.0], "box has latitudes from 91 to 92, all of them beyond the pole at 90"),
        ([-10.0, -140.0, 10.0, -100.0], "box has latitudes from -140 to -100"),
        ([829_000.0, 5_930_000.0, 840_000.0, 5_940_000.0], "box edge 829000 can be no angle"),
        ([8290.0, 5930.0, 8400.0, 5940.0], "box edge 5930 can be no angle"),
        ([0.0, 1.0, 1.0, 0.0], "box is reversed vertically: bottom 1 is greater than top 0"),
        ([f64::NAN, 0.0, 1.0, 1.0], "box edge NaN is not finite"),
        ([0.0, 0.0, 1.0, f64::INFINITY], "box edge inf is not finite"),
        ([f64::MAX, 0.0, f64::MIN, 1.0], "can be no angle"),
    ] {
        let message_found = Region::from_degrees(corners).unwrap_err().to_string();
        assert!(message_found.contains(message), "{corners:?}: {message_found}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    /// Whether a longitude is in a box is a matter of arithmetic modulo a turn. Tenths of degrees, so that edges meet.
    #[test]
    fn longitudes_count_modulo_a_turn(left in -12_000_i32..12_000, width in 0_i32..4_000, tenth in -5_400_i32..=5_400) {
        let right = left + width;
        let expected = width >= 3_600 || (tenth - left).rem_euclid(3_600) <= width;
        let tenths = |number: i32| f64::from(number) / 10.0;
        // Adding and taking off turns rounds in the last bit, so that edges are a hair wider.
        let region = region([tenths(left) - 1e-10, -1.0, tenths(right) + 1e-10, 1.0]);
        prop_assert_eq!(point(tenths(tenth), 0.0).is_in(&region), expected);
        // As an index finds it.
        let whereabouts = point(tenths(tenth), 0.0).whereabouts().unwrap();
        prop_assert!(!expected || region.intersects(&whereabouts));
        if (1..3_600).contains(&width) {
            let wrapped = tenths((right + 1_800).rem_euclid(3_600) - 1_800) + 1e-10;
            let start = tenths((left + 1_800).rem_euclid(3_600) - 1_800) - 1e-10;
            let named = Region::from_degrees([start, -1.0, wrapped, 1.0]).unwrap();
            prop_assert_eq!(point(tenths(tenth), 0.0).is_in(&named), expected);
        }
    }
}
