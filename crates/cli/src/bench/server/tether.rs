use std::{os::unix::process::CommandExt, process::Command};

use anyhow::Context;

use crate::{bench::arguments::TetheredArguments, exit::Exit};

/// `geocast bench tethered`: becomes this program with other arguments, and ends when its parent does, even if that one was
/// killed and could end nothing. A server left behind would disturb every later measurement.
pub(in crate::bench) fn tethered(arguments: &TetheredArguments) -> anyhow::Result<Exit> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        // It stays in force when a process becomes another program (prctl(2)).
        set_parent_process_death_signal(Some(Signal::KILL))
            .context("the end of the parent cannot be noticed")?;
    }
    let program = std::env::current_exe().context("this program cannot find itself")?;
    Err(Command::new(program).args(&arguments.command).exec()).context("this program cannot be started anew")
}
