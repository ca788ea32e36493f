//! What is in an area with all of its geometry, against ways to tell that share nothing with it.

use geo::{Covers, Geometry, LineString, MultiPoint, Polygon, Relate};
use geocast_geo_filter::{Area, AreaError, Document, Limits};
use proptest::prelude::*;
use serde_json::json;

use crate::random::{polygon, position};

type Rings = Vec<Vec<[f64; 2]>>;

const SQUARE: [[f64; 2]; 5] = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0], [0.0, 0.0]];

fn square(x: f64, y: f64, size: f64) -> Vec<[f64; 2]> {
    SQUARE.iter().map(|[dx, dy]| [x + dx * size / 10.0, y + dy * size / 10.0]).collect()
}

fn area(polygons: &[Rings]) -> Area {
    Area::try_from(polygons.to_vec()).unwrap()
}

fn members(area: &Area, json: &serde_json::Value) -> Vec<usize> {
    area.members(Document::read(json.to_string().as_bytes(), &Limits::default()).unwrap().shape())
}

fn is_in(area: &Area, kind: &str, coordinates: impl serde::Serialize) -> bool {
    members(area, &json!({ "type": kind, "coordinates": coordinates })) == [0]
}

#[test]
fn edges_belong_to_it_and_holes_do_not() {
    let area = area(&[vec![square(0.0, 0.0, 10.0), square(4.0, 4.0, 2.0)]]);
    for (kind, coordinates, expected) in [
        ("Point", json!([5, 1]), true),
        ("Point", json!([0, 0]), true),
        ("Point", json!([10, 3.3]), true),
        ("Point", json!([4, 5]), true),
        ("Point", json!([5, 5]), false),
        ("Point", json!([10.000000000000002, 3]), false),
        ("Point", json!([-5e-324, 3]), false),
        ("MultiPoint", json!([[1, 1], [9, 9]]), true),
        ("MultiPoint", json!([[1, 1], [5, 5]]), false),
        ("LineString", json!([[1, 1], [9, 1]]), true),
        ("LineString", json!([[0, 0], [10, 0], [10, 10]]), true),
        ("LineString", json!([[1, 5], [9, 5]]), false),
        ("LineString", json!([[4, 1], [4, 9]]), true),
        ("LineString", json!([[3, 3], [7, 7]]), false),
        ("LineString", json!([[4, 4], [6, 6]]), false),
        ("LineString", json!([[2, 4], [4, 4], [4, 6], [2, 6]]), true),
        ("MultiLineString", json!([[[1, 1], [2, 1]], [[1, 1], [1, 11]]]), false),
        ("Polygon", json!([square(1.0, 1.0, 2.0)]), true),
        ("Polygon", json!([square(3.0, 3.0, 4.0)]), false),
        ("Polygon", json!([square(3.0, 3.0, 4.0), square(4.0, 4.0, 2.0)]), true),
        ("Polygon", json!([square(3.0, 3.0, 4.0), square(3.5, 3.5, 3.0)]), true),
        ("Polygon", json!([square(3.0, 3.0, 4.0), square(4.0, 4.0, 1.0)]), false),
        ("Polygon", json!([square(4.0, 4.0, 2.0)]), false),
        ("Polygon", json!([square(0.0, 0.0, 10.0)]), false),
        ("Polygon", json!([square(0.0, 0.0, 10.0), square(4.0, 4.0, 2.0)]), true),
        ("MultiPolygon", json!([[square(1.0, 1.0, 1.0)], [square(7.0, 1.0, 2.0)]]), true),
        ("MultiPolygon", json!([[square(1.0, 1.0, 1.0)], [square(9.5, 1.0, 2.0)]]), false),
        // Goes around the hole twice, in either direction.
        ("Polygon", json!([[[3, 3], [7, 3], [7, 7], [3, 7], [3, 3], [7, 3], [7, 7], [3, 7], [3, 3]]]), false),
        // Not closed: the way back counts.
        ("Polygon", json!([[[3, 5], [5, 3], [7, 5]]]), false),
    ] {
        assert_eq!(is_in(&area, kind, &coordinates), expected, "{kind} {coordinates}");
    }
}

