use std::{num::NonZeroUsize, thread};

#[cfg(target_os = "linux")]
use anyhow::{Context, ensure};

use crate::bench::arguments::{RunOptions, ServerOptions};

/// Which core does what, where it was asked for or makes measurements comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) struct Cores {
    pub(in crate::bench) server: Option<usize>,
    clients: Option<usize>,
}

impl Cores {
    /// For a server that is started here or runs already.
    pub(in crate::bench) fn of(server: &ServerOptions, run: &RunOptions) -> Self {
        if server.spawn && server.workers == NonZeroUsize::MIN {
            Self::of_one(server.server_core, run.core)
        } else {
            Self { server: server.server_core, clients: run.core }
        }
    }

    /// For a server of one thread: the first core, and the clients on the last one, if there are several.
    pub(in crate::bench) fn of_one(server: Option<usize>, clients: Option<usize>) -> Self {
        let count = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        if count == 1 {
            return Self { server, clients };
        }
        Self { server: server.or(Some(0)), clients: clients.or(Some(count - 1)) }
    }

    /// Keeps this thread, on which the clients are, to their core.
    pub(in crate::bench) fn pin_clients(self) -> anyhow::Result<()> {
        self.clients.map_or(Ok(()), pin)
    }
}

/// Does something, such as starting a process, on a core of its own, and goes on where this thread was.
///
/// Not on another thread: Linux takes the thread that starts a process for its parent.
#[cfg(target_os = "linux")]
pub(super) fn on_core<T>(core: Option<usize>, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    use rustix::thread::{sched_getaffinity, sched_setaffinity};
    let Some(core) = core else { return work() };
    let before = sched_getaffinity(None)?;
    pin(core)?;
    let outcome = work();
    sched_setaffinity(None, &before)?;
    outcome
}

/// Does something, such as starting a process, on a core of its own.
#[cfg(not(target_os = "linux"))]
pub(super) fn on_core<T>(core: Option<usize>, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    core.map_or(Ok(()), pin)?;
    work()
}

/// Lets this thread, and the processes it starts from now on, run on one core only.
#[cfg(target_os = "linux")]
fn pin(core: usize) -> anyhow::Result<()> {
    use rustix::thread::{CpuSet, sched_setaffinity};
    ensure!(core < CpuSet::MAX_CPU, "core {core} is beyond {}", CpuSet::MAX_CPU - 1);
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("there is no core {core} for this process"))
}

/// Lets this thread, and the processes it starts from now on, run on one core only.
#[cfg(not(target_os = "linux"))]
fn pin(core: usize) -> anyhow::Result<()> {
    anyhow::bail!("core {core} cannot be chosen: this system has no call for it")
}
