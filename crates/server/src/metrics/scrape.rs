use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::{join, sync::Mutex, time::timeout};

use super::{
    counted,
    family::Family,
    format::MetricsFormat,
    measured::{self, Findings},
    process::Process,
};
use crate::{Tls, clock, node::Node, runtime::apart, worker::Survey};

/// What a server tells of itself, for a monitoring system. Clones share it.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    node: Arc<Node>,
    /// With the addresses that they are shown at.
    certificates: Vec<(String, Tls)>,
    /// What was gathered last. Held while something is gathered: who asks meanwhile gets the same.
    latest: Mutex<Option<Gathered>>,
}

#[derive(Debug)]
struct Gathered {
    at: Instant,
    families: Vec<Family>,
}

impl Metrics {
    pub(crate) fn new(node: Arc<Node>, certificates: Vec<(String, Tls)>) -> Self {
        Self(Arc::new(Shared { node, certificates, latest: Mutex::default() }))
    }

    /// All metrics, as they were less than a second ago: whoever asks more often costs no more. A worker or a store that does
    /// not answer is told of, and waited for not longer than a second.
    pub async fn write(&self, format: MetricsFormat) -> String {
        let mut latest = self.0.latest.lock().await;
        if let Some(Gathered { at, families }) = &*latest
            && clock::now().saturating_duration_since(*at) < FRESH
        {
            return format.write(families);
        }
        let gathered = Gathered { at: clock::now(), families: self.0.gather().await };
        format.write(&latest.insert(gathered).families)
    }
}

impl Shared {
    async fn gather(&self) -> Vec<Family> {
        let node = &self.node;
        let asked = node.broker.survey(node.settings.workers.get());
        let surveys = asked.into_iter().map(|answer| async { timeout(PATIENCE, answer).await.ok()?.ok() });
        let (surveys, health, process) =
            join!(join_all(surveys), timeout(PATIENCE, node.store.health()), apart(Process::look));
        let surveys: Vec<Option<Survey>> = surveys;
        let findings = Findings {
            surveys: &surveys,
            store_works: matches!(health, Ok(Ok(()))),
            vitals: node.store.vitals(),
            certificates: &self.certificates,
        };
        let mut families = measured::families(node, &findings);
        families.extend(counted::families(&node.counters));
        // What the system does not say is not told.
        families.extend(process.unwrap_or_default().families());
        families
    }
}

/// How old what is shown may be.
const FRESH: Duration = Duration::from_secs(1);

/// How long is waited for a worker or for the store. Prometheus waits for ten seconds by default.
const PATIENCE: Duration = Duration::from_secs(1);
