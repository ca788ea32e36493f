//! Flags, environment and file, laid over one another.

mod command;
mod default_file;
mod environment;
mod error;
mod file;
mod flags;
mod layer;
mod merge;
mod overridden;
mod reference;
mod shown;
mod source;
mod table;
mod toml_value;

pub(crate) use command::config;
pub(crate) use error::ConfigError;
pub(crate) use merge::{resolve, resolve_file};
pub(crate) use reference::reference;
pub(crate) use source::ConfigSource;
pub(crate) use table::{ConfigOption, Table};

use error::Unknown;
use layer::{Given, Layer, Source};
use merge::Values;
use overridden::Overridden;
