use std::path::PathBuf;

use clap::{ArgAction, Args, builder::BoolishValueParser};

/// What is listened on, besides address and port.
#[derive(Debug, Default, Args)]
pub(crate) struct ListenOptions {
    /// Speak TLS with this certificate, in PEM; SIGHUP reads it again
    #[arg(long, alias = "cert", value_name = "FILE", help_heading = "Server")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM
    #[arg(long, alias = "key", value_name = "FILE", help_heading = "Server")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Speak TLS with a certificate made for this run alone
    #[arg(
        long,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "true|false",
        hide_possible_values = true,
        help_heading = "Server"
    )]
    pub(crate) dev_tls: Option<bool>,
    /// Listen on this unix socket; with --port on both
    #[arg(long, alias = "unix-socket", value_name = "PATH", help_heading = "Server")]
    pub(crate) usock: Option<PathBuf>,
    /// Take the port although connections of an earlier server linger on it [default: true]
    #[arg(
        long,
        action = ArgAction::Set,
        num_args = 0..=1,
        default_missing_value = "true",
        value_name = "true|false",
        value_parser = BoolishValueParser::new(),
        hide_possible_values = true,
        hide_short_help = true,
        help_heading = "Server"
    )]
    pub(crate) reuse_addr: Option<bool>,
    /// Share the port with other processes that say so as well; the system deals connections out [default: false]
    #[arg(
        long,
        action = ArgAction::Set,
        num_args = 0..=1,
        default_missing_value = "true",
        value_name = "true|false",
        value_parser = BoolishValueParser::new(),
        hide_possible_values = true,
        hide_short_help = true,
        help_heading = "Server"
    )]
    pub(crate) reuse_port: Option<bool>,
}
