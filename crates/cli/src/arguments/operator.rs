use std::path::PathBuf;

use clap::Args;

/// Who is shown what goes on.
#[derive(Debug, Default, Args)]
pub(crate) struct OperatorOptions {
    /// Show connections, channels and errors at /operator, and to `geocast top`, to who presents the token in this file
    #[arg(long, value_name = "FILE", hide_short_help = true, help_heading = "Server")]
    pub(crate) operator_token_file: Option<PathBuf>,
}
