use serde_json::Value;

use crate::{
    geocast::{Running, code, run, stderr, stdout, wait_until},
    redis_server::RedisServer,
};

/// The coordinates of each line, which must be a feature.
fn coordinates(lines: &str) -> Vec<(f64, f64)> {
    let point = |line: &str| {
        let feature: Value = serde_json::from_str(line).expect("each line is JSON");
        assert_eq!(feature["type"], "Feature");
        let number = |index: usize| feature["geometry"]["coordinates"][index].as_f64().expect("a coordinate");
        (number(0), number(1))
    };
    lines.lines().map(point).collect()
}

#[test]
fn the_demo_moves_and_sub_shows_five_in_the_box() {
    let demo = Running::server(&["demo", "--port", "0"]);
    // Called by a path, as it is where it was built.
    let program = env!("CARGO_BIN_EXE_geocast");
    for command in ["sub vehicles --bbox 5.9,45.8,10.5,47.8 --count 5", "get vehicles rail-1", "top"] {
        demo.wait_for(&format!("\n  {program} {command} --url {}", demo.url()));
    }
    let url = demo.url();
    let sub = |more: &[&str]| {
        let arguments = ["sub", "vehicles", "--timeout", "60s", "--url", &url];
        let output = run(&[&arguments, more].concat());
        assert_eq!(code(&output), 0, "{more:?}: {}", stderr(&output));
        coordinates(&stdout(&output))
    };
    let found = sub(&["--bbox", "5.9,45.8,10.5,47.8", "--count", "5"]);
    assert_eq!(found.len(), 5);
    assert!(found.iter().all(|(x, y)| (5.9..=10.5).contains(x) && (45.8..=47.8).contains(y)), "{found:?}");

    let found = sub(&["--bbox", "8.3,47.2,8.8,47.6", "--count", "5"]);
    assert!(found.iter().all(|(x, y)| (8.3..=8.8).contains(x) && (47.2..=47.6).contains(y)), "{found:?}");

    let found = sub(&["--bbox", "5.9,45.8,10.5,47.8", "--count", "5", "--projection", "epsg:3857"]);
    assert_eq!(found.len(), 5);
    // The corners in metres, by the formulas of spherical Mercator.
    let (x_range, y_range) = (656_785.0..=1_168_855.0, 5_749_100.0..=6_075_900.0);
    assert!(found.iter().all(|(x, y)| x_range.contains(x) && y_range.contains(y)), "{found:?}");

    // The box of Zürich above, in Swiss coordinates (EPSG:2056).
    let found =
        sub(&["--bbox", "2664000,1230000,2702000,1274000", "--bbox-crs", "epsg:2056", "--count", "5"]);
    assert!(found.iter().all(|(x, y)| (8.2..=8.9).contains(x) && (47.1..=47.7).contains(y)), "{found:?}");

    let state = run(&["get", "vehicles", "--url", &url]);
    assert_eq!(coordinates(&stdout(&state)).len(), 300);
}

#[test]
fn the_demo_works_with_redis_and_leaves_nothing_behind() {
    let redis = RedisServer::start(&[]);
    let redis_url = redis.url();
    let mut demo = Running::server(&["demo", "--port", "0", "--vehicles", "20", "--redis", &redis_url]);
    wait_until(|| redis.cli(&["HLEN", "vehicles"]) == "20", || "the hash does not fill".to_owned());
    let output = run(&["sub", "vehicles", "--count", "3", "--timeout", "60s", "--url", &demo.url()]);
    assert_eq!((code(&output), coordinates(&stdout(&output)).len()), (0, 3), "{}", stderr(&output));
    demo.signal("TERM");
    assert_eq!(demo.code(), 0);
    assert_eq!(redis.cli(&["EXISTS", "vehicles"]), "0");
}
