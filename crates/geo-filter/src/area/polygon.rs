use super::{
    AreaError,
    edge::{Edge, Meeting},
    edges::Edges,
    effort::Effort,
};

/// The edges of one polygon, which lies on the left of each of them, once it is known to be one: its rings do not cross,
/// and its holes are in it, beside each other.
pub(super) fn edges(rings: &[Vec<[f64; 2]>], polygon: usize) -> Result<Vec<Edge>, AreaError> {
    let rings: Vec<Vec<Edge>> = rings
        .iter()
        .enumerate()
        .map(|(index, ring)| {
            let mut ring = clean(ring)?;
            if is_counterclockwise(&ring) != (index == 0) {
                ring.reverse();
            }
            Ok(ring.windows(2).map(|ends| Edge { from: ends[0], to: ends[1], polygon }).collect())
        })
        .collect::<Result<_, AreaError>>()?;
    check_crossings(&rings)?;
    check_holes(&rings)?;
    if rings.is_empty() {
        return Err(AreaError::NoRing { count: 0 });
    }
    Ok(rings.concat())
}

/// A closed ring without repeated positions, all of which are somewhere.
fn clean(ring: &[[f64; 2]]) -> Result<Vec<[f64; 2]>, AreaError> {
    for &[x, y] in ring {
        // What is not a number is in no range.
        if !(-FURTHEST..=FURTHEST).contains(&x) || !(-90.0..=90.0).contains(&y) {
            return Err(AreaError::NoPosition { x, y });
        }
    }
    if let (Some(&[x, y]), Some(last)) = (ring.first(), ring.last())
        && *last != [x, y]
    {
        return Err(AreaError::Open { x, y });
    }
    let mut ring = ring.to_vec();
    ring.dedup();
    for ends in ring.windows(2) {
        let (from, to) = (ends[0][0], ends[1][0]);
        if (to - from).abs() > LONGEST {
            return Err(AreaError::TooLong { from, to });
        }
    }
    let different = ring.len().saturating_sub(1);
    if different < 3 { Err(AreaError::NoRing { count: different }) } else { Ok(ring) }
}

/// Twice the area has this sign, or the ring crosses itself, which is seen to elsewhere.
fn is_counterclockwise(ring: &[[f64; 2]]) -> bool {
    // Around the lowest of the leftmost positions, the turn is that of the ring, and it can be told exactly.
    let open = ring.get(1..).unwrap_or_default();
    let corner = (0..open.len()).min_by(|&a, &b| {
        let ([ax, ay], [bx, by]) = (open[a], open[b]);
        ax.total_cmp(&bx).then(ay.total_cmp(&by))
    });
    let Some(corner) = corner else { return true };
    let before = open[(corner + open.len() - 1) % open.len()];
    let after = open[(corner + 1) % open.len()];
    Edge { from: before, to: open[corner], polygon: 0 }.side(after) == super::edge::Side::Left
}

fn check_crossings(rings: &[Vec<Edge>]) -> Result<(), AreaError> {
    let effort = Effort::endless();
    // Here, the polygon of an edge stands for its place among all.
    let all: Vec<Edge> = rings.iter().flatten().copied().collect();
    let numbered = all.iter().enumerate().map(|(place, edge)| Edge { polygon: place, ..*edge });
    let tree = Edges::new(numbered.collect());
    let mut start = 0;
    for ring in rings {
        let end = start + ring.len();
        for (place, edge) in all.iter().enumerate().take(end).skip(start) {
            for other in tree.near(edge.from, edge.to, &effort).filter(|other| other.polygon > place) {
                let in_ring = other.polygon < end;
                let follows =
                    in_ring && (other.polygon == place + 1 || place + ring.len() == other.polygon + 1);
                let fault = match other.meets(edge.from, edge.to) {
                    Meeting::Nowhere => false,
                    Meeting::Along { .. } => true,
                    Meeting::At(_) if in_ring => !follows,
                    // Rings may touch, at an end of an edge.
                    Meeting::At(_) => {
                        ![edge.from, edge.to].iter().any(|end| other.holds(*end))
                            && ![other.from, other.to].iter().any(|end| edge.holds(*end))
                    }
                };
                if fault {
                    let [x, y] = other.from;
                    return Err(AreaError::Crossing { x, y });
                }
            }
        }
        start = end;
    }
    Ok(())
}

fn check_holes(rings: &[Vec<Edge>]) -> Result<(), AreaError> {
    let Some((exterior, holes)) = rings.split_first() else { return Ok(()) };
    if holes.is_empty() {
        return Ok(());
    }
    let (exterior, effort) = (Edges::new(exterior.clone()), Effort::endless());
    let trees: Vec<Edges> = holes.iter().map(|hole| Edges::new(hole.clone())).collect();
    for (place, hole) in holes.iter().enumerate() {
        let is_within = hole.iter().all(|edge| {
            exterior.contains(edge.from, &effort) && exterior.covers(edge.from, edge.to, &effort)
        });
        let others = trees.iter().enumerate().filter(|(other, _)| *other != place);
        let is_apart = others
            .into_iter()
            .all(|(_, other)| !hole.iter().any(|edge| other.is_entered(edge.from, edge.to, &effort)));
        if !(is_within && is_apart)
            && let Some(Edge { from: [x, y], .. }) = hole.first()
        {
            return Err(AreaError::Misplaced { x: *x, y: *y });
        }
    }
    Ok(())
}

/// Longitudes go as far as a polygon across the antimeridian may need.
pub(super) const FURTHEST: f64 = 360.0;

/// Degrees of longitude of the longest edge. One that is longer may be meant the other way around.
const LONGEST: f64 = 180.0;
