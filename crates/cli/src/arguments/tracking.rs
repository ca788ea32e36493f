use std::time::Duration;

use clap::Args;
use geocast_server::{ChannelRule, ChannelRuleError};

use crate::units;

/// What is said of tracked channels. The first rule whose pattern matches a channel counts.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tracking")]
pub(crate) struct TrackingOptions {
    /// The property that is the key of features without an id, by channel, such as 'vehicles*=train_id'
    #[arg(long, value_name = "PATTERN=PROPERTY", value_delimiter = ',', hide_short_help = true)]
    pub(crate) track_key: Option<Vec<ChannelRule<Box<str>>>>,
    /// How long a key of a tracked channel stays without being heard of, by channel, such as 'vehicles*=30s'
    #[arg(
        long,
        value_name = "PATTERN=TIME",
        value_parser = age,
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub(crate) stale_after: Option<Vec<ChannelRule<Duration>>>,
}

fn age(text: &str) -> Result<ChannelRule<Duration>, ChannelRuleError> {
    ChannelRule::parse(text, units::some_time)
}
