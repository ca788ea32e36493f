//! Flags, environment and file, laid over one another.

mod environment;
mod error;
mod file;
mod flags;
mod layer;
mod merge;
mod source;
mod table;

pub(crate) use error::ConfigError;
pub(crate) use merge::resolve;
pub(crate) use source::ConfigSource;
pub(crate) use table::{ConfigOption, Table};

use error::Unknown;
use layer::{Given, Layer, Source};
use merge::Values;
