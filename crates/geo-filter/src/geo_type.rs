use crate::structure::Primitive;

/// What the `type` member of a GeoJSON object says (RFC 7946 §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeoType {
    Primitive(Primitive),
    GeometryCollection,
    Feature,
    FeatureCollection,
}

impl GeoType {
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"Point" => Self::Primitive(Primitive::Point),
            b"MultiPoint" => Self::Primitive(Primitive::MultiPoint),
            b"LineString" => Self::Primitive(Primitive::LineString),
            b"MultiLineString" => Self::Primitive(Primitive::MultiLineString),
            b"Polygon" => Self::Primitive(Primitive::Polygon),
            b"MultiPolygon" => Self::Primitive(Primitive::MultiPolygon),
            b"GeometryCollection" => Self::GeometryCollection,
            b"Feature" => Self::Feature,
            b"FeatureCollection" => Self::FeatureCollection,
            _ => return None,
        })
    }
}
