//! `geocast completions` and `geocast man`: what shells and readers of manuals are given, made of the declaration of the options.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;

use crate::{
    arguments::{CompletionsArguments, Invocation, ManArguments},
    exit::Exit,
};

/// Prints a script for a shell.
pub(crate) fn completions(arguments: &CompletionsArguments) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Invocation::commands(), "geocast", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Success)
}

/// Prints the page of the program, or writes those of all commands into a folder.
pub(crate) fn man(arguments: &ManArguments) -> anyhow::Result<Exit> {
    let mut commands = Invocation::commands().disable_help_subcommand(true);
    // So each command knows its whole name.
    commands.build();
    match &arguments.folder {
        None => io::stdout().write_all(&page(commands)?)?,
        Some(folder) => {
            let cannot = || format!("manual pages cannot be written into {}", folder.display());
            fs::create_dir_all(folder).with_context(cannot)?;
            let written = write_all(&commands, folder).with_context(cannot)?;
            eprintln!("geocast: {written} pages written into {}", folder.display());
        }
    }
    Ok(Exit::Success)
}

/// Writes the page of a command and of those in it, and says how many these are.
fn write_all(command: &Command, folder: &Path) -> io::Result<usize> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    fs::write(folder.join(format!("{name}.1")), page(command.clone())?)?;
    let mut inner = command.get_subcommands().filter(|inner| !inner.is_hide_set());
    inner.try_fold(1, |written, inner| Ok(written + write_all(inner, folder)?))
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}
