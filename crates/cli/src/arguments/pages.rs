use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// `geocast completions`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: Shell,
}

/// `geocast man`
#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// The folder to write them into, one for each command; without it, the page of geocast itself is printed
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}
