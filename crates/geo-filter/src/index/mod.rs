//! The index of viewports.
//!
//! A `ViewportIndex` has a `Grid` per box of a key. A grid has a `Level` per size of box, a level has square `Cell`s by
//! `CellId`, and a cell has the boxes whose lower left corner is in it, each as a `Mark` in the cell's `Frame`.

mod cell;
mod cell_id;
mod filter;
mod frame;
mod grid;
mod home;
#[cfg(any(test, fuzzing))]
pub(crate) mod law;
mod level;
mod mark;
mod seed;
mod viewport_index;

pub use viewport_index::ViewportIndex;
