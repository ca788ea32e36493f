use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::Args;
use geocast_server::{ChannelRule, ChannelRuleError, HistoryBound, Patterns};

use crate::units::{self, UnitError};

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
    /// How much is kept of some channels for subscribers that were away, as messages, a time, or both: 'cars*=1000/10m'
    #[arg(
        long,
        value_name = "PATTERN=BOUND",
        value_parser = history,
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub(crate) history: Option<Vec<ChannelRule<HistoryBound>>>,
    /// Channels whose subscribers may know who else is there, as patterns such as 'rooms*'
    #[arg(long, value_name = "PATTERNS", hide_short_help = true)]
    pub(crate) presence: Option<Patterns>,
}

fn history(text: &str) -> Result<ChannelRule<HistoryBound>, ChannelRuleError> {
    ChannelRule::parse(text, |bound| {
        let mut history = HistoryBound::default();
        for part in bound.split('/') {
            match part.parse::<NonZeroUsize>() {
                Ok(messages) if history.messages.is_none() => history.messages = Some(messages.get()),
                Err(_) if history.age.is_none() => history.age = Some(units::some_time(part)?),
                _ => return Err(UnitError::History(bound.to_owned())),
            }
        }
        Ok(history)
    })
}
