use std::io::{self, Write};

use clap::ArgMatches;

use super::{default_file, resolve, shown};
use crate::{
    arguments::{ConfigArguments, ConfigCommand},
    exit::Exit,
};

/// `geocast config`
pub(crate) fn config(arguments: ConfigArguments, typed: &ArgMatches) -> anyhow::Result<Exit> {
    let text = match arguments.command {
        ConfigCommand::Default => default_file::text(),
        ConfigCommand::Show(arguments) => {
            let (_, typed) = typed.subcommand().expect("a subcommand is required");
            shown::text(&resolve(typed)?.values, arguments.given)
        }
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Success)
}
