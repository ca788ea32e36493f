use std::{
    fs, io,
    path::{Path, PathBuf},
};

use geocast_geo_filter::RegionError;
use geocast_protocol::Crs;
use thiserror::Error;

use crate::{client::CommandLineBox, units::UnitError};

/// An option of a client that is not to be followed: what was typed makes no sense.
#[derive(Debug, Error)]
pub(crate) enum BadOption {
    /// The file that it names cannot be read.
    #[error("{option} {} cannot be read", path.display())]
    Unreadable { option: &'static str, path: PathBuf, source: io::Error },
    /// The file that it names has nothing in it.
    #[error("{option} {} is empty", path.display())]
    Empty { option: &'static str, path: PathBuf },
    /// What a variable says instead of it is not to be followed either.
    #[error("{variable}: {source}")]
    Variable { variable: &'static str, source: UnitError },
    /// It is no box in the system that it is meant in.
    #[error("--bbox {bbox} is left,bottom,right,top in {crs}, and cannot be: {source}")]
    Box { bbox: CommandLineBox, crs: Crs, source: RegionError },
    /// It is not there, and has to be.
    #[error("{what} is needed: {option}")]
    Missing { what: &'static str, option: &'static str },
}

/// What the file of an option holds, without the line break that editors put at its end.
pub(crate) fn secret_of(option: &'static str, path: &Path) -> Result<Vec<u8>, BadOption> {
    let unreadable = |source| BadOption::Unreadable { option, path: path.to_owned(), source };
    let mut secret = fs::read(path).map_err(unreadable)?;
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    if secret.is_empty() { Err(BadOption::Empty { option, path: path.to_owned() }) } else { Ok(secret) }
}
