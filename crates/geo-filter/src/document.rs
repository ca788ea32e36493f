use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::builder::Builder;
use crate::coordinates::Stop;
use crate::outline::Outline;
use crate::{Limits, Shape, depth, reader};

/// What one payload is, and where its coordinates are, found once when it arrives.
///
/// It holds no copy of the payload: keep the bytes beside it, and hand the same bytes in again to
/// [`rewrite`](Self::rewrite) or [`trim`](Self::trim) them.
#[derive(Clone, Debug)]
pub struct Document {
    kind: Kind,
    shape: Shape,
    is_usual: bool,
}

/// What a payload is, as far as a viewport is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// GeoJSON (RFC 7946) with at least one position.
    Geographic,
    /// JSON that no viewport can judge: not GeoJSON at all, of an unknown type, or without a position
    /// (`"geometry": null`, an empty collection, empty `coordinates`, coordinates that are malformed).
    Json,
    /// Text that is not JSON. A byte order mark before JSON makes it text, as it does for `JSON.parse`.
    Text,
    /// Bytes that are not UTF-8.
    Binary,
}

impl Document {
    /// Reads a payload, the usual document in one pass, and never building a tree.
    ///
    /// Members may come in any order, foreign members are passed over, and of members with the same name the
    /// last one counts, as with `JSON.parse`. All seven geometry types are understood, bare or in a Feature,
    /// and FeatureCollections of them. A geometry whose coordinates do not fit its type (a string, a single
    /// number) is not GeoJSON: the document, or that member of a collection, then counts as having no geometry.
    /// A geometry collection with such an element is not GeoJSON as a whole. A coordinate beyond the range of
    /// `f64`, such as `1e999`, [withholds](Shape::withheld) its member from every viewport and projection.
    ///
    /// # Errors
    /// When the payload is JSON and passes one of the limits.
    pub fn read(payload: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        let Ok(text) = std::str::from_utf8(payload) else { return Ok(Self::without_geometry(Kind::Binary)) };
        let (builder, is_usual) = match reader::read(text, limits) {
            Some(builder) => (builder, true),
            None => match read_carefully(text, limits)? {
                Some(builder) => (builder, false),
                None => return Ok(Self::without_geometry(Kind::Text)),
            },
        };
        if builder.positions.is_empty() && !builder.structure.collection {
            return Ok(Self::without_geometry(Kind::Json));
        }
        let kind = if builder.positions.is_empty() { Kind::Json } else { Kind::Geographic };
        let shape = Shape::new(Arc::new(builder.structure), builder.positions);
        Ok(Self { kind, shape, is_usual })
    }

    /// What the payload is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The coordinates in the coordinate system the payload came in. Without any, unless
    /// [`kind`](Self::kind) is [`Kind::Geographic`].
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The same document at the positions of a shape, of which there must be as many; else it stays as it is. For a
    /// payload whose numbers were rounded when they were written, and the shape that they were rounded from.
    #[must_use]
    pub fn at(self, shape: &Shape) -> Self {
        if shape.positions().len() != self.shape.positions().len() {
            return self;
        }
        Self { shape: self.shape.with_positions(shape.positions().to_vec()), ..self }
    }

    /// Whether it is a FeatureCollection.
    #[must_use]
    pub fn is_collection(&self) -> bool {
        self.shape.structure().collection
    }

    /// Whether all of its geometry is in its [`shape`](Self::shape): no member that can hold geometry occurs twice in one
    /// object, and no geometry stands where the type of its object asks for none, or is malformed. False for
    /// what is no collection and has no position. Foreign members and properties (RFC 7946 §6.1, §3.2) are not looked into.
    #[must_use]
    pub const fn is_usual(&self) -> bool {
        self.is_usual
    }

    fn without_geometry(kind: Kind) -> Self {
        Self { kind, shape: Shape::new(Arc::default(), Vec::new()), is_usual: false }
    }
}

/// Why a payload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Arrays and objects nest too deeply.
    #[error("JSON nests deeper than {limit}")]
    TooDeep {
        /// [`Limits::depth`].
        limit: usize,
    },
    /// There are too many positions.
    #[error("geometry has more than {limit} vertices")]
    TooManyVertices {
        /// [`Limits::vertices`].
        limit: usize,
    },
}

/// Reads any text, in several passes. `None` when it is not JSON.
pub(crate) fn read_carefully<'a>(text: &'a str, limits: &Limits) -> Result<Option<Builder<'a>>, ReadError> {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Ok(None);
    }
    // The outline also gives up on valid JSON: for a lone surrogate where an object is expected, an extreme depth, or a
    // number outside any geometry that is beyond the range of `f64`.
    let outline = Outline::read(text).unwrap_or_default();
    if depth::exceeds(text.as_bytes(), limits.depth) {
        return Err(ReadError::TooDeep { limit: limits.depth });
    }
    let mut builder = Builder::new(text, limits.vertices);
    builder.structure.collection = outline.collection;
    for member in &outline.members {
        let mark = builder.mark();
        for (primitive, coordinates) in outline.geometries.get(member.clone()).unwrap_or_default() {
            // A raw value is a slice of the text it was read from: the distance of the two is its place.
            let byte = coordinates.get().as_ptr() as usize - text.as_ptr() as usize;
            match builder.part(*primitive, byte) {
                Ok(_) => {}
                Err(Stop::TooMany) => return Err(ReadError::TooManyVertices { limit: limits.vertices }),
                Err(Stop::Malformed) => {
                    builder.rewind(mark);
                    break;
                }
            }
        }
        builder.member(mark);
    }
    Ok(Some(builder))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::fuzzing::both_ways_agree;

    /// Pieces of documents, usual and odd.
    const PIECES: &[&str] = &[
        "{\"type\":\"Feature\",\"geometry\":",
        "{\"geometry\":",
        "}",
        "]",
        ",\"type\":\"Feature\"}",
        "{\"type\":\"FeatureCollection\",\"features\":[",
        "]}",
        ",",
        "{\"type\":\"Point\",\"coordinates\":[1,2]}",
        "{\"coordinates\":[[3,4],[5,6]],\"type\":\"LineString\"}",
        "{\"coordinates\":[[7,8]],\"type\":\"Polygon\"}",
        "{\"type\":\"GeometryCollection\",\"geometries\":[",
        "{\"geometries\":[",
        ",\"type\":\"GeometryCollection\"",
        "{\"type\":\"Topology\",\"geometries\":[",
        "null",
        "5",
        "{}",
        "[]",
        ",\"coordinates\":[9,9]",
        ",\"type\":\"Point\"",
        ",\"features\":[]",
        ",\"geometry\":null",
        "{\"type\":\"MultiPoint\",\"coordinates\":[]}",
        ",\"properties\":{\"a\":[1]}",
        "{\"type\":\"Feature\"}",
        ",\"geometries\":[]",
    ];

    #[test]
    fn usual_documents_are_read_in_one_pass() {
        for text in [
            r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"a":"\u00e9"}}"#,
            r#"{"geometry":{"coordinates":[1,2],"type":"Point"},"type":"Feature"}"#,
            r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null}]}"#,
            r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}"#,
            r#"{"content":{"type":"Feature"},"n":[1,2,{"x":null}]}"#,
            "7",
        ] {
            assert!(both_ways_agree(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 50_000 }, ..ProptestConfig::default() })]

        #[test]
        fn both_ways_of_reading_agree(pieces in prop::collection::vec(prop::sample::select(PIECES), 1..12)) {
            both_ways_agree(&pieces.concat());
        }
    }
}
