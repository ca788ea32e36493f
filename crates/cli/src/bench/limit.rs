use clap::ValueEnum;

use super::{
    arguments::LimitArguments,
    engine::{self, Engine, Expect},
    measurement::measure,
    messages::Messages,
    publisher::Publisher,
    report::{FanoutReport, Report},
    server::{ChildServer, Cores, Server},
    subscription::Subscription,
};
use crate::exit::Exit;

/// `geocast bench limit`
pub(super) fn limit(arguments: &LimitArguments) -> anyhow::Result<Exit> {
    let LimitArguments { load, with, server_core, run } = arguments;
    let clients = load.connections.get();
    let content = Messages::new(load.size, clients, None)?;
    let with = with.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    engine::raise_descriptors(clients)?;
    let cores = Cores::of_one(*server_core, run.core);
    let options =
        ["bench", "bare", "--connections", &clients.to_string(), "--with", &with].map(str::to_owned);
    let server = Server::bare(ChildServer::start(&options, cores.server)?);
    cores.pin_clients()?;
    // The loop takes its first connection for the publisher's.
    let publisher = Publisher::bare(&server.target)?;
    let mut engine = Engine::new(&server.target, Expect::None, Subscription::default(), run.timeout)?;
    engine.attach(publisher)?;
    let found = measure(&mut engine, &server, load, content, clients)?;
    let report = FanoutReport::new(&format!("limit, {with}"), load, 0, &found);
    report.print(run.json)?;
    Ok(report.verdict(load.allow_loss))
}
