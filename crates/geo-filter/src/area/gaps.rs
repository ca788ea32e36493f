use super::{
    AreaError,
    edge::{Edge, Meeting, Side},
    edges::{Edges, Piece},
    effort::Effort,
};

/// A point in each part of the plane that polygons enclose without having it: in each hole, and between polygons.
///
/// With these, whatever has its boundary in the polygons is judged: all of it is in them if it has none of these points.
pub(super) fn find(edges: &Edges) -> Result<Vec<[f64; 2]>, AreaError> {
    let mut gaps = Vec::new();
    for edge in edges.iter() {
        let mut failed = None;
        edges.all_pieces(edge.from, edge.to, &Effort::endless(), |piece| {
            if has_outside(edges, edge, piece) {
                match beside(edges, edge, piece) {
                    Some(point) if is_enclosed(edges, point) => gaps.push(point),
                    Some(_) => {}
                    None => failed = Some(piece.middle),
                }
            }
            failed.is_none()
        });
        if let Some([x, y]) = failed {
            return Err(AreaError::TooThin { x, y });
        }
    }
    Ok(gaps)
}

/// Whether on the right of a piece of an edge there is no polygon.
fn has_outside(edges: &Edges, edge: &Edge, piece: &Piece<'_>) -> bool {
    let along: Vec<(usize, bool)> =
        piece.along().map(|(other, same_way)| (other.polygon, same_way)).collect();
    if along.iter().any(|(_, same_way)| !same_way) {
        return false;
    }
    let is_known = |polygon| polygon == edge.polygon || along.iter().any(|(other, _)| *other == polygon);
    !edges.contains_apart_from(piece.middle, is_known, &Effort::endless())
}

/// A point so near to the right of a piece that nothing is in between.
fn beside(edges: &Edges, edge: &Edge, piece: &Piece<'_>) -> Option<[f64; 2]> {
    let [x, y] = piece.middle;
    let ([x0, y0], [x1, y1]) = (edge.from, edge.to);
    let share = piece.high - piece.low;
    // As far as the piece is long, to begin with.
    let (mut right, mut up) = ((y1 - y0) * share, (x0 - x1) * share);
    for _ in 0..HALVINGS {
        let point = [x + right, y + up];
        let is_free = edge.side(point) == Side::Right
            && !edges.contains(point, &Effort::endless())
            && edges.near(piece.middle, point, &Effort::endless()).all(|other| {
                let is_along = other.side(edge.from) == Side::On && other.side(edge.to) == Side::On;
                is_along || other.meets(piece.middle, point) == Meeting::Nowhere
            });
        if is_free {
            return Some(point);
        }
        (right, up) = (right / 2.0, up / 2.0);
    }
    None
}

/// Whether in all four directions an edge is in the way.
fn is_enclosed(edges: &Edges, point: [f64; 2]) -> bool {
    let [x, y] = point;
    [[f64::MAX, y], [f64::MIN, y], [x, f64::MAX], [x, f64::MIN]]
        .into_iter()
        .all(|end| edges.near(point, end, &Effort::endless()).next().is_some())
}

/// After so many the distance is below what numbers of this size can tell apart.
const HALVINGS: usize = 60;
