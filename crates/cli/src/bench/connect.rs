use std::time::Duration;

use super::{
    arguments::ConnectArguments,
    engine::{self, Engine},
    progress::Progress,
    report::{ConnectReport, Report},
    server::{Cores, Server},
    subscription::Subscription,
};
use crate::exit::Exit;

/// `geocast bench connect`
pub(super) fn connect(arguments: &ConnectArguments) -> anyhow::Result<Exit> {
    let ConnectArguments { connections, concurrency, server: options, run } = arguments;
    let connections = connections.get();
    engine::raise_descriptors(connections)?;
    let cores = Cores::of(options, run);
    let server = Server::find(options, cores)?;
    cores.pin_clients()?;
    // Subscribing is not part of connecting, unless it is asked for.
    let subscription = Subscription::custom(&options.subscribe, &options.channel);
    let mut engine = Engine::new(&server.target, options.expect, subscription, run.timeout)?;
    // The first connections find a server that has never served any.
    engine.connect(WARM_UP, 1, &mut Progress::new())?;
    engine.rest(SETTLE)?;

    let (before, start) = (server.usage()?, engine.now());
    engine.connect(connections, concurrency.get(), &mut Progress::new())?;
    let time = engine.now().saturating_sub(start);
    engine.rest(SETTLE)?;
    let after = server.usage()?;

    let cpu = before.zip(after).map(|(before, after)| after.cpu.saturating_sub(before.cpu));
    ConnectReport::new(connections, concurrency.get(), time, cpu).print(run.json)?;
    Ok(Exit::Success)
}

const WARM_UP: usize = 10;
/// What a server does for its last connection after its greeting is part of the work.
const SETTLE: Duration = Duration::from_millis(50);
