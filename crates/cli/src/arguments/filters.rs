use clap::{ArgAction, Args};
use geocast_protocol::Channel;

/// What is done with messages on `/pipeline` and `/`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterOptions {
    /// Pass messages on / and /pipeline through these filters, in this order: names such as broadcast_messages, and scripts
    /// such as ./shout.rhai; without a name broadcast_messages and stdout_messages. The port is then 9000 by default
    #[arg(
        short = 'f',
        long,
        value_name = "NAME",
        num_args = 0..,
        action = ArgAction::Append,
        value_delimiter = ',',
        default_missing_value = "broadcast_messages,stdout_messages",
        hide_short_help = true
    )]
    pub(crate) filters: Option<Vec<String>>,
    /// Channels, of whichever store, whose items pass the filters [default: global, where broadcast_pubsub or stdout_pubsub is
    /// named]
    #[arg(
        long,
        alias = "redis_channels",
        value_name = "CHANNEL",
        num_args = 1..,
        action = ArgAction::Append,
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub(crate) redis_channels: Option<Vec<Channel>>,
}
