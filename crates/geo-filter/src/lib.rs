//! Which GeoJSON is in which part of the world, decided from the bytes as they came.

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

mod coordinates;
mod depth;
mod elements;
mod geometry;
mod key;
mod outline;
mod rewrite;
mod structure;
