//! `geocast demo`: the server, with vehicles that move through Switzerland.

mod cities;
mod fleet;
mod kind;
mod line;
mod network;
mod position;
mod producer;
mod vehicle;

use anyhow::anyhow;
use geocast_protocol::Channel;
use geocast_server::{ListenAddress, PatternError, Secret, Server, Settings, StoreSettings, Troubles};
use ring::rand::{SecureRandom, SystemRandom};

use crate::{
    arguments::ProducerOptions,
    config::ConfigSource,
    exit::Exit,
    launch::Launch,
    logging::{Audience, LogFilter, LogSettings},
    serve::{self, Listening},
    shell_words::this_program,
};

use fleet::Fleet;
use producer::Producer;

/// Runs a server and publishes to it, until a signal ends it.
pub(crate) async fn demo(
    options: ProducerOptions,
    launch: Launch,
    source: ConfigSource,
) -> anyhow::Result<Exit> {
    let Launch { listening, log, settings } = launch;
    let (troubles, filter) = log.start();
    let logging = (&log, troubles, filter.clone());
    log.to_its_end(&filter, run(options, listening, logging, settings, source)).await
}

async fn run(
    options: ProducerOptions,
    listening: Listening,
    (log, troubles, filter): (&LogSettings, Troubles, LogFilter),
    settings: Settings,
    source: ConfigSource,
) -> anyhow::Result<Exit> {
    let ProducerOptions { vehicles, seed } = options;
    let channel: Channel = CHANNEL.parse()?;
    let opened = listening.open().await?;
    let in_redis = matches!(settings.store, StoreSettings::Redis(_));
    let is_private = !in_redis && opened.is_local()?;
    let mut settings = shown(settings, is_private)?;
    if !settings.viewport_channels.contains(&channel) {
        settings.viewport_channels.push(channel.clone());
    }
    // Nobody looks after a demo, so nobody has made a token for those who would.
    let made = settings.operator_token.is_none().then(random_token).transpose()?;
    let token = made.clone();
    let operated = move |mut settings: Settings| {
        settings.operator_token = settings.operator_token.or_else(|| token.clone().map(Secret::new));
        settings
    };
    let fleet = Fleet::new(seed.unwrap_or(SEED), vehicles.map_or(VEHICLES, usize::from));
    let (server, signals) = serve::start(log, troubles, opened, operated(settings))?;
    if log.audience() == Audience::People {
        suggest(&server, fleet.len(), made.as_deref());
    }
    server.read_settings_and_more_from(move || {
        let Launch { settings, log, .. } = source.read()?;
        Ok((operated(shown(settings, is_private)?), filter.prepare(log)))
    });
    let mut producer = Producer::new(server.store(), channel, fleet);
    let exit = tokio::select! {
        exit = serve::run(server, signals) => exit?,
        never = producer.produce() => match never {},
    };
    if in_redis && exit == Exit::Success {
        // What nobody moves any more is not left behind for others to see.
        producer.clear().await;
    }
    Ok(exit)
}

/// The same, with the vehicles for everybody to see.
fn shown(settings: Settings, is_private: bool) -> Result<Settings, PatternError> {
    let mut settings = settings;
    if settings.channels.is_none() && !is_private {
        settings.channels = Some(CHANNEL.parse()?);
    }
    Ok(settings)
}

/// Says what to try next.
fn suggest(server: &Server, vehicles: usize, operator_token: Option<&str>) {
    // The clients speak plain TCP.
    let Some(ListenAddress::Tcp(address)) = server.addresses().first() else { return };
    let url = if address.port() == 8765 {
        String::new()
    } else {
        format!(" --url ws://{}/ws", serve::reachable(*address))
    };
    let geocast = this_program();
    eprintln!("\n{vehicles} vehicles move through Switzerland on the channel `{CHANNEL}`.");
    eprintln!("See them on the page above, or in another terminal:");
    eprintln!("  {geocast} sub {CHANNEL} --bbox 5.9,45.8,10.5,47.8 --count 5{url}");
    eprintln!("  {geocast} sub {CHANNEL} --bbox 8.4,47.3,8.7,47.5 --projection epsg:3857{url}");
    eprintln!("  {geocast} get {CHANNEL} rail-1{url}");
    if let (Some(token), Some(page)) = (operator_token, serve::operator_page(server)) {
        // Behind the hash sign, which no browser sends to anybody.
        eprintln!("\nWho is connected, and what goes on, is shown to operators for as long as this runs:");
        eprintln!("  {page}#token={token}");
        eprintln!("  {geocast} top{url} --token {token}");
    }
    eprintln!();
}

/// What nobody guesses.
fn random_token() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| anyhow!("the system gives no random numbers"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

const CHANNEL: &str = "vehicles";
const VEHICLES: usize = 300;
const SEED: u64 = 1;
