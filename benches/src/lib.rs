//! What the benchmarks share: data that is the same on every machine and in every run, and the way they are started.
//!
//! A group holds one benchmark named [`OURS`] for what geocast does, and beside it what one would write first, or what a
//! general library does, on the same data. The program `ratios` compares them.

mod commands;
pub use commands::map_client;

mod frame;
pub use frame::frame;

mod payloads;
pub use payloads::{Payload, payloads, point_at, scattered};

mod ratios;
pub use ratios::{Ratio, ratios};

#[cfg(feature = "criterion")]
mod run;
#[cfg(feature = "criterion")]
pub use run::run;

mod shared;
pub use shared::Shared;

mod sight;
pub use sight::Event;

mod viewports;
pub use viewports::{about, elsewhere, viewports};

/// The name of the benchmark that a group is about.
pub const OURS: &str = "geocast";

/// Where the random numbers begin. Changing it changes every figure.
const SEED: u64 = 20_261_121;