#[test]
fn each_member_is_judged_alone_and_without_geometry_it_is_nowhere() {
    let area = area(&[vec![square(0.0, 0.0, 10.0)]]);
    let feature = |geometry: serde_json::Value| json!({ "type": "Feature", "geometry": geometry });
    let point = |x: f64| json!({ "type": "Point", "coordinates": [x, 5] });
    let collection = json!({ "type": "FeatureCollection", "features": [
        feature(point(5.0)), feature(json!(null)), feature(point(11.0)), 7,
        feature(json!({ "type": "GeometryCollection", "geometries": [point(1.0), point(2.0)] })),
        feature(json!({ "type": "GeometryCollection", "geometries": [point(1.0), point(12.0)] })),
        feature(json!({ "type": "GeometryCollection", "geometries": [] })),
    ] });
    assert_eq!(members(&area, &collection), [0, 4]);
    for nowhere in [json!(7), json!("text"), feature(json!(null)), json!({ "type": "FeatureCollection" })] {
        assert!(members(&area, &nowhere).is_empty(), "{nowhere}");
    }
    let infinite = r#"{"type":"LineString","coordinates":[[1,1],[1e999,1]]}"#;
    assert!(
        area.members(Document::read(infinite.as_bytes(), &Limits::default()).unwrap().shape()).is_empty()
    );
}

#[test]
fn polygons_side_by_side_are_one() {
    let side_by_side = area(&[vec![square(0.0, 0.0, 10.0)], vec![square(10.0, 0.0, 10.0)]]);
    assert!(is_in(&side_by_side, "LineString", [[1, 1], [19, 9]]));
    assert!(is_in(&side_by_side, "Polygon", [square(5.0, 1.0, 9.0)]));
    assert!(is_in(&side_by_side, "LineString", [[10, 0], [10, 10]]));
    assert!(!is_in(&side_by_side, "LineString", [[10, 0], [10, 10], [10, 11]]));
    // Four around a gap, and an island in it.
    let around = |size: f64| {
        let walls = [[0.0, 0.0, 6.0, 2.0], [4.0, 2.0, 6.0, 6.0], [0.0, 4.0, 4.0, 6.0], [0.0, 2.0, 2.0, 4.0]];
        let ring = |[l, b, r, t]: [f64; 4]| vec![vec![[l, b], [r, b], [r, t], [l, t], [l, b]]];
        let mut polygons: Vec<Rings> = walls.into_iter().map(ring).collect();
        polygons.push(vec![square(3.0 - size / 2.0, 3.0 - size / 2.0, size)]);
        area(&polygons)
    };
    assert!(!is_in(&around(1.0), "Polygon", [square(1.0, 1.0, 4.0)]));
    assert!(is_in(&around(1.0), "Polygon", [square(1.0, 1.0, 4.0), square(2.0, 2.0, 2.0)]));
    assert!(is_in(&around(2.0), "Polygon", [square(1.0, 1.0, 4.0)]), "the island fills the gap");
    assert!(is_in(&around(3.0), "Polygon", [square(1.0, 1.0, 4.0)]), "it reaches beyond it");
}

#[test]
fn a_line_nearly_along_an_edge_is_judged_beyond_it() {
    let ring = vec![
        [6.0, 44.0],
        [10.0, 49.6],
        [7.2, 51.6],
        [9.2, 54.4],
        [14.8, 50.4],
        [19.8, 57.4],
        [11.4, 63.4],
        [0.4, 48.0],
        [6.0, 44.0],
    ];
    let area = area(&[vec![ring]]);
    assert!(!is_in(&area, "Point", [11, 51]), "between its ends");
    assert!(!is_in(&area, "LineString", [[6, 44], [16, 58]]));
}

