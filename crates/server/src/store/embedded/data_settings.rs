use std::{path::PathBuf, time::Duration};

/// Where an embedded store keeps its state.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DataSettings {
    /// A folder that nobody else uses; it is made if it is not there. What is in it is in the file `geocast.redb`.
    pub folder: PathBuf,
    /// How long a change of state may wait until it is written. Zero: publishers are answered when it is.
    pub flush_interval: Duration,
    /// Bytes of changes that may wait to be written. Publishers wait while there is no room.
    pub queue: usize,
}

impl DataSettings {
    /// A folder, written every second, with at most 64 MiB that wait for it.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), flush_interval: Duration::from_secs(1), queue: 64 * 1024 * 1024 }
    }
}
