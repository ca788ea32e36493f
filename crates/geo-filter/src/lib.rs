//! Which GeoJSON is in which part of the world, decided from the bytes as they came.

#![cfg_attr(not(feature = "proj"), forbid(unsafe_code))]

mod bbox;
pub use bbox::{Bbox, BboxError};

mod limits;
pub use limits::Limits;

mod document;
pub use document::{Document, Kind, ReadError};

mod shape;
pub use shape::Shape;

mod decimals;
pub use decimals::{Decimals, DecimalsError};

#[cfg(feature = "proj")]
mod projection;
#[cfg(feature = "proj")]
pub use projection::{
    AreaOfUse, AxisOrder, Catalogue, CatalogueError, CrsInfo, CrsKind, KnownCrs, Transform, TransformError,
    Transforms,
};

mod coordinates;
mod depth;
mod elements;
mod geometry;
mod key;
mod outline;
mod rewrite;
mod structure;