#[test]
fn what_takes_too_long_is_not_in() {
    // A corridor with jagged walls: all of them are within the box of a line along it.
    let step = |at: i32| f64::from(at) / 51.1;
    let jag = |at: i32| if at % 2 == 0 { 0.0 } else { 0.001 };
    let near = (0..=511).map(|at| [step(at) + 0.1 + jag(at), step(at) - 0.1]);
    let far = (0..=510).rev().map(|at| [step(at) - 0.1 - jag(at), step(at) + 0.1]);
    let mut ring: Vec<[f64; 2]> = near.chain(far).collect();
    ring.push(ring[0]);
    let area = area(&[vec![ring]]);
    let along = |times: usize| [[0.1, 0.1], [9.0, 9.0]].repeat(times);
    assert!(is_in(&area, "LineString", along(100)));
    assert!(!is_in(&area, "LineString", along(2_000)));
    let feature = |times| json!({ "type": "Feature", "geometry": { "type": "LineString", "coordinates": along(times) } });
    let collection =
        json!({ "type": "FeatureCollection", "features": [feature(100), feature(2_000), feature(1)] });
    assert_eq!(members(&area, &collection), [0]);
    let shore: Vec<[f64; 2]> = (0..20_000).map(|at| [0.1 + f64::from(at) / 2e4; 2]).collect();
    assert!(is_in(&area, "LineString", shore), "larger, and usual");
}

#[test]
fn it_goes_around_the_world() {
    let fiji = [
        area(&[vec![square(176.0, -20.0, 6.0)]]),
        area(&[vec![square(-184.0, -20.0, 6.0)]]),
        // Cut at the antimeridian (RFC 7946 §3.1.9).
        area(&[
            vec![vec![[176.0, -20.0], [180.0, -20.0], [180.0, -14.0], [176.0, -14.0], [176.0, -20.0]]],
            vec![vec![[-180.0, -20.0], [-178.0, -20.0], [-178.0, -14.0], [-180.0, -14.0], [-180.0, -20.0]]],
        ]),
    ];
    for (index, area) in fiji.iter().enumerate() {
        for (x, expected) in [
            (177.0, true),
            (-179.0, true),
            (181.0, true),
            (180.0, true),
            (-180.0, true),
            (-183.0, true),
            (-177.0, false),
            (0.0, false),
            (175.0, false),
            (541.0, index == 0),
            (899.0, false),
            (1e300, false),
        ] {
            assert_eq!(is_in(area, "Point", [x, -15.0]), expected, "{index}: {x}");
        }
        assert!(is_in(area, "LineString", [[177, -15], [181, -16]]), "{index}");
        assert!(is_in(area, "Polygon", [square(179.0, -16.0, 2.0)]), "{index}");
        assert!(!is_in(area, "Polygon", [square(179.0, -16.0, 4.0)]), "{index}");
        assert!(
            !is_in(area, "LineString", [[177, -15], [-179, -15]]),
            "{index}: that way is around the world"
        );
    }
}

