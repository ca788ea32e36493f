use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::units;

/// What is said of the embedded store.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct StoreOptions {
    /// Keep state in this folder [default: in memory]
    #[arg(long, value_name = "DIR", conflicts_with = "redis")]
    pub(crate) data: Option<PathBuf>,
    /// With --data: how long a change may wait until it is written; 0 to write it before its publisher is answered
    /// [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = units::duration, hide_short_help = true)]
    pub(crate) flush_interval: Option<Duration>,
}
