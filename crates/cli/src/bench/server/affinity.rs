use std::{num::NonZeroUsize, thread};

use anyhow::Context;

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

/// Lets this thread, and the processes it starts from now on, run on one core only.
#[cfg(target_os = "linux")]
fn pin(core: usize) -> anyhow::Result<()> {
    use rustix::thread::{CpuSet, sched_setaffinity};
    anyhow::ensure!(core < CpuSet::MAX_CPU, "core {core} is beyond {}", CpuSet::MAX_CPU - 1);
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("there is no core {core} for this process"))
}

/// Lets this thread, and the processes it starts from now on, run on one core only.
#[cfg(not(target_os = "linux"))]
fn pin(core: usize) -> anyhow::Result<()> {
    anyhow::bail!("core {core} cannot be chosen: this system has no call for it")
}

/// Runs something, such as starting a process, as if on a thread of that core.
pub(super) fn on_core<T: Send>(
    core: Option<usize>,
    work: impl FnOnce() -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    let Some(core) = core else { return work() };
    // The caller's own core stays as it is.
    let outcome = thread::scope(|scope| {
        scope
            .spawn(|| {
                pin(core)?;
                work()
            })
            .join()
    });
    outcome.ok().context("starting a process failed")?
}