#[test]
fn what_is_no_area_is_refused() {
    let ring = |positions: &[[f64; 2]]| Area::try_from(vec![vec![positions.to_vec()]]).map(drop);
    let many = |count: usize| {
        let mut ring: Vec<[f64; 2]> = (0..count)
            .map(|at| (at as f64 / count as f64 * std::f64::consts::TAU).sin_cos())
            .map(|(y, x)| [x, y])
            .collect();
        ring.push(ring[0]);
        ring
    };
    assert_eq!(ring(&SQUARE), Ok(()));
    assert_eq!(ring(&many(1023)), Ok(()));
    assert!(matches!(ring(&many(1_000_000)), Err(AreaError::TooManyPositions { count: 1_000_001, .. })));
    assert!(matches!(Area::try_from(vec![]), Err(AreaError::Empty)));
    assert!(matches!(Area::try_from(vec![vec![]]), Err(AreaError::NoRing { .. })));
    assert!(matches!(ring(&[]), Err(AreaError::NoRing { .. })));
    assert!(matches!(
        Area::try_from(vec![vec![SQUARE.to_vec()]; 65]),
        Err(AreaError::TooManyPolygons { .. })
    ));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 361.0, -361.0] {
        assert!(matches!(
            ring(&[[0.0, 0.0], [bad, 0.0], [1.0, 1.0], [0.0, 0.0]]),
            Err(AreaError::NoPosition { .. })
        ));
    }
    assert!(matches!(
        ring(&[[0.0, 0.0], [9.0, 0.0], [9.0, 90.5], [0.0, 0.0]]),
        Err(AreaError::NoPosition { .. })
    ));
    assert!(matches!(ring(&SQUARE[..4]), Err(AreaError::Open { .. })));
    assert!(matches!(ring(&[[1.0, 1.0]; 5]), Err(AreaError::NoRing { .. })));
    assert!(matches!(ring(&[[1.0, 1.0], [2.0, 2.0], [1.0, 1.0]]), Err(AreaError::NoRing { .. })));
    assert!(matches!(
        ring(&[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.0, 0.0]]),
        Err(AreaError::Crossing { .. })
    ));
    // A bow tie, a spike, and a ring that touches itself.
    assert!(matches!(
        ring(&[[0.0, 0.0], [9.0, 9.0], [9.0, 0.0], [0.0, 9.0], [0.0, 0.0]]),
        Err(AreaError::Crossing { .. })
    ));
    assert!(matches!(
        ring(&[[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [12.0, 9.0], [5.0, 9.0], [0.0, 0.0]]),
        Err(AreaError::Crossing { .. })
    ));
    assert!(matches!(
        ring(&[[0.0, 0.0], [4.0, 0.0], [2.0, 2.0], [4.0, 4.0], [0.0, 4.0], [2.0, 2.0], [0.0, 0.0]]),
        Err(AreaError::Crossing { .. })
    ));
    assert!(matches!(
        ring(&[[179.0, 0.0], [-179.0, 0.0], [-179.0, 1.0], [179.0, 1.0], [179.0, 0.0]]),
        Err(AreaError::TooLong { .. })
    ));
    for hole in
        [square(20.0, 0.0, 1.0), square(5.0, 5.0, 6.0), square(-1.0, -1.0, 12.0), square(0.0, 2.0, 1.0)]
    {
        assert!(Area::try_from(vec![vec![SQUARE.to_vec(), hole.clone()]]).is_err(), "{hole:?}");
    }
    let nested = vec![SQUARE.to_vec(), square(2.0, 2.0, 6.0), square(3.0, 3.0, 1.0)];
    assert!(matches!(Area::try_from(vec![nested]), Err(AreaError::Misplaced { .. })));
}

/// In the polygons, by walking over all their edges; the numbers are small multiples of a power of two, so that nothing is
/// rounded.
fn naively_in([x, y]: [f64; 2], polygons: &[Rings]) -> bool {
    let cross = |[ax, ay]: [f64; 2], [bx, by]: [f64; 2]| (bx - ax) * (y - ay) - (by - ay) * (x - ax);
    polygons.iter().any(|rings| {
        let mut inside = false;
        for ends in rings.iter().flat_map(|ring| ring.windows(2)) {
            let (a, b) = (ends[0], ends[1]);
            let is_between =
                a[0].min(b[0]) <= x && x <= a[0].max(b[0]) && a[1].min(b[1]) <= y && y <= a[1].max(b[1]);
            if is_between && cross(a, b) == 0.0 {
                return true;
            }
            if (a[1] > y) != (b[1] > y) && (cross(a, b) > 0.0) == (b[1] > a[1]) {
                inside = !inside;
            }
        }
        inside
    })
}

/// Points of a line, its ends among them.
fn along(line: &[[f64; 2]]) -> impl Iterator<Item = [f64; 2]> + '_ {
    line.windows(2).flat_map(|ends| {
        let ([ax, ay], [bx, by]) = (ends[0], ends[1]);
        (0..=64)
            .map(move |step| f64::from(step) / 64.0)
            .map(move |t| [ax + (bx - ax) * t, ay + (by - ay) * t])
    })
}

