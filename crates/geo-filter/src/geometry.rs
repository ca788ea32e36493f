use geo::{Coord, Geometry, Intersects, LineString, MultiLineString, MultiPolygon, Polygon, Rect};

use crate::Bbox;
use crate::structure::{Part, Primitive, Structure};

/// Whether a geometry of this type can have a point in a box without having a vertex in it.
pub(crate) fn can_cross(part: &Part) -> bool {
    !matches!(part.primitive, Primitive::Point | Primitive::MultiPoint) && part.positions.len() > 1
}

/// The geometry that geo's algorithms take.
pub(crate) fn build(structure: &Structure, part: &Part, positions: &[[f64; 2]]) -> Geometry<f64> {
    let mut lines = structure
        .lines_of(part)
        .map(|range| line(positions.get(range).unwrap_or_default()))
        .collect::<Vec<_>>()
        .into_iter();
    match part.primitive {
        Primitive::Polygon => Geometry::Polygon(polygon(&mut lines)),
        Primitive::MultiPolygon => Geometry::MultiPolygon(MultiPolygon(
            structure.rings_of(part).map(|rings| polygon(&mut lines.by_ref().take(rings))).collect(),
        )),
        Primitive::MultiLineString => Geometry::MultiLineString(MultiLineString(lines.collect())),
        Primitive::LineString | Primitive::Point | Primitive::MultiPoint => {
            Geometry::LineString(line(positions.get(part.positions.clone()).unwrap_or_default()))
        }
    }
}

/// Whether the two have a point in common, edges included.
pub(crate) fn intersects(geometry: &Geometry<f64>, bbox: &Bbox) -> bool {
    let [min_x, min_y, max_x, max_y] = bbox.to_array();
    geometry.intersects(&Rect::new(Coord { x: min_x, y: min_y }, Coord { x: max_x, y: max_y }))
}

fn polygon(rings: &mut impl Iterator<Item = LineString<f64>>) -> Polygon<f64> {
    let exterior = rings.next().unwrap_or_else(|| LineString(Vec::new()));
    Polygon::new(exterior, rings.collect())
}

fn line(positions: &[[f64; 2]]) -> LineString<f64> {
    positions.iter().map(|&[x, y]| Coord { x, y }).collect()
}
