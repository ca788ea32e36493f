use super::{
    arguments::FanoutArguments,
    engine::{self, Engine},
    measurement::measure,
    messages::Messages,
    publisher::Publisher,
    report::{FanoutReport, Report},
    server::{Cores, Server},
    subscription::Subscription,
    viewports::Viewports,
};
use crate::exit::Exit;

/// `geocast bench fanout`
pub(super) fn fanout(arguments: &FanoutArguments) -> anyhow::Result<Exit> {
    let FanoutArguments { load, publish, key, server: options, run, .. } = arguments;
    let clients = load.connections.get();
    let viewports = arguments.viewports.map(|size| Viewports::random(size, clients));
    let content = Messages::new(load.size, clients, viewports.clone())?;
    let subscription = if options.subscribe.is_empty() {
        Subscription::text(&options.channel, viewports, arguments.projection)
    } else {
        Subscription::custom(&options.subscribe, &options.channel)
    };
    let clients = clients + arguments.bystanders;
    engine::raise_descriptors(clients)?;
    let cores = Cores::of(options, run);
    let server = Server::find(options, cores)?;
    cores.pin_clients()?;
    let target = server.publishing(options, publish.as_ref())?;
    let mut engine = Engine::new(&server.target, options.expect, subscription, run.timeout)?;
    engine.attach(Publisher::connect(&target, &options.channel, key.publish_key.as_deref())?)?;
    let found = measure(&mut engine, &server, load, content, clients)?;
    let report = FanoutReport::new("fanout", load, arguments.bystanders, &found);
    report.print(run.json)?;
    Ok(report.verdict(load.allow_loss))
}
