use std::ops::Range;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::coordinates::{self, Sink, Stop};
use crate::depth;
use crate::outline::Outline;
use crate::structure::{Part, Structure};
use crate::{Limits, Shape};

/// What one payload is, and where its coordinates are, found once when it arrives.
///
/// It holds no copy of the payload: keep the bytes beside it, and hand the same bytes in again to
/// [`rewrite`](Self::rewrite) or [`trim`](Self::trim) them.
#[derive(Debug)]
pub struct Document {
    kind: Kind,
    shape: Shape,
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
    /// Reads a payload in one pass, without building a tree.
    ///
    /// Members may come in any order, foreign members are passed over, and of members with the same name the
    /// last one counts, as with `JSON.parse`. All seven geometry types are understood, bare or in a Feature,
    /// and FeatureCollections of them. A geometry whose coordinates do not fit its type (a string, a single
    /// number, a number beyond the range of `f64`) is not GeoJSON: the document, or that member of a
    /// collection, then counts as having no geometry. A geometry collection with such an element is not
    /// GeoJSON as a whole.
    ///
    /// # Errors
    /// When the payload is JSON and passes one of the limits.
    pub fn read(payload: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        let Ok(text) = std::str::from_utf8(payload) else { return Ok(Self::without_geometry(Kind::Binary)) };
        let outline = match Outline::read(text) {
            Some(outline) => outline,
            // The outline also gives up on valid JSON: for a lone surrogate, an extreme depth, or a number
            // outside any geometry that is beyond the range of `f64`.
            None if serde_json::from_str::<IgnoredAny>(text).is_ok() => Outline::default(),
            None => return Ok(Self::without_geometry(Kind::Text)),
        };
        let mut builder = Builder { limit: limits.vertices, ..Builder::new(text) };
        builder.structure.collection = outline.collection;
        let mut failure = None;
        for member in &outline.members {
            let geometries = outline.geometries.get(member.clone()).unwrap_or_default();
            match builder.member(geometries) {
                Ok(()) => {}
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        // Coordinates nest at most four deep, so their brackets need not be looked at again.
        if depth::openings(payload).saturating_sub(builder.openings) > limits.depth.saturating_sub(4)
            && depth::exceeds(payload, limits.depth)
        {
            return Err(ReadError::TooDeep { limit: limits.depth });
        }
        match failure {
            Some(error) => Err(error),
            None if builder.positions.is_empty() => Ok(Self::without_geometry(Kind::Json)),
            None => {
                let shape = Shape::new(Arc::new(builder.structure), builder.positions);
                Ok(Self { kind: Kind::Geographic, shape })
            }
        }
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

    /// Whether it is a FeatureCollection with at least one position.
    #[must_use]
    pub fn is_collection(&self) -> bool {
        self.shape.structure().collection
    }

    fn without_geometry(kind: Kind) -> Self {
        Self { kind, shape: Shape::new(Arc::default(), Vec::new()) }
    }
}

/// Why a payload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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

struct Builder<'a> {
    text: &'a str,
    limit: usize,
    structure: Structure,
    positions: Vec<[f64; 2]>,
    /// How many arrays the walked coordinates consist of.
    openings: usize,
    part: PartStart,
}

/// Where the part that is being walked began.
#[derive(Clone, Copy, Default)]
struct PartStart {
    level: u8,
    positions: usize,
    lines: usize,
    polygons: usize,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            limit: 0,
            structure: Structure::default(),
            positions: Vec::new(),
            openings: 0,
            part: PartStart::default(),
        }
    }

    /// Adds one member; if one of its geometries is malformed, a member without geometry.
    fn member(&mut self, geometries: &[(crate::structure::Primitive, &RawValue)]) -> Result<(), ReadError> {
        let first = self.structure.parts.len();
        let start = self.start(0);
        for (primitive, coordinates) in geometries {
            // A raw value is a slice of the text it was read from: the distance of the two is its place.
            let byte = coordinates.get().as_ptr() as usize - self.text.as_ptr() as usize;
            self.part = self.start(primitive.level());
            match coordinates::walk(self.text.as_bytes(), byte, primitive.level(), self) {
                Ok(()) => {}
                Err(Stop::TooMany) => return Err(ReadError::TooManyVertices { limit: self.limit }),
                Err(Stop::Malformed) => {
                    self.structure.parts.truncate(first);
                    self.positions.truncate(start.positions);
                    self.structure.lines.truncate(start.lines);
                    self.structure.polygons.truncate(start.polygons);
                    break;
                }
            }
            let PartStart { positions, lines, polygons, .. } = self.part;
            self.structure.parts.push(Part {
                primitive: *primitive,
                byte,
                positions: positions..self.positions.len(),
                lines: lines..self.structure.lines.len(),
                polygons: polygons..self.structure.polygons.len(),
            });
        }
        if self.positions.len() == start.positions {
            self.structure.parts.truncate(first);
            self.structure.lines.truncate(start.lines);
            self.structure.polygons.truncate(start.polygons);
        }
        self.structure.bare |= first == self.structure.parts.len();
        self.structure.members.push(first..self.structure.parts.len());
        Ok(())
    }

    fn start(&self, level: u8) -> PartStart {
        PartStart {
            level,
            positions: self.positions.len(),
            lines: self.structure.lines.len(),
            polygons: self.structure.polygons.len(),
        }
    }

    fn number(&self, range: Range<usize>) -> Result<f64, Stop> {
        self.text
            .get(range)
            .and_then(|token| token.parse().ok())
            .filter(|number: &f64| number.is_finite())
            .ok_or(Stop::Malformed)
    }
}

impl Sink for Builder<'_> {
    fn position(&mut self, x: Range<usize>, y: Range<usize>) -> Result<(), Stop> {
        if self.positions.len() == self.limit {
            return Err(Stop::TooMany);
        }
        let position = [self.number(x)?, self.number(y)?];
        self.positions.push(position);
        self.openings += 1;
        Ok(())
    }

    fn end(&mut self, level: u8) {
        self.openings += 1;
        // The lines of a line string or multi-point are its positions: nothing divides them.
        match (self.part.level, level) {
            (2 | 3, 1) => self.structure.lines.push(self.positions.len()),
            (3, 2) => self.structure.polygons.push(self.structure.lines.len()),
            _ => {}
        }
    }
}
