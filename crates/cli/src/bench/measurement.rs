use std::time::Duration;

use super::{
    arguments::LoadOptions,
    engine::{Engine, Percentiles},
    load::{self, Delivered, Load},
    messages::Messages,
    progress::Progress,
    server::{Server, Usage},
};

/// What was found while messages were published.
#[derive(Debug)]
pub(super) struct Measurement {
    pub(super) delivered: Delivered,
    pub(super) received: u64,
    pub(super) disordered: u64,
    pub(super) latency: Option<Percentiles>,
    /// What the server used, if it is known which process it is.
    pub(super) server: Option<Used>,
    /// Processor time of this process.
    pub(super) clients_cpu: Option<Duration>,
}

/// What a server used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    /// Processor time from the first message to the last delivery.
    pub(super) cpu: Duration,
    /// Memory before any client was connected, in bytes.
    pub(super) alone: u64,
    /// Memory with all clients, in bytes.
    pub(super) loaded: u64,
}

/// Connects so many clients, publishes, and waits for all deliveries.
pub(super) fn measure(
    engine: &mut Engine,
    server: &Server,
    load: &LoadOptions,
    content: Messages,
    clients: usize,
) -> anyhow::Result<Measurement> {
    let mut progress = Progress::new();
    let alone = server.usage()?;
    engine.connect(clients, WINDOW, &mut progress)?;
    let mut load = Load { messages: load.messages, pace: load.pace(), content };
    load::warm_up(engine, &load, clients, &mut progress)?;

    let (before, own) = (server.usage()?, own_usage());
    let delivered = load::publish(engine, &mut load, &mut progress)?;
    // What a server does after its last write, such as giving memory back, is part of the work.
    engine.rest(AFTERWARDS)?;
    let (after, own_after) = (server.usage()?, own_usage());

    let tally = engine.tally();
    let (received, disordered, latency) = (tally.deliveries, tally.disordered, tally.latency.percentiles());
    let server = alone.zip(before).zip(after).map(|((alone, before), after)| Used {
        cpu: after.cpu.saturating_sub(before.cpu),
        alone: alone.resident,
        loaded: after.resident,
    });
    let clients_cpu = own.zip(own_after).map(|(before, after)| after.cpu.saturating_sub(before.cpu));
    // A lost connection explains what is missing better than a number does.
    engine.complain()?;
    Ok(Measurement { delivered, received, disordered, latency, server, clients_cpu })
}

/// Only for information, so that a system without it is no failure.
fn own_usage() -> Option<Usage> {
    Usage::of(std::process::id()).ok()
}

/// Fewer than any server's queue of new connections.
const WINDOW: usize = 100;
const AFTERWARDS: Duration = Duration::from_millis(50);
