//! What the rest asks of the runtime that a simulation does in another way, so that the same seed is the same run: there is one
//! thread then, and nothing is left to chance but by the random numbers that are seeded.

#[cfg(feature = "simulation")]
use std::time::Duration;
use std::{io, thread};

use tokio::task::{JoinHandle, LocalSet, spawn_blocking};

#[cfg(feature = "simulation")]
use crate::simulation;

/// Tasks of a worker that share a thread with nobody else's.
#[derive(Debug)]
pub(crate) enum Working {
    Thread(thread::JoinHandle<()>),
    /// Among all others, in a simulation.
    #[cfg(feature = "simulation")]
    Task(JoinHandle<()>),
}

/// Does what takes long where it holds up nobody.
pub(crate) fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    #[cfg(feature = "simulation")]
    if simulation::is_running() {
        return tokio::spawn(async move {
            tokio::time::sleep(Duration::from_micros(fastrand::u64(..LONGEST_WORK))).await;
            work()
        });
    }
    spawn_blocking(work)
}

impl Working {
    /// Starts a thread with a runtime of its own, and does the work that is made there.
    pub(crate) fn start<F: Future<Output = ()> + 'static>(
        name: String,
        stack: usize,
        make: impl FnOnce() -> F + Send + 'static,
    ) -> io::Result<Self> {
        #[cfg(feature = "simulation")]
        if simulation::is_running() {
            return Ok(Self::Task(tokio::task::spawn_local(make())));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name(name).stack_size(stack).spawn(move || {
            LocalSet::new().block_on(&runtime, async { make().await });
            // Dropping the runtime waits for nobody: a blocking read of state may still be under way.
            runtime.shutdown_background();
        })?;
        Ok(Self::Thread(thread))
    }

    /// Waits until all have ended.
    pub(crate) async fn ended(all: Vec<Self>) -> io::Result<()> {
        let mut threads = Vec::new();
        for working in all {
            match working {
                Self::Thread(thread) => threads.push(thread),
                #[cfg(feature = "simulation")]
                Self::Task(task) => task.await.map_err(io::Error::other)?,
            }
        }
        if threads.is_empty() {
            return Ok(());
        }
        let join = move || threads.into_iter().for_each(|thread| drop(thread.join()));
        spawn_blocking(join).await.map_err(io::Error::other)
    }
}

/// Waits for the first of several. Tokio begins to look at any of them; a simulation in their order.
#[cfg(not(feature = "simulation"))]
macro_rules! select {
    ($($arms:tt)*) => { tokio::select! { $($arms)* } };
}

#[cfg(feature = "simulation")]
macro_rules! select {
    ($($arms:tt)*) => { tokio::select! { biased; $($arms)* } };
}

pub(crate) use select;

#[cfg(feature = "simulation")]
pub(crate) use crate::simulation::watch;
#[cfg(not(feature = "simulation"))]
pub(crate) use tokio::sync::watch;

/// Microseconds that work takes at most in a simulation.
#[cfg(feature = "simulation")]
const LONGEST_WORK: u64 = 20_000;
