//! `geocast serve`: a server from its settings to its end.

mod announcement;
mod bind;
mod listening;
mod signals;
mod site;
mod supervisor;

use std::sync::Arc;

use anyhow::Context;
use geocast_server::{Server, Settings, Troubles};

use crate::{config::ConfigSource, exit::Exit, launch::Launch, logging::LogSettings, traces};

pub(crate) use listening::{Listening, Opened};
pub(crate) use signals::Signals;

use announcement::Announcement;
pub(crate) use announcement::{operator_page, reachable};
use signals::Order;
use supervisor::Supervisor;

/// Runs a server until a signal ends it.
pub(crate) async fn serve(launch: Launch, source: ConfigSource) -> anyhow::Result<Exit> {
    let Launch { listening, log, settings } = launch;
    let (troubles, filter) = log.start();
    log.to_its_end(&filter, async {
        let opened = listening.open().await?;
        let (server, signals) = start(&log, troubles, opened, settings)?;
        let filter = filter.clone();
        server.read_settings_and_more_from(move || {
            let Launch { settings, log, .. } = source.read()?;
            Ok((settings, filter.prepare(log)))
        });
        run(server, signals).await
    })
    .await
}

/// Starts a server and says so.
pub(crate) fn start(
    log: &LogSettings,
    troubles: Troubles,
    opened: Opened,
    settings: Settings,
) -> anyhow::Result<(Server, Signals)> {
    // From here on a signal is an order to stop in order, and no longer the end.
    let signals = Signals::listen().context("signals cannot be listened to")?;
    raise_descriptors();
    let facts = Announcement::before(&settings, opened.certificate);
    let mut builder = Server::builder(settings).site(site::site()).troubles(troubles);
    if let Some(listener) = opened.metrics {
        builder = builder.metrics(listener);
    }
    let server = builder.start(opened.listeners).context("the server cannot start")?;
    facts.show(&server, log.audience());
    Ok((server, signals))
}

/// Serves until a first signal, closes connections in order, or not, if a second one comes.
pub(crate) async fn run(server: Server, mut signals: Signals) -> anyhow::Result<Exit> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let supervisor = Arc::new(Supervisor::of_environment());
    let (reload, pulse) = (server.reload(), server.pulse());
    let mut running = std::pin::pin!(server.run(async {
        // The other end is dropped only after this future.
        let _first: Result<(), _> = stopped.await;
    }));
    let mut watched = std::pin::pin!(supervisor.watch(|| pulse.beat()));
    supervisor.ready();
    let signal = loop {
        tokio::select! {
            () = &mut watched => {}
            outcome = &mut running => {
                traces::finish().await;
                outcome.context("the server cannot go on")?;
                return Ok(Exit::Success);
            }
            order = signals.next() => match order {
                Order::Stop(signal) => break signal,
                Order::Reload => {
                    let reload = reload.clone();
                    let supervisor = Arc::clone(&supervisor);
                    supervisor.reloading();
                    // It logs what became of it.
                    drop(tokio::task::spawn_blocking(move || {
                        reload.run();
                        supervisor.ready();
                    }));
                }
                // Nobody is there to be told.
                Order::Abandoned => return Ok(Exit::Interrupted),
            }
        }
    };
    tracing::info!(event = "stopping", signal, "stopping; once more to stop at once");
    supervisor.stopping();
    let _ended: Result<(), ()> = stop.send(());
    loop {
        tokio::select! {
            () = &mut watched => {}
            outcome = &mut running => {
                traces::finish().await;
                outcome.context("connections could not be closed in order")?;
                tracing::info!(event = "stopped", "stopped");
                return Ok(Exit::Success);
            }
            order = signals.next() => match order {
                Order::Stop(signal) => {
                    tracing::warn!(event = "stopped_at_once", signal, "stopped at once, without closing connections");
                    return Ok(Exit::Interrupted);
                }
                // There is nobody left for whom anything could be read again.
                Order::Reload => {}
                Order::Abandoned => return Ok(Exit::Interrupted),
            }
        }
    }
}

/// Every connection takes a descriptor, and the usual limit is 1024. Whether what there is suffices, the server says.
fn raise_descriptors() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::debug!(limit, "open files"),
        Err(error) => tracing::debug!(%error, "the limit of open files cannot be raised"),
    }
}
