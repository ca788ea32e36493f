use std::process::Command;
use std::sync::{Arc, LazyLock};

use geocast_geo_filter::{AxisOrder, Bbox, Catalogue, CrsKind, Document, KnownCrs, Transform, Transforms};
use proptest::prelude::*;

use crate::{bbox, read};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load().unwrap());
static TRANSFORMS: LazyLock<Transforms> = LazyLock::new(Transforms::default);

fn crs(code: u32) -> KnownCrs {
    CATALOGUE.crs(code).unwrap()
}

fn transform(from: u32, to: u32, order: AxisOrder) -> Arc<Transform> {
    TRANSFORMS.get_or_create(crs(from), crs(to), order).unwrap()
}

fn points(points: &[[f64; 2]]) -> Document {
    read(&format!(r#"{{"type":"MultiPoint","coordinates":{points:?}}}"#))
}

fn project(transform: &Transform, point: [f64; 2]) -> [f64; 2] {
    transform.shape(points(&[point]).shape()).positions()[0]
}

/// What PROJ's own command line printed; `data/make-projections.sh` made the file.
const RECORDED: &str = include_str!("../data/projections.csv");

#[test]
fn agrees_with_projs_command_line() {
    let mut rows = 0;
    for line in RECORDED.lines().skip(1) {
        let row: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        let &[code, longitude, latitude, first, second] = row.as_slice() else { panic!("{line}") };
        let code = code as u32;
        let [x, y] = project(&transform(4326, code, AxisOrder::Xy), [longitude, latitude]);
        let [a, b] = project(&transform(4326, code, AxisOrder::Authority), [longitude, latitude]);
        // A micrometre, or its equivalent in degrees.
        let tolerance = if crs(code).kind() == CrsKind::Geographic { 1e-9 } else { 1e-6 };
        let close = |p: f64, q: f64| (p - q).abs() <= tolerance;
        assert!(close(a, first) && close(b, second), "{line}: {a} {b}");
        assert!((x, y) == (a, b) || (x, y) == (b, a), "{line}: {x} {y}");
        rows += 1;
    }
    assert_eq!(rows, 47);
}

#[test]
fn axis_order_is_x_y_unless_the_authority_is_asked() {
    for (code, swapped) in [
        (4326, true),
        (4258, true),
        (3035, true),
        (31467, true),
        (2193, true),
        (3857, false),
        (2056, false),
        (32632, false),
        (27700, false),
    ] {
        let point = [9.5, 47.0];
        let [x, y] = project(&transform(4326, code, AxisOrder::Xy), point);
        let authority = project(&transform(4326, code, AxisOrder::Authority), point);
        assert_eq!(authority, if swapped { [y, x] } else { [x, y] }, "{code}");
    }
}

#[test]
fn the_catalogue_is_the_only_door() {
    for (code, kind) in [
        (4326, CrsKind::Geographic),
        (4258, CrsKind::Geographic),
        (3857, CrsKind::Projected),
        (2056, CrsKind::Projected),
        (2263, CrsKind::Projected),
        (900_913, CrsKind::Projected),
    ] {
        assert_eq!(crs(code).kind(), kind);
        assert_eq!(crs(code).to_string(), format!("EPSG:{code}"));
    }
    // None, geocentric, three-dimensional, vertical, compound, nothing, not an EPSG code.
    for code in [0, 4978, 4979, 5773, 7405, 999_999, 900_914, u32::MAX] {
        assert_eq!(CATALOGUE.crs(code), None, "{code}");
    }
    assert!(CATALOGUE.all().count() > 5_000);
    let info = CATALOGUE.info(crs(2056)).unwrap();
    assert_eq!(&*info.name, "CH1903+ / LV95");
    let area = info.area.unwrap();
    assert!((area.west - 5.96).abs() < 0.01 && (area.north - 47.81).abs() < 0.01, "{area:?}");
}

/// PROJ would look in all of these places, and fail on what it finds there.
#[test]
fn no_file_takes_the_place_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    for place in ["", ".local/share/proj"] {
        let place = folder.path().join(place);
        std::fs::create_dir_all(&place).unwrap();
        for name in ["proj.db", "proj.ini"] {
            std::fs::write(place.join(name), "not what it should be").unwrap();
        }
    }
    let other = "projection::agrees_with_projs_command_line";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", other])
        .current_dir(folder.path())
        .env_remove("XDG_DATA_HOME")
        .envs(["HOME", "PROJ_DATA", "PROJ_LIB"].map(|name| (name, folder.path())))
        .env("PROJ_DEBUG", "3")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn what_cannot_be_projected_is_withheld() {
    let to_mercator = transform(4326, 3857, AxisOrder::Xy);
    let collection = |bad: &str| {
        format!(
            r#"{{"type":"FeatureCollection","features":[
            {{"type":"Feature","geometry":{{"type":"Point","coordinates":[7,46]}}}},
            {{"type":"Feature","geometry":{{"type":"LineString","coordinates":[[7,46],{bad}]}}}},
            {{"type":"Feature","geometry":null}}]}}"#
        )
    };
    for bad in ["[7,91]", "[7,-90.0001]", "[7,90]", "[1e300,10]", "[7,1e308]"] {
        let json = collection(bad);
        let document = read(&json);
        let shape = to_mercator.shape(document.shape());
        if bad == "[7,90]" {
            // The pole is finite in PROJ's spherical Mercator, some 242 million metres north.
            assert_eq!(shape.withheld(), [0_usize; 0]);
            continue;
        }
        assert_eq!(shape.withheld(), [1], "{bad}");
        assert_eq!(shape.members_inside(&Bbox::EVERYTHING), [0, 2]);
        let out = document.rewrite(json.as_bytes(), &shape, None, to_mercator.decimals()).unwrap();
        let out: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(out["features"].as_array().unwrap().len(), 2);
        assert_eq!(out["features"][0]["geometry"]["coordinates"][0], 779236.436);

        let point = read(&format!(r#"{{"type":"Point","coordinates":{bad}}}"#));
        let shape = to_mercator.shape(point.shape());
        assert!(shape.is_withheld() && !shape.intersects(&Bbox::EVERYTHING), "{bad}");
    }
    // The antipode has no place in an azimuthal projection, nor a point a quarter of the world away in a
    // transverse one.
    for (code, point) in [(3035, [-170.0, -52.0]), (32632, [99.0, 0.0])] {
        assert!(transform(4326, code, AxisOrder::Xy).shape(points(&[point]).shape()).is_withheld(), "{code}");
    }
}

#[test]
fn bounds_hold_across_the_antimeridian_and_over_the_poles() {
    // Fiji's grid crosses the antimeridian.
    let fiji = transform(4326, 3460, AxisOrder::Xy);
    let bounds = fiji.bounds(&bbox([1_900_000.0, 3_800_000.0, 2_300_000.0, 4_200_000.0]));
    assert_eq!(bounds.len(), 2, "{bounds:?}");
    assert!(bounds.iter().any(|b| b.contains_point([179.9, -17.0])), "{bounds:?}");
    assert!(bounds.iter().any(|b| b.contains_point([-179.9, -17.0])), "{bounds:?}");
    assert!(!bounds.iter().any(|b| b.contains_point([0.0, -17.0])), "{bounds:?}");
    // A box around the south pole has all longitudes.
    let pole = transform(4326, 3031, AxisOrder::Xy).bounds(&bbox([-1e6, -1e6, 1e6, 1e6]));
    for longitude in [-180.0, -90.0, 0.0, 90.0, 180.0] {
        assert!(pole.iter().any(|b| b.contains_point([longitude, -89.0])), "{pole:?}");
    }
    assert!(!pole.iter().any(|b| b.contains_point([0.0, 0.0])), "{pole:?}");
    // A box that is nowhere has no bounds, so everything is looked at.
    let nowhere = transform(4326, 3035, AxisOrder::Xy).bounds(&bbox([1e300, 1e300, 1e301, 1e301]));
    assert_eq!(nowhere, [Bbox::EVERYTHING]);
    // A box in the authority's order has its northing first; what it bounds is longitude and latitude still.
    let authority = transform(4326, 3035, AxisOrder::Authority).bounds(&bbox([3.2e6, 4.3e6, 3.3e6, 4.4e6]));
    let xy = transform(4326, 3035, AxisOrder::Xy).bounds(&bbox([4.3e6, 3.2e6, 4.4e6, 3.3e6]));
    assert_eq!(authority, xy);
}

/// Systems with a box of longitudes and latitudes that they serve well.
const SERVED: &[(u32, [f64; 4])] = &[
    (3857, [-180.0, -85.0, 180.0, 85.0]),
    (2056, [5.96, 45.82, 10.49, 47.81]),
    (3035, [-25.0, 33.0, 45.0, 71.0]),
    (32632, [3.0, -10.0, 15.0, 84.0]),
    (27700, [-6.0, 50.0, 1.5, 58.5]),
    (3031, [-180.0, -90.0, 180.0, -60.0]),
    (3413, [-180.0, 60.0, 180.0, 90.0]),
    (2193, [166.0, -47.0, 179.0, -34.0]),
    (4258, [-16.0, 33.0, 40.0, 84.0]),
    (2263, [-75.0, 40.0, -71.0, 42.0]),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn there_and_back(system in 0..SERVED.len(), east in 0.0..1.0, north in 0.0..0.999) {
        let (code, [left, bottom, right, top]) = SERVED[system];
        let point = [left + east * (right - left), bottom + north * (top - bottom)];
        let there = project(&transform(4326, code, AxisOrder::Xy), point);
        let back = project(&transform(code, 4326, AxisOrder::Xy), there);
        // Two millimetres on the ground: a datum shift in two dimensions drops the change in height, so PROJ
        // itself does not come back exactly. Meridians meet at the poles, where a longitude is worth little.
        let meridian = point[1].to_radians().cos();
        prop_assert!((back[1] - point[1]).abs() < 2e-8, "{code} {point:?} {back:?}");
        let off = (back[0] - point[0]).abs();
        prop_assert!(off.min((360.0 - off).abs()) * meridian < 2e-8, "{code} {point:?} {back:?}");
    }

    /// Where areas of use meet, PROJ may take another datum shift on the way back.
    #[test]
    fn bounds_allow_for_another_datum_shift(east in -8.9..1.9, north in 49.8..60.9) {
        let transform = transform(4326, 27700, AxisOrder::Xy);
        let [x, y] = project(&transform, [east, north]);
        let bounds = transform.bounds(&bbox([x, y, x, y]));
        prop_assert!(bounds.iter().any(|b| b.contains_point([east, north])), "{east} {north} {bounds:?}");
    }

    /// A point in a box of the target is in the bounds of that box: no false negative.
    #[test]
    fn bounds_contain_what_is_in_the_box(
        system in 0..SERVED.len(), east in 0.0..1.0, north in 0.0..1.0,
        before in [0.0..1.0, 0.0..1.0], after in [0.0..1.0, 0.0..1.0], exponent in 0.0..6.5,
    ) {
        let (code, [left, bottom, right, top]) = SERVED[system];
        let point = [left + east * (right - left), bottom + north * (top - bottom)];
        let transform = transform(4326, code, AxisOrder::Xy);
        let [x, y] = project(&transform, point);
        let scale = if code == 4258 { 1e-5 } else { 1.0 } * 10_f64.powf(exponent);
        let viewport = bbox([x - before[0] * scale, y - before[1] * scale, x + after[0] * scale, y + after[1] * scale]);
        let bounds = transform.bounds(&viewport);
        prop_assert!(bounds.iter().any(|b| b.contains_point(point)), "{code} {point:?} {viewport:?} {bounds:?}");
    }
}

#[test]
fn the_cache_is_bounded_and_makes_each_transform_once() {
    let cache = Transforms::new(2.try_into().unwrap());
    let (a, b, c) = (crs(3857), crs(2056), crs(32632));
    let wgs = crs(4326);
    assert!(cache.get_if_present(wgs, a, AxisOrder::Xy).is_none());
    let made: Vec<Arc<Transform>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| cache.get_or_create(wgs, a, AxisOrder::Xy).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(made.iter().all(|transform| Arc::ptr_eq(transform, &made[0])));
    assert_eq!(cache.len(), 1);
    cache.get_or_create(wgs, b, AxisOrder::Xy).unwrap();
    assert!(cache.get_if_present(wgs, a, AxisOrder::Xy).is_some());
    cache.get_or_create(wgs, c, AxisOrder::Xy).unwrap();
    // The one that was not used for longest is gone.
    assert_eq!(cache.len(), 2);
    assert!(cache.get_if_present(wgs, b, AxisOrder::Xy).is_none());
    assert!(cache.get_if_present(wgs, a, AxisOrder::Xy).is_some());
    assert!(cache.get_if_present(wgs, a, AxisOrder::Authority).is_none());
    assert!(!cache.is_empty());
}

#[test]
fn threads_may_share_a_transform() {
    fn shared<T: Send + Sync>() {}
    shared::<Transform>();
    shared::<Transforms>();
    let transform = transform(4326, 2056, AxisOrder::Xy);
    let expected = project(&transform, [7.45, 46.95]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    assert_eq!(project(&transform, [7.45, 46.95]), expected);
                }
            });
        }
    });
}
