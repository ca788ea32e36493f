//! `geocast check`: what would `geocast serve` find?

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use geocast_server::{DataError, Server, StartError, Store, StoreError, StoreSettings};

use crate::{exit::Exit, launch::Launch, progress::waiting, unreachable::Unreachable};

/// Says what is right and what is not, and what to do about it.
pub(crate) async fn check(launch: Launch, offline: bool) -> anyhow::Result<Exit> {
    let Launch { listening, mut settings, log: _ } = launch;
    if offline {
        // The rest of the settings is looked at by whoever would use them.
        settings.store = StoreSettings::Embedded;
    }
    let mut redis = None;
    if let StoreSettings::Redis(settings) = &mut settings.store {
        settings.probe_interval = PROBE_INTERVAL;
        redis = Some((settings.url.to_string(), settings.connect_timeout + SETTLING));
    }
    // On the same host, because what is allowed depends on who can reach it.
    let elsewhere = || async { anyhow::Ok(listening.elsewhere().open().await?.listeners) };
    let server = match Server::start(elsewhere().await?, settings.clone()) {
        // The server whose configuration this is may well be running.
        Err(StartError::Data(error @ DataError::InUse { .. })) => {
            say("store", &error.to_string())?;
            settings.store = StoreSettings::Embedded;
            Server::start(elsewhere().await?, settings)?
        }
        started => started?,
    };
    if let Some(tcp) = &listening.tcp
        && let Some(certificate) = &tcp.certificate
    {
        let (_, description) = certificate.load(&tcp.host)?;
        say("configuration", "valid")?;
        say("tls", &description)?;
    } else {
        say("configuration", "valid")?;
    }
    if offline {
        return Ok(Exit::Success);
    }
    match listening.open().await {
        Ok(opened) => {
            for listener in &opened.listeners {
                say("port", &format!("{} is free", listener.address()?))?;
            }
        }
        // The server whose configuration this is may well be running.
        Err(error) => say("port", &crate::told(&error))?,
    }
    if let Some((url, patience)) = redis {
        let trying = format!("trying {url}");
        let health = waiting(&trying, healthy(&*server.store(), patience)).await;
        health.map_err(|error| Unreachable::redis(&url, &error))?;
        say("redis", &format!("{url} answers, and what is published there arrives"))?;
    } else {
        say("store", &server.store().description())?;
    }
    let Some(advice) = server.advice() else { return Ok(Exit::Success) };
    say("channels", advice)?;
    Ok(Exit::Failure)
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

fn say(what: &str, finding: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{what:<14}{finding}")
}

/// Short, so that a Redis that answers but delivers nothing is noticed while somebody waits.
const PROBE_INTERVAL: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(100);
const ATTEMPTS: u32 = 10;
/// What connecting may take besides the connection itself.
const SETTLING: Duration = Duration::from_millis(500);
