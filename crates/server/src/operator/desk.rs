use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use thiserror::Error;
use tokio::{
    join,
    sync::{Mutex, Semaphore},
    time::{sleep, timeout},
};

use super::{
    Troubles,
    report::{Report, Seen, StoreHealth},
};
use crate::{clock, node::Node, worker::Inspection};

/// Where operators ask. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Desk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    node: Arc<Node>,
    troubles: Troubles,
    opened: Instant,
    /// Those who wait for an answer.
    places: Semaphore,
    /// When the last question was begun with. Held until it is answered.
    last: Mutex<Option<Instant>>,
}

/// What an operator wants to know of connections. Everything else is told always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    /// Only connections with greater numbers.
    pub(crate) after: u64,
    /// How many, at most.
    pub(crate) limit: usize,
}

/// More ask than can be answered.
#[derive(Debug, Error)]
#[error("{MOST_WAITING} questions are waiting for an answer already; ask again in a second")]
pub(crate) struct TooMany;

impl Question {
    /// The greatest [`limit`](Self::limit).
    pub(crate) const MOST_CLIENTS: usize = 1_000;
    /// How many clients that are slow are told of.
    pub(crate) const SLOW: usize = 50;
    /// How many channels are told of.
    pub(crate) const CHANNELS: usize = 200;
    /// How many channels each worker tells of: more than are shown in the end, as others may add to them.
    pub(crate) const CHANNELS_OF_WORKER: usize = 1_000;
    /// How many channels of a client are named.
    pub(crate) const NAMES: usize = 5;
}

impl Default for Question {
    fn default() -> Self {
        Self { after: 0, limit: 100 }
    }
}

impl Desk {
    pub(crate) fn new(node: Arc<Node>, troubles: Troubles) -> Self {
        let places = Semaphore::new(MOST_WAITING);
        Self(Arc::new(Shared { node, troubles, opened: clock::now(), places, last: Mutex::default() }))
    }

    pub(crate) fn node(&self) -> &Node {
        &self.0.node
    }

    /// Finds out how the server is: one after the other, and not more often than every [`PAUSE`]. A worker or a store that does not
    /// answer is told of, and waited for not longer than [`PATIENCE`].
    ///
    /// # Errors
    /// Too many others are waiting.
    pub(crate) async fn answer(&self, question: Question) -> Result<Report, TooMany> {
        let shared = &self.0;
        // The semaphore is never closed.
        let _place = shared.places.try_acquire().map_err(|_full| TooMany)?;
        let mut last = shared.last.lock().await;
        if let Some(last) = *last {
            sleep(PAUSE.saturating_sub(clock::now().saturating_duration_since(last))).await;
        }
        // Now, and not at the end: whoever asked may leave before it.
        *last = Some(clock::now());
        let node = &shared.node;
        let asked = node.broker.inspect(node.settings.workers.get(), question);
        let answers = asked.into_iter().map(|answer| async { timeout(PATIENCE, answer).await.ok()?.ok() });
        let (inspections, health) = join!(join_all(answers), timeout(PATIENCE, node.store.health()));
        let inspections: Vec<Option<Inspection>> = inspections;
        let seen = Seen {
            uptime: clock::now().saturating_duration_since(shared.opened),
            store: match health {
                Ok(Ok(())) => StoreHealth::Works,
                Ok(Err(error)) => StoreHealth::Fails(error),
                Err(_elapsed) => StoreHealth::Silent(PATIENCE),
            },
            inspections,
            question,
        };
        Ok(Report::new(node, seen, &shared.troubles))
    }
}

/// Who waits for an answer is few: an operator or two, with a page and a terminal each.
const MOST_WAITING: usize = 8;

/// From one question to the next.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a worker or the store is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
