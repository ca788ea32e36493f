use super::{
    arguments::IdleArguments,
    engine::{self, Engine},
    progress::Progress,
    report::{IdleReport, Report},
    server::{Cores, Server},
    subscription::Subscription,
};
use crate::exit::Exit;

/// `geocast bench idle`
pub(super) fn idle(arguments: &IdleArguments) -> anyhow::Result<Exit> {
    let IdleArguments { connections, settle, server: options, run } = arguments;
    let connections = connections.get();
    engine::raise_descriptors(connections)?;
    let cores = Cores::of(options, run);
    let server = Server::find(options, cores)?;
    cores.pin_clients()?;
    let subscription = if options.subscribe.is_empty() {
        Subscription::text(&options.channel, None, None)
    } else {
        Subscription::custom(&options.subscribe, &options.channel)
    };
    let mut engine = Engine::new(&server.target, options.expect, subscription, run.timeout)?;
    let alone = server.usage()?;
    engine.connect(connections, WINDOW, &mut Progress::new())?;
    let connected = server.usage()?;
    engine.rest(*settle)?;
    engine.complain()?;
    let settled = server.usage()?;
    let cpu = connected.zip(settled).map(|(connected, settled)| settled.cpu.saturating_sub(connected.cpu));
    let memory = alone.zip(settled).map(|(alone, settled)| (alone.resident, settled.resident));
    anyhow::ensure!(
        memory.is_some(),
        "whose memory? --spawn starts a server, --server-pid names one that runs"
    );
    IdleReport::new(connections, *settle, memory, cpu).print(run.json)?;
    Ok(Exit::Success)
}

/// Fewer than any server's queue of new connections.
const WINDOW: usize = 100;
