use std::sync::Arc;

use geocast_protocol::Channel;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    address::Address, backoff::Backoff, commands::Commands, event_flags, notices::Notices, shards::Shards,
    shared::Shared, subscriptions::Standing,
};
use crate::{
    Broker, StoreError,
    runtime::watch,
    watch::{self as watched, Before, Fields},
};

/// Reads watched hashes when Redis tells that they may have changed, and pushes what has.
///
/// A notice names the hash alone, so what each hash was is remembered, up to a bound.
#[derive(Debug)]
pub(super) struct Watcher {
    notices: Arc<Notices>,
    shared: Arc<Shared>,
    /// In a cluster, whose masters tell over connections of their own.
    shards: Option<Arc<Shards>>,
    commands: Commands,
    broker: Arc<Broker>,
    seen: FxHashMap<Channel, Fields>,
    /// Bytes of all that is remembered.
    bytes: usize,
    /// Whether every hash that there was has been read once: then one that is not remembered is new, unless it has been
    /// forgotten.
    is_complete: bool,
    /// Hashes of which there was no room to remember what they were.
    forgotten: FxHashSet<Channel>,
    /// Whether Redis lets us hear of writes.
    standings: Vec<watch::Receiver<Standing>>,
    /// What was last found to be missing; empty if nothing was.
    found: Option<String>,
    /// Why Redis last refused to name the hashes that there are.
    refused: Option<String>,
    /// Hashes that could not be read so far.
    unreadable: u64,
}

impl Watcher {
    /// `standings` are those of the subscriptions to the channels of the notices.
    pub(super) fn new(
        notices: Arc<Notices>,
        standings: Vec<watch::Receiver<Standing>>,
        shared: Arc<Shared>,
        shards: Option<Arc<Shards>>,
        commands: Commands,
        broker: Arc<Broker>,
    ) -> Self {
        Self {
            notices,
            shared,
            shards,
            commands,
            broker,
            seen: FxHashMap::default(),
            bytes: 0,
            is_complete: false,
            forgotten: FxHashSet::default(),
            standings,
            found: None,
            refused: None,
            unreadable: 0,
        }
    }

