use std::num::NonZeroUsize;

use clap::Args;

use crate::units;

/// What `demo` shows.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Demo")]
pub(crate) struct ProducerOptions {
    /// How many vehicles move; each is published once per second [default: 300]
    #[arg(long, value_name = "N", value_parser = units::positive)]
    pub(crate) vehicles: Option<NonZeroUsize>,
    /// The same seed gives the same vehicles on the same ways [default: 1]
    #[arg(long, value_name = "N", value_parser = units::count::<u64>)]
    pub(crate) seed: Option<u64>,
}
