//! `geocast bench track`: clients that are told what enters, changes in and leaves their viewports.

mod arguments;
mod phases;
mod report;
mod stage;
mod world;

use anyhow::ensure;

use super::{
    engine::{self, Engine, Latency},
    progress::Progress,
    publisher::Publisher,
    report::Report,
    server::{Cores, Server},
    subscription::Subscription,
    viewports::Viewports,
};
use crate::exit::Exit;

pub(super) use arguments::{TRACK_EXAMPLES, TrackArguments};

use report::{Found, TrackReport};
use stage::Stage;
use world::World;

/// `geocast bench track`
pub(super) fn track(arguments: &TrackArguments) -> anyhow::Result<Exit> {
    let TrackArguments { load, key, server: options, run, .. } = arguments;
    ensure!(
        options.subscribe.is_empty(),
        "clients of this benchmark have something to subscribe to: no --subscribe"
    );
    let clients = load.connections.get();
    let viewports = Viewports::random(arguments.viewports, clients);
    let world = World::new(arguments, &viewports)?;
    engine::raise_descriptors(clients)?;
    let cores = Cores::of(options, run);
    let server = Server::find(options, cores)?;
    cores.pin_clients()?;
    let subscription = Subscription::tracked(&options.channel, viewports);
    let engine = Engine::new(&server.target, options.expect, subscription, run.timeout)?;
    let target = server.publishing(options, None)?;
    let publisher = || Publisher::connect(&target, &options.channel, key.publish_key.as_deref());
    let mut stage = Stage { engine, server: &server, world, progress: Progress::new() };
    let alone = server.usage()?.map(|usage| usage.resident);
    let stored = stage.phase(|stage| stage.publish(publisher()?, Stage::store))?;
    // The first one makes the server know the state, which is told from what each client takes.
    let first = stage.phase(|stage| stage.join(1))?;
    let joined = stage.phase(|stage| stage.join(clients - 1))?;
    let moved = stage.phase(|stage| stage.publish(publisher()?, |stage| stage.relocate(load)))?;
    let latency = stage.engine.tally().latency.percentiles();
    let mut pans = Latency::new();
    let panned = stage.phase(|stage| stage.pan(arguments.pan, arguments.pan_burst, &mut pans))?;
    let found =
        Found { alone, stored, first, joined, moved, latency, panned, pan_latency: pans.percentiles() };
    let report = TrackReport::new(arguments, &found);
    report.print(run.json)?;
    Ok(report.verdict(load.allow_loss))
}
