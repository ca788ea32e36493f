//! Random geometry on a small grid, so that boxes and geometries touch in every possible way.

use proptest::prelude::*;

/// A coordinate on half units, between -4 and 4, so that edges, corners and covers happen often.
fn coordinate() -> impl Strategy<Value = f64> {
    (-8_i32..=8).prop_map(|half| f64::from(half) / 2.0)
}

pub(crate) fn bbox() -> impl Strategy<Value = [f64; 4]> {
    [coordinate(), coordinate(), coordinate(), coordinate()]
        .prop_map(|[a, b, c, d]| [a.min(c), b.min(d), a.max(c), b.max(d)])
}

pub(crate) fn position() -> impl Strategy<Value = [f64; 2]> {
    [coordinate(), coordinate()]
}

fn line() -> impl Strategy<Value = Vec<[f64; 2]>> {
    prop::collection::vec(position(), 1..6)
}

/// A closed ring that does not cross itself: a star around a centre.
fn ring() -> impl Strategy<Value = Vec<[f64; 2]>> {
    (position(), prop::collection::vec(1_u8..8, 3..9)).prop_map(|([x, y], radii)| {
        let count = radii.len() as f64;
        let mut ring: Vec<[f64; 2]> = radii
            .iter()
            .enumerate()
            .map(|(index, radius)| {
                let angle = index as f64 / count * std::f64::consts::TAU;
                let radius = f64::from(*radius) / 2.0;
                // Cut to quarters, so that the text is short and edges still meet the grid.
                let quarter = |number: f64| (number * 4.0).round() / 4.0;
                [quarter(x + radius * angle.cos()), quarter(y + radius * angle.sin())]
            })
            .collect();
        ring.push(ring[0]);
        ring
    })
}

/// A polygon, possibly with a rectangular hole that lies inside by construction.
pub(crate) fn polygon() -> impl Strategy<Value = Vec<Vec<[f64; 2]>>> {
    let holed = (position(), 2_u8..8, 1_u8..4).prop_map(|([x, y], half, inset)| {
        let square =
            |r: f64| vec![[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r], [x - r, y - r]];
        let outer = f64::from(half) / 2.0;
        let inner = (outer - f64::from(inset) / 2.0).max(0.25);
        vec![square(outer), square(inner)]
    });
    prop_oneof![ring().prop_map(|ring| vec![ring]), holed]
}

fn text<T: std::fmt::Debug>(coordinates: &T) -> String {
    // Rust prints 1.0 where the rewriter prints 1.
    format!("{coordinates:?}")
        .replace(".0,", ",")
        .replace(".0]", "]")
        .replace("-0,", "0,")
        .replace("-0]", "0]")
}

pub(crate) fn geometry() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        position().prop_map(|c| format!(r#"{{"type":"Point","coordinates":{}}}"#, text(&c))),
        line().prop_map(|c| format!(r#"{{"type":"MultiPoint","coordinates":{}}}"#, text(&c))),
        line().prop_map(|c| format!(r#"{{"coordinates":{},"type":"LineString"}}"#, text(&c))),
        prop::collection::vec(line(), 1..4)
            .prop_map(|c| format!(r#"{{"type":"MultiLineString","coordinates":{}}}"#, text(&c))),
        polygon().prop_map(|c| format!(r#"{{"type":"Polygon","coordinates":{}}}"#, text(&c))),
        prop::collection::vec(polygon(), 1..3)
            .prop_map(|c| format!(r#"{{"coordinates":{},"type":"MultiPolygon"}}"#, text(&c))),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop::collection::vec(inner, 1..4)
            .prop_map(|all| format!(r#"{{"type":"GeometryCollection","geometries":[{}]}}"#, all.join(", ")))
    })
}

fn feature() -> impl Strategy<Value = String> {
    (geometry(), any::<u16>()).prop_map(|(geometry, id)| {
        format!(r#"{{"type":"Feature","id":{id},"geometry":{geometry},"properties":{{"big":{id}.10}}}}"#)
    })
}

pub(crate) fn document() -> impl Strategy<Value = String> {
    prop_oneof![
        geometry(),
        feature(),
        prop::collection::vec(feature(), 1..5)
            .prop_map(|all| format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, all.join(" ,"))),
    ]
}
