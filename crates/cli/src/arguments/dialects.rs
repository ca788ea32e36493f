use clap::{ArgAction, Args};
use geocast_server::{HttpHandler, Patterns, UrlPrefix};

/// What the dialects rohrpost and aiows need to know.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Dialects")]
pub(crate) struct DialectOptions {
    /// Hashes whose changes rohrpost's subscribers are pushed, as patterns: `type:id` is an object, other names are tables
    #[arg(long, value_name = "PATTERNS", hide_short_help = true)]
    pub(crate) watch: Option<Patterns>,
    /// What stands before /channel/NAME/ and /broadcast/, the addresses of aiows, such as /rooms [default: /]
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub(crate) url_prefix: Option<UrlPrefix>,
    /// Fold channel names in those addresses as aiows does: lower case, `_` as `:`, nothing as `__all__`
    #[arg(
        long,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "true|false",
        hide_possible_values = true,
        hide_short_help = true
    )]
    pub(crate) fold_channel_names: Option<bool>,
    /// Send JSON to subscribers at those addresses as aiows does: encoded twice, as a string that holds it
    #[arg(
        long,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "true|false",
        hide_possible_values = true,
        hide_short_help = true
    )]
    pub(crate) encode_json_twice: Option<bool>,
    /// Endpoints that answer rohrpost's requests of other types, such as 'send=http://localhost:8000/send'
    #[arg(long, value_name = "TYPE=URL", value_delimiter = ',', hide_short_help = true)]
    pub(crate) rohrpost_handler: Option<Vec<HttpHandler>>,
}