    /// Watches for as long as the store lives.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let waiting = self.notices.next().await;
            let outcome = if waiting.everything {
                self.check_notifications().await;
                self.read_everything().await
            } else {
                self.read_all(waiting.hashes).await
            };
            match outcome {
                Ok(()) => backoff.reset(),
                Err(error) => {
                    self.complain(error);
                    tokio::time::sleep(backoff.wait(fastrand::f64())).await;
                    self.notices.miss();
                }
            }
        }
    }

    /// That Redis is away is said elsewhere, once.
    fn complain(&mut self, error: StoreError) {
        match error {
            StoreError::Refused(reason) if self.refused.as_ref() != Some(&reason) => {
                tracing::error!(
                    event = "watch_forbidden",
                    reason,
                    "redis does not let us find watched hashes; nothing is pushed"
                );
                self.refused = Some(reason);
            }
            error => tracing::debug!(%error, "watched hashes cannot be read; trying again"),
        }
    }

    /// Says what is missing so that Redis tells what is written; once, unless it changes.
    async fn check_notifications(&mut self) {
        let refused = self.standings.iter().find_map(|standing| match &*standing.borrow() {
            Standing::Refused(reason) => Some(reason.clone()),
            _ => None,
        });
        let found = match (refused, self.missing_flags().await) {
            (Some(reason), _) => {
                format!("redis does not let us hear of writes into watched hashes: {reason}")
            }
            (None, Ok(Some((master, needed)))) => format!(
                "redis does not tell of writes into watched hashes; it would after \
                 CONFIG SET notify-keyspace-events {needed} on {master}"
            ),
            (None, Ok(None)) => String::new(),
            (None, Err(StoreError::Refused(reason))) => format!(
                "whether redis tells of writes into watched hashes could not be checked ({reason}); \
                 notify-keyspace-events has to be {}",
                event_flags::NEEDED
            ),
            (None, Err(_away)) => return,
        };
        if self.found.as_ref() == Some(&found) {
            return;
        }
        if found.is_empty() {
            tracing::info!(event = "watch_works", "redis tells of writes into watched hashes");
        } else {
            tracing::error!(event = "watch_notifications_off", "{found}");
        }
        self.found = Some(found);
    }

    /// What is to be set on the first master that does not tell of writes, if any does not.
    async fn missing_flags(&self) -> Result<Option<(Address, String)>, StoreError> {
        for master in self.commands.masters().await? {
            if let Some(needed) = event_flags::missing(&self.commands.notifications(&master).await?) {
                return Ok(Some((master, needed)));
            }
        }
        Ok(None)
    }

    /// Reads every watched hash, and those that there were. What is read for the first time is not pushed the first time: that
    /// is how things are.
    async fn read_everything(&mut self) -> Result<(), StoreError> {
        let mut gone: FxHashSet<Channel> = self.seen.keys().cloned().collect();
        gone.extend(self.forgotten.iter().cloned());
        for master in self.commands.masters().await? {
            let mut cursor = 0;
            loop {
                let (next, names) = self.commands.hashes(&master, cursor).await?;
                let notices = Arc::clone(&self.notices);
                for hash in names.iter().filter_map(|name| notices.watched(name)) {
                    gone.remove(&hash);
                    self.read(hash, Notice::Later).await?;
                }
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
        self.read_all(gone).await?;
        self.refused = None;
        if std::mem::replace(&mut self.is_complete, true) {
            return Ok(());
        }
        self.heard().await;
        let told = self.notices.told();
        if told.everything {
            self.notices.miss();
        }
        for hash in told.hashes {
            self.read(hash, Notice::DuringFirstReading).await?;
        }
        Ok(())
    }

    /// Waits until all that Redis has told before has come, however long that takes on its way: it answers a subscription behind it,
    /// also one that it refuses. If the connection is lost meanwhile, the next one subscribes, and everything is read again.
    async fn heard(&self) {
        if let Some(shards) = &self.shards {
            return shards.hear_out().await;
        }
        let Some((channel, _heard)) = self.shared.settling.begin() else { return };
        let mut standing = self.shared.subscriptions.lock().want(&channel);
        self.shared.changed.notify_one();
        // An error means that nobody wants it any more, and we do.
        let _answered = standing.wait_for(|standing| *standing != Standing::Pending).await.is_ok();
        self.shared.subscriptions.lock().release(&channel);
        self.shared.changed.notify_one();
        self.shared.settling.end(&channel);
    }

    async fn read_all(&mut self, hashes: impl IntoIterator<Item = Channel>) -> Result<(), StoreError> {
        for hash in hashes {
            self.read(hash, Notice::Later).await?;
        }
        Ok(())
    }

    /// Reads a hash, pushes what is different, and remembers it.
    async fn read(&mut self, hash: Channel, notice: Notice) -> Result<(), StoreError> {
        let after = match self.commands.fields(&hash).await {
            Ok(fields) => fields,
            // Another type of value has taken the place of the hash.
            Err(StoreError::Refused(reason)) if reason.contains("WRONGTYPE") => Fields::new(),
            // It alone is not watched: too large, or not for us to read.
            Err(StoreError::Full(reason) | StoreError::Refused(reason)) => {
                self.unreadable += 1;
                // One that is written often shall not fill the log.
                if self.unreadable.is_power_of_two() {
                    tracing::warn!(event = "watch_hash_failed", %hash, reason, times = self.unreadable, "a watched hash cannot be watched");
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let before = self.seen.remove(&hash);
        self.bytes -= before.as_ref().map_or(0, |fields| size(&hash, fields));
        let was_forgotten = self.forgotten.remove(&hash);
        let none = Fields::new();
        let may_be_known = notice == Notice::DuringFirstReading;
        let before = match &before {
            Some(fields) if may_be_known && *fields == after => Some(Before::Unknown),
            Some(fields) => Some(Before::Known(fields)),
            None if !self.is_complete => None,
            None if was_forgotten || may_be_known && after.is_empty() => Some(Before::Unknown),
            None => Some(Before::Known(&none)),
        };
        if let Some(before) = before {
            watched::push(&self.broker, hash.as_str(), before, &after).await;
        }
        if after.is_empty() {
            return Ok(());
        }
        let size = size(&hash, &after);
        if self.bytes + size <= MOST_REMEMBERED {
            self.bytes += size;
            self.seen.insert(hash, after);
        } else if self.forgotten.len() < MOST_FORGOTTEN {
            tracing::debug!(%hash, "what this hash was is not remembered: there is no room");
            self.forgotten.insert(hash);
        }
        Ok(())
    }
}

/// When Redis told of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notice {
    /// While everything was read for the first time: what was written may have been read then, as how things are. What it
    /// changed is not known, but that it did.
    DuringFirstReading,
    /// At any other time, or not at all.
    Later,
}

/// What a hash takes up, roughly.
fn size(hash: &Channel, fields: &Fields) -> usize {
    let fields = fields.iter().map(|(name, value)| name.len() + value.len() + 96).sum::<usize>();
    hash.as_str().len() + fields + 96
}

/// Bytes of hashes that are remembered; of others it is not known which fields are new.
const MOST_REMEMBERED: usize = 64 * 1024 * 1024;

/// Names that are kept of hashes that are not remembered. A hash beyond that is taken for new when it changes.
const MOST_FORGOTTEN: usize = 100_000;
