//! Which GeoJSON is in which part of the world, decided from the bytes as they came.
//!
//! A payload becomes a [`Document`] once. Its [`Shape`] is the coordinates in one coordinate system: it is tested
//! against a [`Bbox`], projected, and written back into the payload with every other byte as it was. If you want to
//! work with geometry rather than route it, use the crates `geojson` and `geo`.
//!
//! ```
//! use geocast_geo_filter::{Bbox, Document, Limits};
//!
//! let document = Document::read(br#"{"type":"Point","coordinates":[7.45,46.95]}"#, &Limits::default())?;
//! assert!(document.shape().intersects(&Bbox::try_from([5.9, 45.8, 10.5, 47.8])?));
//! assert!(!document.shape().intersects(&Bbox::try_from([8.0, 45.8, 10.5, 47.8])?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`ViewportIndex`] finds who looks at a point or an extent, at no cost for those who look elsewhere.
//!
//! The feature `proj` adds reprojection by PROJ: the known coordinate systems, transformations between them, and a
//! bounded cache of those. The README has the rules and the layout.

#![cfg_attr(not(feature = "proj"), forbid(unsafe_code))]

mod bbox;
pub use bbox::{Bbox, BboxError};

mod region;
pub use region::{Region, RegionError};

mod limits;
pub use limits::Limits;

mod document;
pub use document::{Document, Kind, ReadError};

mod shape;
pub use shape::Shape;

mod area;
pub use area::{Area, AreaError};

mod index;
pub use index::ViewportIndex;

mod properties;
pub use properties::Properties;

mod decimals;
pub use decimals::{Decimals, DecimalsError};

mod map_length;
pub use map_length::{MapLength, MapLengthError};

mod write;
pub use write::Writing;

#[cfg(feature = "proj")]
mod projection;
#[cfg(feature = "proj")]
pub use projection::{
    AreaOfUse, AxisOrder, Catalogue, CatalogueError, CrsInfo, CrsKind, KnownCrs, RegionIndex, Transform,
    TransformError, Transforms,
};

mod builder;
mod coordinates;
mod copy;
mod cut;
mod depth;
mod elements;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod geo_type;
mod geometry;
mod ground;
mod key;
mod lexer;
mod number;
mod outline;
mod reader;
mod reduce;
mod rewrite;
mod simplify;
#[cfg(test)]
#[path = "../../../fuzz/smoke.rs"]
mod smoke;
mod still;
mod structure;
#[cfg(test)]
mod traits;
mod world;

/// The README's examples, as tests.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