/// Points of a grid that are in a polygon.
fn within(polygon: &Rings) -> Vec<[f64; 2]> {
    let polygon = std::slice::from_ref(polygon);
    let grid = (-50..=50).flat_map(|x| {
        (-50..=50).map(move |y| [f64::from(x) / 8.0 + 1.0 / 64.0, f64::from(y) / 8.0 + 1.0 / 128.0])
    });
    grid.filter(|point| naively_in(*point, polygon)).collect()
}

fn geo_polygon(rings: &Rings) -> Polygon {
    let mut rings = rings.iter().map(|ring| LineString::from(ring.clone()));
    Polygon::new(rings.next().unwrap(), rings.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_outside_ever_passes(
        polygons in prop::collection::vec(polygon(), 1..5),
        points in prop::collection::vec(position(), 1..6),
        shape in polygon(),
    ) {
        let Ok(area) = Area::try_from(polygons.clone()) else { return Err(TestCaseError::reject("no area")) };
        let all_in = points.iter().all(|&point| naively_in(point, &polygons));
        prop_assert_eq!(is_in(&area, "MultiPoint", &points), all_in);
        if is_in(&area, "LineString", &points) {
            prop_assert!(points.len() == 1 || along(&points).all(|point| naively_in(point, &polygons)));
        }
        if is_in(&area, "Polygon", &shape) {
            for point in shape.iter().flat_map(|ring| along(ring)).chain(within(&shape)) {
                prop_assert!(naively_in(point, &polygons), "{point:?}");
            }
        }
    }

    #[test]
    fn what_is_nearly_along_an_edge_does_not_pass_over_the_bay_behind_it(
        (step, scale) in ((1..10_i32, 1..31_i32), prop::sample::select(vec![10.0, 100.0, 1000.0])),
        origin in (0..50_i32, 0..50_i32),
        (begin, shore, width, rest) in (0.0..1.0, 2..22_i32, 1..6_i32, 1..9_i32),
    ) {
        let (dx, dy) = (f64::from(step.0), f64::from(step.1));
        // So many steps along a line, and so far beside it: in decimals, so that nothing is on it exactly.
        let at = |along: i32, beside: f64| {
            let [x, y] = [dx, dy].map(|step| f64::from(along) * step / scale);
            [x + f64::from(origin.0) - beside * dy / scale, y + f64::from(origin.1) + beside * dx / scale]
        };
        let (far, end) = (shore + width, shore + width + rest);
        let ring = [(0, 0.0), (shore, 0.0), (shore, 4.0), (far, 4.0), (far, -4.0), (end + 2, -4.0), (end + 2, 8.0), (0, 8.0), (0, 0.0)];
        let ring: Vec<[f64; 2]> = ring.into_iter().map(|(along, beside)| at(along, beside)).collect();
        let Ok(area) = Area::try_from(vec![vec![ring]]) else { return Err(TestCaseError::reject("no area")) };
        let begin = (f64::from(shore) * begin) as i32;
        prop_assert!(!is_in(&area, "LineString", [at(begin, 0.0), at(end, 0.0)]));
    }

    #[test]
    fn one_polygon_has_what_geo_says(
        polygon in polygon(),
        points in prop::collection::vec(position(), 2..6),
        shape in polygon(),
    ) {
        let Ok(area) = Area::try_from(vec![polygon.clone()]) else { return Err(TestCaseError::reject("no area")) };
        let theirs = geo_polygon(&polygon);
        let multi: MultiPoint = points.clone().into();
        prop_assert_eq!(is_in(&area, "MultiPoint", &points), multi.iter().all(|point| theirs.covers(point)));
        let distinct = points.windows(2).all(|ends| ends[0] != ends[1]);
        if distinct {
            let line = Geometry::from(LineString::from(points.clone()));
            prop_assert_eq!(is_in(&area, "LineString", &points), theirs.relate(&line).is_covers());
        }
        if Area::try_from(vec![shape.clone()]).is_ok() {
            let other = geo_polygon(&shape);
            prop_assert_eq!(is_in(&area, "Polygon", &shape), theirs.relate(&other).is_covers());
        }
    }
}
