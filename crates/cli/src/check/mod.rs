//! `geocast check`: what would `geocast serve` find? Nothing is made, written or changed by it.

mod findings;
mod redis;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_server::{
    DataSettings, DataState, EmbeddedStore, RedisSettings, Server, Store, StoreError, StoreSettings,
};

use crate::{exit::Exit, launch::Launch, progress::waiting, serve::Listening, unreachable::Unreachable};

use findings::Findings;

/// Says what is right and what is not, and what to do about it.
pub(crate) async fn check(launch: Launch, offline: bool) -> anyhow::Result<Exit> {
    let Launch { listening, mut settings, log: _ } = launch;
    if let StoreSettings::Redis(redis) = &mut settings.store {
        redis.probe_interval = PROBE_INTERVAL;
    }
    let (store, limit) = (settings.store.clone(), settings.limits.embedded_state);
    let wanted = redis::Wanted::of(&settings);
    let mut builder = Server::builder(settings);
    if offline || !matches!(store, StoreSettings::Redis(_)) {
        // In memory: a folder is only looked at.
        builder = builder.store(move |broker| Arc::new(EmbeddedStore::new(broker, limit)));
    }
    // On the same host, because what is allowed depends on who can reach it.
    let server = builder.start(listening.elsewhere().open().await?.listeners)?;
    let certificate = listening.tcp.as_ref().and_then(|tcp| Some((tcp.certificate.as_ref()?, &tcp.host)));
    let certificate = certificate.map(|(certificate, host)| certificate.load(host)).transpose()?;
    let mut findings = Findings::default();
    findings.good("configuration", "valid")?;
    if let Some((_, description)) = certificate {
        findings.good("tls", &description)?;
    }
    if !offline {
        ports(&listening, &mut findings).await?;
        match &store {
            StoreSettings::Embedded => findings.good("store", &server.store().description())?,
            StoreSettings::Kept(data) => folder(data, limit, &mut findings)?,
            StoreSettings::Redis(settings) => {
                reach(settings, &*server.store(), &mut findings).await?;
                redis::examine(settings, &wanted, &mut findings).await?;
            }
        }
    }
    if let Some(advice) = server.advice() {
        findings.useless("channels", advice)?;
    }
    Ok(findings.end()?)
}

/// Whether the ports and sockets are free.
async fn ports(listening: &Listening, findings: &mut Findings) -> anyhow::Result<()> {
    for (topic, found) in listening.examine().await {
        match found {
            Ok(free) => findings.good(topic, &free)?,
            Err(error) => findings.refused(topic, &crate::told(&error))?,
        }
    }
    Ok(())
}

/// Whether state can be kept.
fn folder(data: &DataSettings, limit: usize, findings: &mut Findings) -> anyhow::Result<()> {
    let (name, within) = (data.folder.display(), data.flush_interval);
    match data.examine(limit) {
        Ok(DataState::New) => findings.good(
            "store",
            &format!("embedded, in {name}: nothing is kept there yet, and `geocast serve` makes it"),
        )?,
        Ok(DataState::Kept { keys, .. }) if within.is_zero() => findings.good(
            "store",
            &format!("embedded, kept in {name} before publishers are answered; keys there: {keys}"),
        )?,
        Ok(DataState::Kept { keys, .. }) => findings
            .good("store", &format!("embedded, written to {name} within {within:?}; keys there: {keys}"))?,
        Ok(_unclosed) => findings.good(
            "store",
            &format!(
                "embedded, in {name}, which was not closed in order: `geocast serve` looks through it first"
            ),
        )?,
        Err(error) => findings.refused("store", &error.to_string())?,
    }
    Ok(())
}

/// Whether Redis answers, and delivers.
async fn reach(redis: &RedisSettings, store: &dyn Store, findings: &mut Findings) -> anyhow::Result<()> {
    let url = redis.url.to_string();
    let health = healthy(store, redis.connect_timeout + SETTLING);
    let health = waiting(&format!("trying {url}"), health).await;
    health.map_err(|error| Unreachable::redis(&url, &error))?;
    findings.good("redis", &format!("{url} answers, and what is published there arrives"))?;
    Ok(())
}

/// Whether the store is well, and still is after a few probes; the last reason if not.
async fn healthy(store: &dyn Store, patience: Duration) -> Result<(), StoreError> {
    let start = Instant::now();
    let mut refusals = 0;
    while let Err(error) = store.health().await {
        // At first it has not yet tried. What fails again and again will go on doing so.
        refusals += 1;
        if start.elapsed() > patience || refusals > ATTEMPTS {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
    tokio::time::sleep(PROBE_INTERVAL * 3).await;
    store.health().await
}

/// Short, so that a Redis that answers but delivers nothing is noticed while somebody waits.
const PROBE_INTERVAL: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(100);
const ATTEMPTS: u32 = 10;
/// What connecting may take besides the connection itself.
const SETTLING: Duration = Duration::from_millis(500);
