//! Where in the source a box of the target is.
//!
//! PROJ follows the edges of the box. That says nothing where an edge has no place in the source, nor far from where a
//! system is meant to be used: there the way back is not the way there, and far places may have the same numbers. So
//! bounds are given near the area of use, where samples come back to where they were; else there are none.

use super::operation::Operation;
use super::{AreaOfUse, CrsKind};
use crate::Bbox;

/// Where in a projected target the area is that it is meant for.
pub(super) fn home(operation: &mut Operation, area: AreaOfUse) -> Option<Bbox> {
    let AreaOfUse { west, south, east, north } = area;
    let east = if east < west { east + 360.0 } else { east };
    let mut positions = grid([west, south, east, north], GRID);
    operation.forward(&mut positions);
    positions.retain(|position| position.iter().all(|number| number.is_finite()));
    Bbox::around(&positions)
}

/// A box grown to all sides by so many times its size.
pub(super) fn grown(bbox: &Bbox, times: f64) -> Option<Bbox> {
    let [left, bottom, right, top] = bbox.to_array();
    let (x, y) = ((right - left) * times, (top - bottom) * times);
    Bbox::try_from([left - x, bottom - y, right + x, top + y]).ok()
}

/// Bounds in the source of a box of the target, x before y on both sides, as left, bottom, right, top; left may be
/// greater than right across the antimeridian. `None` where none hold.
pub(super) fn backward(operation: &mut Operation, target: [f64; 4], kind: CrsKind) -> Option<[f64; 4]> {
    let bounds = operation.bounds_backward(target)?;
    if !bounds.iter().all(|edge| edge.is_finite()) {
        return None;
    }
    let bounds = widened(bounds, kind);
    let samples = grid(target, SAMPLES);
    let mut there = samples.clone();
    operation.backward(&mut there);
    if !there.iter().all(|position| holds(bounds, *position, kind)) {
        return None;
    }
    operation.forward(&mut there);
    let [left, bottom, right, top] = target;
    let close = |a: f64, b: f64, size: f64| (a - b).abs() <= size / 100.0 + 0.01 * a.abs().max(1.0) / 1e4;
    let came_back = samples
        .iter()
        .zip(&there)
        .all(|(a, b)| close(a[0], b[0], right - left) && close(a[1], b[1], top - bottom));
    if !came_back {
        return None;
    }
    Some(if kind == CrsKind::Geographic { with_poles(operation, target, bounds) } else { bounds })
}

/// A box with a pole in it has all longitudes up to there.
fn with_poles(operation: &mut Operation, target: [f64; 4], bounds: [f64; 4]) -> [f64; 4] {
    let [mut left, mut bottom, mut right, mut top] = bounds;
    let [low, high] = [-90.0, 90.0].map(|latitude| {
        let mut pole = grid([-180.0, latitude, 180.0, latitude], GRID);
        operation.forward(&mut pole);
        let [left, bottom, right, top] = target;
        pole.iter().any(|[x, y]| left <= *x && *x <= right && bottom <= *y && *y <= top)
    });
    if low || high {
        (left, right) = (-180.0, 180.0);
    }
    if low {
        bottom = -90.0;
    }
    if high {
        top = 90.0;
    }
    [left, bottom, right, top]
}

fn holds([left, bottom, right, top]: [f64; 4], [x, y]: [f64; 2], kind: CrsKind) -> bool {
    let inside = |x: f64| left <= x && x <= right;
    let across = kind == CrsKind::Geographic
        && (inside(x + 360.0) || inside(x - 360.0) || (right < left && (left <= x || x <= right)));
    (inside(x) || across) && bottom <= y && y <= top
}

/// So many positions by as many, evenly over a box with its edges.
fn grid([left, bottom, right, top]: [f64; 4], steps: usize) -> Vec<[f64; 2]> {
    let part = |index: usize| index as f64 / (steps - 1) as f64;
    let at = |low: f64, high: f64, index: usize| {
        if index == steps - 1 { high } else { low + (high - low) * part(index) }
    };
    (0..steps)
        .flat_map(|row| (0..steps).map(move |column| (column, row)))
        .map(|(column, row)| [at(left, right, column), at(bottom, top, row)])
        .collect()
}

/// Bounds found at sampled points may miss what bulges between them. And PROJ chooses among several datum shifts
/// by place, on the way back not always the same one as on the way there: that is worth up to some hundred metres.
fn widened([left, bottom, right, top]: [f64; 4], kind: CrsKind) -> [f64; 4] {
    let (turn, least) = match kind {
        CrsKind::Geographic => (360.0, 0.01),
        CrsKind::Projected => (0.0, 1_000.0),
    };
    let width = if right < left { right + turn - left } else { right - left };
    let (x, y) = (width.abs() / 50.0 + least, (top - bottom).abs() / 50.0 + least);
    [left - x, bottom - y, right + x, top + y]
}

/// Positions along each side of an area of use.
const GRID: usize = 13;

/// Positions along each side of a box.
const SAMPLES: usize = 9;
