use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Options;

/// `geocast config`
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// What is done with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print a configuration file with every option, its default, and what it is for
    #[command(after_help = DEFAULT_EXAMPLES)]
    Default,
    /// Print the value of every option, and where it is from
    #[command(after_help = SHOW_EXAMPLES, after_long_help = SHOW_EXAMPLES)]
    Show(Box<ShowArguments>),
}

/// `geocast config show`
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// Only what is not left at its default
    #[arg(long)]
    pub(crate) given: bool,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// `geocast check`
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The configuration file, as --config
    #[arg(value_name = "FILE", conflicts_with = "config")]
    pub(crate) file: Option<PathBuf>,
    /// Leave out what is not in the configuration and the files that it names: ports, Redis, the data folder
    #[arg(long)]
    pub(crate) offline: bool,
    #[command(flatten)]
    pub(crate) options: Options,
}

const DEFAULT_EXAMPLES: &str = "\
Every line is a comment, so the file changes nothing as it is.

Examples:
  geocast config default > all-options.toml
  geocast config default | grep -B2 '^#ping_interval'

Exit codes: 0 printed; 2 bad option.";

const SHOW_EXAMPLES: &str = "\
It takes all options of `geocast serve`, and reads environment and file as that
does. Passwords and keys are not shown.

Examples:
  geocast config show --config geocast.toml --given
  geocast config show --port 9000 | grep port

Exit codes: 0 shown; 2 `serve` would refuse it.";
