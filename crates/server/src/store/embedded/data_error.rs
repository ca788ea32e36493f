use std::{io, path::PathBuf};

use thiserror::Error;

/// Why state cannot be kept in a folder.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// The folder, or the file in it, cannot be made, read or written.
    #[error("data folder {}: {source}", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server has it.
    #[error("data folder {} is in use by another server", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// It was written by a version that keeps state in another form.
    #[error("data folder {} has format {found}, and this version reads {expected}", folder.display())]
    Version {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        found: u64,
        /// The one that is read.
        expected: u64,
    },
    /// The file in it is not as it was left.
    #[error("data folder {} is damaged: {reason}", folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It has more state than the store may hold.
    #[error("data folder {} has more than the {limit} bytes of state that are allowed", folder.display())]
    TooLarge {
        /// The folder.
        folder: PathBuf,
        /// The bound.
        limit: usize,
    },
}
