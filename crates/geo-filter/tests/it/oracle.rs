//! Whether a geometry has a point in a closed box, decided the plain way: over the parsed document, with no
//! library. Coordinates are small multiples of a quarter, so that all products are exact.

use serde_json::Value;

type Point = [f64; 2];

pub(crate) fn document_hits(json: &str, edges: [f64; 4]) -> bool {
    hits(&json.parse().unwrap(), edges)
}

pub(crate) fn hits(value: &Value, edges: [f64; 4]) -> bool {
    let list = |key: &str| value[key].as_array().unwrap().iter();
    let coordinates = &value["coordinates"];
    match value["type"].as_str().unwrap() {
        "FeatureCollection" => list("features").any(|feature| hits(feature, edges)),
        "Feature" => hits(&value["geometry"], edges),
        "GeometryCollection" => list("geometries").any(|geometry| hits(geometry, edges)),
        "Point" => inside(point(coordinates), edges),
        "MultiPoint" => points(coordinates).into_iter().any(|p| inside(p, edges)),
        "LineString" => line_hits(&points(coordinates), edges),
        "MultiLineString" => list("coordinates").any(|line| line_hits(&points(line), edges)),
        "Polygon" => polygon_hits(coordinates, edges),
        "MultiPolygon" => list("coordinates").any(|polygon| polygon_hits(polygon, edges)),
        other => panic!("{other}"),
    }
}

fn point(value: &Value) -> Point {
    [value[0].as_f64().unwrap(), value[1].as_f64().unwrap()]
}

fn points(value: &Value) -> Vec<Point> {
    value.as_array().unwrap().iter().map(point).collect()
}

fn inside([x, y]: Point, [left, bottom, right, top]: [f64; 4]) -> bool {
    left <= x && x <= right && bottom <= y && y <= top
}

fn line_hits(line: &[Point], edges: [f64; 4]) -> bool {
    line.iter().any(|&p| inside(p, edges))
        || line.windows(2).any(|pair| segment_hits(pair[0], pair[1], edges))
}

/// A segment misses a box if they are apart in x, apart in y, or all corners lie strictly on one side of it.
fn segment_hits(a: Point, b: Point, [left, bottom, right, top]: [f64; 4]) -> bool {
    if a[0].max(b[0]) < left || a[0].min(b[0]) > right || a[1].max(b[1]) < bottom || a[1].min(b[1]) > top {
        return false;
    }
    let side = |c: Point| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let sides = [[left, bottom], [right, bottom], [right, top], [left, top]].map(side);
    !(sides.iter().all(|side| *side > 0.0) || sides.iter().all(|side| *side < 0.0))
}

/// The boundary meets the box, or a corner of the box lies in the polygon: within the outer ring and in no hole.
fn polygon_hits(rings: &Value, edges: [f64; 4]) -> bool {
    let rings: Vec<Vec<Point>> = rings.as_array().unwrap().iter().map(points).collect();
    if rings.iter().any(|ring| line_hits(ring, edges)) {
        return true;
    }
    let corner = [edges[0], edges[1]];
    encloses(&rings[0], corner) && !rings[1..].iter().any(|hole| encloses(hole, corner))
}

/// Counts how often a ray to the right crosses the ring. The corner is not on the ring, as that was tested.
fn encloses(ring: &[Point], [x, y]: Point) -> bool {
    let crossings = ring.windows(2).filter(|pair| {
        let [a, b] = [pair[0], pair[1]];
        (a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
    });
    crossings.count() % 2 == 1
}
