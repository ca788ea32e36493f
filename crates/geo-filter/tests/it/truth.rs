//! Who sees what, in every kind of coordinate system: the index and the exact test, held to the exact test alone.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use geocast_geo_filter::{
    AxisOrder, Bbox, Catalogue, CrsKind, Document, KnownCrs, Region, RegionIndex, Shape, Transform,
};

use crate::read;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load().unwrap());

/// Numbers that look random and are the same each time: the top bits of a linear congruential generator.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[(self.next() * all.len() as f64) as usize]
    }

    /// A place: in the area that the system is for, near a pole or the antimeridian, or anywhere.
    fn place(&mut self, crs: KnownCrs) -> [f64; 2] {
        let area = CATALOGUE.info(crs).unwrap().area.unwrap();
        let east = if area.east < area.west { area.east + 360.0 } else { area.east };
        match (self.next() * 8.0) as u32 {
            0 => [self.within(-180.0, 180.0), self.within(-90.0, 90.0)],
            1 => [self.within(-180.0, 180.0), *self.pick(&[90.0, -90.0, 89.999, -89.5])],
            2 => [*self.pick(&[180.0, -180.0, 179.99, -179.5]), self.within(-90.0, 90.0)],
            _ => {
                let longitude = self.within(area.west, east);
                [longitude - 360.0 * f64::from(longitude > 180.0), self.within(area.south, area.north)]
            }
        }
    }

    /// A point, some points, a line, or a polygon: from metres to continents.
    fn geometry(&mut self, crs: KnownCrs) -> Document {
        let [x, y] = self.place(crs);
        let size = 10_f64.powf(self.within(-4.0, 1.7));
        let mut near = || {
            let (dx, dy) = (self.within(-size, size), self.within(-size, size));
            [(x + dx).clamp(-180.0, 180.0), (y + dy).clamp(-90.0, 90.0)]
        };
        let [a, b, c] = [near(), near(), near()];
        read(&match (self.next() * 5.0) as u32 {
            0 | 1 => format!(r#"{{"type":"Point","coordinates":{a:?}}}"#),
            2 => format!(r#"{{"type":"MultiPoint","coordinates":{:?}}}"#, [a, b]),
            3 => format!(r#"{{"type":"LineString","coordinates":{:?}}}"#, [a, b, c]),
            _ => format!(r#"{{"type":"Polygon","coordinates":[{:?}]}}"#, [a, b, c, a]),
        })
    }

    /// A box about a place, from centimetres to the whole of a plane.
    fn region(&mut self, crs: KnownCrs, transform: &Transform, order: AxisOrder) -> Option<Region> {
        let place = self.place(crs);
        let point = read(&format!(r#"{{"type":"Point","coordinates":{place:?}}}"#));
        let [x, y] = transform.shape(point.shape()).positions()[0];
        let unit = if crs.kind() == CrsKind::Geographic { 1e-5 } else { 1.0 };
        let mut far = || unit * 10_f64.powf(self.within(-2.0, 7.3));
        let size = far();
        let corners =
            [x - size * self.next(), y - size * self.next(), x + size * self.next(), y + size * self.next()];
        CATALOGUE.region(crs, order, corners).ok()
    }
}

/// Two systems of each way to project that EPSG knows, and those that people ask for.
fn systems(numbers: &mut Numbers) -> Vec<KnownCrs> {
    let mut kinds: BTreeMap<&str, Vec<KnownCrs>> = BTreeMap::new();
    for crs in CATALOGUE.all().filter(|crs| CATALOGUE.info(*crs).unwrap().area.is_some()) {
        kinds.entry(&CATALOGUE.info(crs).unwrap().method).or_default().push(crs);
    }
    assert!(kinds.len() >= 30, "{:?}", kinds.keys());
    let asked = [3857, 4258, 2056, 3035, 32632, 3413, 3031, 3995, 27700, 3460, 2193, 4807];
    let mut systems: Vec<KnownCrs> = asked.iter().map(|code| CATALOGUE.crs(*code).unwrap()).collect();
    systems.extend(kinds.values().flat_map(|kind| [*numbers.pick(kind), *numbers.pick(kind)]));
    systems
}

/// Whether the way back leads to where the points are from. If not, the system has no place for them: far from where
/// they are meant for, some systems have the same numbers for places on two sides of the world.
fn returns(back: &Transform, shape: &Shape, projected: &Shape) -> bool {
    let returned = back.shape(projected);
    let close = |[x, y]: [f64; 2], [a, b]: [f64; 2]| {
        let off = (x - a).abs() % 360.0;
        (y - b).abs() < 0.005 && off.min(360.0 - off) * y.to_radians().cos() < 0.005
    };
    !shape.is_points() || shape.positions().iter().zip(returned.positions()).all(|(p, q)| close(*p, *q))
}

/// Returns how many pairs were compared and how many of them hit.
fn check(seed: u64, order: AxisOrder) -> (usize, usize) {
    let mut numbers = Numbers(seed);
    let (mut pairs, mut hits) = (0, 0);
    let mut failures = Vec::new();
    for crs in systems(&mut numbers) {
        let wgs = CATALOGUE.crs(4326).unwrap();
        let Ok(transform) = Transform::new(wgs, crs, order) else { continue };
        let transform = Arc::new(transform);
        let (there, back) = (
            Transform::new(wgs, crs, AxisOrder::Xy).unwrap(),
            Transform::new(crs, wgs, AxisOrder::Xy).unwrap(),
        );
        let mut index = RegionIndex::with_seed(seed);
        let regions: Vec<Region> = (0..24).filter_map(|_| numbers.region(crs, &transform, order)).collect();
        for (key, region) in regions.iter().enumerate() {
            index.insert(key, region, Some(&transform), &transform.region_bounds(region));
        }
        for _ in 0..40 {
            let document = numbers.geometry(crs);
            let projected: Arc<Shape> = Arc::new(transform.shape(document.shape()));
            if !returns(&back, document.shape(), &there.shape(document.shape())) {
                continue;
            }
            let mut found = Vec::new();
            index.for_each(document.shape(), |_| Arc::clone(&projected), |key| found.push(key));
            for (key, region) in regions.iter().enumerate() {
                pairs += 1;
                if projected.is_in(region) {
                    hits += 1;
                    if !found.contains(&key) {
                        failures.push((crs, region.clone(), document.shape().positions().to_vec()));
                    }
                }
            }
            found.sort_unstable();
            let once = found.windows(2).all(|pair| pair[0] != pair[1]);
            assert!(once, "a key was visited twice, seed {seed}");
        }
        (0..regions.len()).for_each(|key| assert!(index.remove(key, Some(&transform))));
        index.for_all(|key| panic!("{key} is still there"));
    }
    let mut kinds = BTreeMap::new();
    for (crs, region, positions) in &failures {
        let info = CATALOGUE.info(*crs).unwrap();
        let entry = kinds
            .entry((&*info.method, crs.code()))
            .or_insert_with(|| (0, format!("{positions:?} in {:?}", region.boxes())));
        entry.0 += 1;
    }
    assert!(failures.is_empty(), "seed {seed}: {} of {hits} hits missed: {kinds:#?}", failures.len());
    (pairs, hits)
}

#[test]
fn no_system_misses_a_hit() {
    for (seed, order) in [(1, AxisOrder::Xy), (2, AxisOrder::Authority)] {
        let (pairs, hits) = check(seed, order);
        assert!(pairs > 50_000 && hits > pairs / 50, "{hits} of {pairs}");
    }
}

#[test]
fn nor_with_other_numbers_each_time() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    check(now.as_nanos() as u64, AxisOrder::Xy);
}

/// Lines around a pole and long lines are not where the box around their ends is.
#[test]
fn what_bends_is_found() {
    for (code, corners, geometry) in [
        (3413, [-1e4, -1e4, 1e4, 1e4], r#"{"type":"LineString","coordinates":[[0,60],[180,60]]}"#),
        (3031, [-1e4, -1e4, 1e4, 1e4], r#"{"type":"LineString","coordinates":[[-90,-70],[90,-70]]}"#),
        (
            3995,
            [-1e3, -1e3, 1e3, 1e3],
            r#"{"type":"Polygon","coordinates":[[[-180,80],[-90,80],[0,80],[90,80],[-180,80]]]}"#,
        ),
        // Straight in the plane from west to east, the line is north of its ends in the middle.
        (
            3035,
            [4_315_000.0, 3_090_000.0, 4_327_000.0, 3_100_000.0],
            r#"{"type":"LineString","coordinates":[[-5,50],[25,50]]}"#,
        ),
        // The ends are 170 degrees from the central meridian, on both sides of the equator, and the box is between them.
        (
            32632,
            [-273_339.0, 4_581_269.0, 1_151_245.0, 5_785_230.0],
            r#"{"type":"LineString","coordinates":[[-163.733868,6.333869],[-167.36353,-8.88233]]}"#,
        ),
        // Points far from where the system is used.
        (
            2056,
            [-4_949_470.0, 5_326_372.0, -4_167_736.0, 6_020_190.0],
            r#"{"type":"Point","coordinates":[-97.52,40.14]}"#,
        ),
        (
            2056,
            [-6_995_943.0, 936_138.0, -6_980_372.0, 945_018.0],
            r#"{"type":"Point","coordinates":[-83.43493,-4.62129]}"#,
        ),
    ] {
        let crs = CATALOGUE.crs(code).unwrap();
        let transform = Arc::new(Transform::new(CATALOGUE.crs(4326).unwrap(), crs, AxisOrder::Xy).unwrap());
        let region = CATALOGUE.region(crs, AxisOrder::Xy, corners).unwrap();
        let document = read(geometry);
        let projected = Arc::new(transform.shape(document.shape()));
        assert!(projected.is_in(&region), "{code}: {:?}", projected.positions());
        let mut index = RegionIndex::with_seed(0);
        let bounds = transform.region_bounds(&region);
        assert_eq!(bounds.contains(&Bbox::EVERYTHING), code == 2056, "{code}");
        index.insert(code, &region, Some(&transform), &bounds);
        let mut found = Vec::new();
        index.for_each(document.shape(), |_| Arc::clone(&projected), |key| found.push(key));
        assert_eq!(found, [code]);
    }
}

#[test]
fn a_box_with_its_axes_swapped_is_told() {
    let check = |code: u32, order, corners: [f64; 4]| {
        let crs = CATALOGUE.crs(code).unwrap();
        let transform = Transform::new(CATALOGUE.crs(4326).unwrap(), crs, order).unwrap();
        let region = CATALOGUE.region(crs, order, corners).unwrap();
        transform.check_units(&region).map_err(|error| error.to_string())
    };
    let (xy, authority) = (AxisOrder::Xy, AxisOrder::Authority);
    let swapped = |first, second, code, axis| {
        Err(format!(
            "box edges {first} and {second} look like y before x: in EPSG:{code}, {axis} comes first here"
        ))
    };
    for (code, order, corners, expected) in [
        (2056, xy, [1.2e6, 2.6e6, 1.21e6, 2.61e6], swapped(1_200_000, 2_600_000, 2056, "easting")),
        (32632, xy, [5.2e6, 4e5, 5.3e6, 5e5], swapped(5_200_000, 400_000, 32632, "easting")),
        (31467, authority, [3.5e6, 5.2e6, 3.6e6, 5.3e6], swapped(3_500_000, 5_200_000, 31467, "northing")),
        (31467, authority, [5.2e6, 3.5e6, 5.3e6, 3.6e6], Ok(())),
        // A continent around Switzerland, in degrees.
        (
            2056,
            xy,
            [-10.0, 35.0, 30.0, 60.0],
            Err("box edges -10 and 35 look like degrees, but EPSG:2056 has lengths: a box in degrees has to name its \
                 system, such as epsg:4326"
                .to_owned()),
        ),
        // What is elsewhere, or large, may be meant.
        (2056, xy, [2e6, 1e6, 3e6, 2e6], Ok(())),
        (2056, xy, [-1e7, -1e7, 1e7, 1e7], Ok(())),
        (2056, xy, [829_000.0, 5_930_000.0, 840_000.0, 5_940_000.0], Ok(())),
        (3857, xy, [829_000.0, 5_930_000.0, 840_000.0, 5_940_000.0], Ok(())),
        (3413, xy, [-1e6, -1e6, 1e6, 1e6], Ok(())),
    ] {
        assert_eq!(check(code, order, corners), expected, "{code} {corners:?}");
    }
}
