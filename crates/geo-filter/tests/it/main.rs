//! What the crate promises, seen from outside.

#![cfg(test)]

mod areas;
mod extents;
mod hits;
mod hostile;
mod kinds;
#[cfg(feature = "proj")]
mod limit;
mod oracle;
#[cfg(feature = "proj")]
mod projection;
mod random;
mod regions;
mod rewriting;
#[cfg(feature = "proj")]
mod truth;
mod viewports;
mod writing;

use geocast_geo_filter::{Bbox, Document, Limits};

fn read(json: &str) -> Document {
    Document::read(json.as_bytes(), &Limits::default()).unwrap()
}

fn bbox(edges: [f64; 4]) -> Bbox {
    Bbox::try_from(edges).unwrap()
}
