use std::{sync::Arc, time::Duration};

use geocast_protocol::Channel;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::{
    backoff::Backoff,
    commands::Commands,
    shared::Shared,
    streams::{EntryId, channel_of, entry_id, message},
};
use crate::{Broker, StoreError, log_limit::LogLimit, runtime::watch, store::history::KeptMessage};

/// The streams that are followed, for as long as somebody wants their channels.
#[derive(Debug, Default)]
pub(super) struct Streams {
    followed: Mutex<FxHashMap<Channel, Followed>>,
    changed: Notify,
    /// Why nothing can be read at this moment.
    failure: Mutex<Option<String>>,
}

#[derive(Debug)]
struct Followed {
    wanted: usize,
    /// The last entry that has been handed to the broker; none before it is known where to begin.
    reached: watch::Sender<Option<EntryId>>,
    /// Until when it is left out, because Redis refuses to read it.
    aside: Option<Instant>,
}

impl Streams {
    /// Counts one who wants a channel. What is told is how far it has been followed.
    pub(super) fn want(&self, channel: &Channel) -> watch::Receiver<Option<EntryId>> {
        let mut followed = self.followed.lock();
        let new = || Followed { wanted: 0, reached: watch::Sender::default(), aside: None };
        let followed = followed.entry(channel.clone()).or_insert_with(new);
        followed.wanted += 1;
        self.changed.notify_one();
        followed.reached.subscribe()
    }

    /// Takes one back.
    pub(super) fn release(&self, channel: &Channel) {
        let mut followed = self.followed.lock();
        if let Some(entry) = followed.get_mut(channel) {
            entry.wanted -= 1;
            if entry.wanted == 0 {
                followed.remove(channel);
            }
        }
    }

    /// How far a channel has been followed, if it is.
    pub(super) fn reached(&self, channel: &Channel) -> Option<watch::Receiver<Option<EntryId>>> {
        self.followed.lock().get(channel).map(|followed| followed.reached.subscribe())
    }

    /// All channels that are followed.
    pub(super) fn channels(&self) -> Vec<Channel> {
        self.followed.lock().keys().cloned().collect()
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().clone()
    }

    /// Follows streams without end. Whatever fails is tried again from where it was: Redis keeps what comes meanwhile.
    pub(super) async fn run(self: Arc<Self>, commands: Commands, broker: Arc<Broker>, shared: Arc<Shared>) {
        let (mut backoff, mut checked) = (Backoff::default(), Instant::now());
        loop {
            let mut outcome = self.round(&commands, &broker, &shared).await;
            if let Err(StoreError::Refused(_)) = outcome {
                outcome = self.set_aside(&commands).await.map(|()| true);
            } else if outcome.is_ok() && checked.elapsed() > CHECK {
                checked = Instant::now();
                outcome = self.check(&commands, &broker).await.and(outcome);
            }
            let is_any_aside = || self.followed.lock().values().any(|followed| followed.aside.is_some());
            match &outcome {
                Err(error) => *self.failure.lock() = Some(error.to_string()),
                Ok(_) if !is_any_aside() => *self.failure.lock() = None,
                Ok(_) => {}
            }
            match outcome {
                Ok(true) => backoff.reset(),
                // Those that are left out have their turn later.
                Ok(false) => drop(timeout(ASIDE, self.changed.notified()).await),
                Err(error) => {
                    if let Some(unlogged) = UNREAD.admit() {
                        tracing::warn!(event = "history_unfollowed", %error, unlogged, "histories cannot be followed; it is tried again");
                    }
                    tokio::time::sleep(backoff.wait(fastrand::f64())).await;
                }
            }
        }
    }

    /// Reads what has come, or waits for a moment. False if nothing is followed.
    async fn round(&self, commands: &Commands, broker: &Broker, shared: &Shared) -> Result<bool, StoreError> {
        let longest = commands.max_message();
        for channel in self.unknown(Instant::now()) {
            let end = commands.end(&channel).await?;
            self.reach(&channel, end);
        }
        let positions = self.positions();
        if positions.is_empty() {
            return Ok(false);
        }
        for (stream, entries) in commands.follow(&positions).await? {
            let Some(channel) = channel_of(&stream) else { continue };
            let mut parcel = broker.parcel();
            let last = entries.last().and_then(|(id, _)| entry_id(id));
            for KeptMessage { place, payload } in entries.into_iter().filter_map(message) {
                if payload.len() > longest {
                    shared.skipped(channel.as_str().as_bytes(), payload.len() as u64, longest);
                } else {
                    parcel.add_at(&channel, payload, Some(place)).await;
                }
            }
            // Whoever waits for this may rely on everything before it.
            drop(parcel);
            last.into_iter().for_each(|last| self.reach(&channel, last));
        }
        Ok(true)
    }

    /// Leaves out for a while what Redis refuses to read, so that everything else goes on.
    async fn set_aside(&self, commands: &Commands) -> Result<(), StoreError> {
        for channel in self.channels() {
            match commands.end(&channel).await {
                Ok(_) => {}
                Err(StoreError::Refused(reason)) => {
                    let reason = format!("{channel}: {reason}");
                    if let Some(unlogged) = REFUSED.admit() {
                        tracing::warn!(
                            event = "history_channel_unfollowed",
                            reason,
                            unlogged,
                            "the history of a channel cannot be followed"
                        );
                    }
                    *self.failure.lock() = Some(reason);
                    if let Some(followed) = self.followed.lock().get_mut(&channel) {
                        followed.aside = Some(Instant::now() + ASIDE);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Goes back where a stream has: another Redis took over with less in it, or it was deleted. What came meanwhile may have
    /// been missed.
    async fn check(&self, commands: &Commands, broker: &Broker) -> Result<(), StoreError> {
        let mut is_back = false;
        for (channel, reached) in self.positions() {
            let end = commands.end(&channel).await?;
            if end < reached {
                tracing::warn!(event = "history_went_back", %channel, ?reached, ?end, "a history has gone back");
                self.reach(&channel, end);
                is_back = true;
            }
        }
        if is_back {
            broker.missed();
        }
        Ok(())
    }

    /// The channels of which it is not known where to begin. Those whose time aside is over are among the others again.
    fn unknown(&self, now: Instant) -> Vec<Channel> {
        let mut all = self.followed.lock();
        for followed in all.values_mut() {
            followed.aside.take_if(|until| *until <= now);
        }
        let unknown = all
            .iter()
            .filter(|(_, followed)| followed.aside.is_none() && followed.reached.borrow().is_none());
        unknown.map(|(channel, _)| channel.clone()).collect()
    }

    fn positions(&self) -> Vec<(Channel, EntryId)> {
        let followed = self.followed.lock();
        let position = |(channel, followed): (&Channel, &Followed)| {
            Some((channel.clone(), (*followed.reached.borrow())?))
        };
        followed.iter().filter(|(_, followed)| followed.aside.is_none()).filter_map(position).collect()
    }

    fn reach(&self, channel: &Channel, entry: EntryId) {
        if let Some(followed) = self.followed.lock().get(channel) {
            followed.reached.send_replace(Some(entry));
        }
    }
}

/// Between two looks whether streams have gone back.
const CHECK: Duration = Duration::from_secs(5);

/// How long a stream is left out that Redis refuses to read.
const ASIDE: Duration = Duration::from_secs(5);

/// Redis may be away for long, and have something else under the names of many streams.
static UNREAD: LogLimit = LogLimit::new();
static REFUSED: LogLimit = LogLimit::new();
