//! Which GeoJSON is in which part of the world, decided from the bytes as they came.
//!
//! A payload becomes a [`Document`] once. Its [`Shape`] is the coordinates in one coordinate system: it is tested
//! against a [`Region`], projected, and written back into the payload with every other byte as it was. If you want to
//! work with geometry rather than route it, use the crates `geojson` and `geo`.
//!
//! # Which type for what
//!
//! | To | take |
//! |---|---|
//! | read a payload, whatever it is, within [`Limits`] | [`Document::read`]; [`Document::kind`] says what it is |
//! | ask whether it is in a view that a client sent, in degrees | [`Region::from_degrees`] and [`Shape::is_in`] |
//! | ask which features of a collection are | [`Shape::members_in`] |
//! | ask whether all of it is in polygons, not only a part of it in a box | [`Area`] |
//! | find who looks at it, of many | [`ViewportIndex`] with [`Region::boxes`], asked for [`Shape::whereabouts`] |
//! | ask whether it has moved enough to tell | [`Shape::is_still_at`] with a [`MapLength`] |
//! | send some of its features, or fewer decimals, or simpler lines | [`Document::write`] with a [`Writing`] and [`Decimals`] |
//! | send some of its properties, or ask for their values | [`Document::reduce`], [`Document::properties`] |
//! | compare boxes yourself | [`Bbox`], which is closed and knows nothing of the antimeridian |
//!
//! With the feature `proj` there are other systems than the one that the data is in, by PROJ:
//!
//! | To | take |
//! |---|---|
//! | know which EPSG codes there are, and what each is called | `Catalogue::load`, once; `Catalogue::crs` and `Catalogue::info` |
//! | know what a client's box means in one of them, or why it means nothing | `Catalogue::region` |
//! | project a shape, and get bounds of a region the other way | `Transform`, for which an `AxisOrder` is to be chosen |
//! | keep a bounded number of those | `Transforms` |
//! | find who looks, where each looks in a system of its own | `RegionIndex` in place of [`ViewportIndex`] |
//!
//! # All of it together
//!
//! A publisher sends a feature; who looks at its place gets it, with fewer decimals and without what is nobody's business:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use geocast_geo_filter::{Decimals, Document, Limits, Region, ViewportIndex, Writing};
//!
//! // Where clients look. A region is one box, or two where it goes across the antimeridian.
//! let mut clients: BTreeMap<u32, Region> = BTreeMap::new();
//! clients.insert(1, Region::from_degrees([7.3, 46.8, 7.6, 47.0])?);
//! clients.insert(2, Region::from_degrees([7.45, 46.9, 7.5, 47.0])?);
//! clients.insert(3, Region::from_degrees([170.0, -25.0, 190.0, -10.0])?);
//! let mut index = ViewportIndex::new();
//! for (client, region) in &clients {
//!     index.insert(*client, region.boxes());
//! }
//!
//! // A line past the box of client 2, though the box around the line touches it.
//! let payload = br#"{"type":"Feature","id":12345678901234567890,"properties":{"line":"T9","driver":"Ada"},
//!  "geometry":{"type":"LineString","coordinates":[[7.44,46.95812345],[7.44,46.88],[7.47,46.88]]}}"#;
//! let document = Document::read(payload, &Limits::default())?;
//!
//! // Who may see it, by boxes; then who does. What has no place is everybody's.
//! let mut found = Vec::new();
//! match document.shape().whereabouts() {
//!     Some(extent) => index.for_each(&extent, |client| found.push(client)),
//!     None => found.extend(clients.keys()),
//! }
//! found.sort();
//! assert_eq!(found, [1, 2]);
//! found.retain(|client| document.shape().is_in(&clients[client]));
//! assert_eq!(found, [1]);
//!
//! // What they get: every byte as it came, but for what was asked to be otherwise.
//! let coarse = Writing::as_they_came().with_at_most(Decimals::try_from(3)?);
//! let out = document.write(payload, None, &coarse).ok_or("nothing is left")?;
//! let out = document.reduce(&out, |name| name != "driver").unwrap_or(out);
//! assert_eq!(
//!     String::from_utf8(out)?,
//!     r#"{"type":"Feature","id":12345678901234567890,"properties":{"line":"T9"},
//!  "geometry":{"type":"LineString","coordinates":[[7.44,46.958],[7.44,46.88],[7.47,46.88]]}}"#,
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The README has an example with PROJ, the rules, and the layout.

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
