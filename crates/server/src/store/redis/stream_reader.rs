use std::{
    slice,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use geocast_protocol::{Channel, Word};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::{
    backoff::Backoff,
    commands::Commands,
    epochs::Witness,
    shared::Shared,
    stream_look::{Look, Scope},
    stream_mark::{Mark, Sight, Verdict},
    streams::{AT_ONCE, EntryId, as_entry, entry_id, message},
    witnesses::Witnesses,
};
use crate::{
    Broker, StoreError,
    log_limit::LogLimit,
    runtime::watch,
    store::{HistoryPosition, history::KeptMessage},
};

/// The streams that are followed, for as long as somebody wants their channels.
#[derive(Debug, Default)]
pub(super) struct Streams {
    followed: Mutex<FxHashMap<Channel, Followed>>,
    changed: Notify,
    /// Why nothing can be read at this moment.
    failure: Mutex<Option<String>>,
    witnesses: Witnesses,
    /// Whether all streams are to be looked at, as some may not be what they were.
    doubted: AtomicBool,
}

#[derive(Debug)]
struct Followed {
    wanted: usize,
    /// Where to go on reading; none before it is known where to begin.
    mark: Option<Mark>,
    /// The last entry that has been handed to the broker.
    reached: watch::Sender<Option<EntryId>>,
    /// Until when it is left out, because Redis refuses to read it.
    aside: Option<Instant>,
}

impl Streams {
    /// Counts one who wants a channel. What is told is how far it has been followed.
    pub(super) fn want(&self, channel: &Channel) -> watch::Receiver<Option<EntryId>> {
        let mut followed = self.followed.lock();
        let new = || Followed { wanted: 0, mark: None, reached: watch::Sender::default(), aside: None };
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

    /// What proves that the history of a channel is still the one that it was.
    pub(super) fn witness(&self, channel: &Channel) -> Witness {
        self.witnesses.of(channel)
    }

    /// A message stands there in the history of its channel.
    pub(super) fn saw(&self, channel: &Channel, position: &HistoryPosition) {
        if let Some(entry) = as_entry(position.offset) {
            self.witnesses.saw(channel, entry, &position.epoch);
        }
    }

    /// The history of a channel was read, up to there. Whoever follows it may not know yet that it is another.
    pub(super) fn recalled(&self, channel: &Channel, end: &HistoryPosition) {
        if self.witnesses.confirmed(channel, &end.epoch) {
            self.doubted.store(true, Relaxed);
        }
        self.saw(channel, end);
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
            if checked.elapsed() > CHECK {
                self.doubted.store(true, Relaxed);
            }
            let is_doubted = self.doubted.swap(false, Relaxed);
            let mut outcome = self.round(&commands, &broker, &shared, is_doubted).await;
            match outcome {
                Ok(_) if is_doubted => checked = Instant::now(),
                // It may be another Redis that answers next.
                Err(_) => self.doubted.store(true, Relaxed),
                Ok(_) => {}
            }
            if let Err(StoreError::Refused(_)) = outcome {
                outcome = match self.set_aside(&commands).await {
                    Ok(0) => outcome,
                    Ok(_) => Ok(true),
                    Err(error) => Err(error),
                };
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
    async fn round(
        &self,
        commands: &Commands,
        broker: &Broker,
        shared: &Shared,
        is_doubted: bool,
    ) -> Result<bool, StoreError> {
        if is_doubted {
            self.confirm(commands).await?;
        }
        let marks = self.marks(Instant::now());
        let is_any_new = marks.iter().any(|(_, mark)| mark.is_none());
        let scope = if is_doubted || is_any_new { Scope::All } else { Scope::Changed };
        let position = |(channel, mark): &(Channel, Option<Mark>)| {
            (channel.clone(), mark.as_ref().map(|mark| mark.reached))
        };
        let positions: Vec<_> = marks.iter().map(position).collect();
        let mut marks: FxHashMap<Channel, Option<Mark>> = marks.into_iter().collect();
        for look in commands.look(&positions, scope).await? {
            let Some(mark) = marks.remove(&look.channel) else { continue };
            match mark {
                Some(mark) => self.go_on(mark, look, commands, broker, shared).await,
                None => self.reach(&look.channel, Mark::at_the_end(&look.sight)),
            }
        }
        Ok(!positions.is_empty())
    }

    /// Hands over what was read of a stream, and before it that some was missed, if it was.
    async fn go_on(&self, mark: Mark, look: Look, commands: &Commands, broker: &Broker, shared: &Shared) {
        let Look { channel, sight, entries } = look;
        let verdict = mark.judge(&sight);
        let epoch = match verdict {
            Verdict::Lost => self.begin_anew(&channel, &mark, &sight, commands).await,
            Verdict::Whole | Verdict::Missed => sight.epoch.clone(),
        };
        if verdict != Verdict::Whole {
            tell_of_gap(&channel, verdict, &mark, &sight);
            broker.missed_on(slice::from_ref(&channel));
        }
        let mut parcel = broker.parcel();
        let last = entries.last().and_then(|(id, _)| entry_id(id));
        for KeptMessage { place, payload } in entries.into_iter().filter_map(message) {
            if payload.len() > commands.max_message() {
                shared.skipped(channel.as_str().as_bytes(), payload.len() as u64, commands.max_message());
            } else {
                parcel.add_at(&channel, payload, Some(place)).await;
            }
        }
        // Whoever waits for this may rely on everything before it.
        drop(parcel);
        self.reach(&channel, mark.next(&sight, verdict, last, epoch));
    }

    /// Gives the history a new epoch, unless another node has, or tries it again with every look at all streams.
    async fn begin_anew(
        &self,
        channel: &Channel,
        mark: &Mark,
        sight: &Sight,
        commands: &Commands,
    ) -> Option<Word> {
        let known = mark.epoch.clone().or_else(|| sight.epoch.clone());
        let witness = self.witnesses.lost(channel, known);
        let epoch =
            commands.confirm(&[(channel.clone(), witness)]).await.map(|epochs| epochs.into_iter().next());
        if let Ok(Some(Some(epoch))) = epoch {
            self.witnesses.confirmed(channel, &epoch);
            return Some(epoch);
        }
        if let Some(unlogged) = UNNAMED.admit() {
            tracing::warn!(event = "history_epoch_kept", %channel, ?epoch, unlogged, "a history that lost some is given no new epoch yet");
        }
        sight.epoch.clone()
    }

    /// Asks of all that was seen of histories whether it is still there.
    async fn confirm(&self, commands: &Commands) -> Result<(), StoreError> {
        for witnesses in self.witnesses.all().chunks(AT_ONCE) {
            let epochs = commands.confirm(witnesses).await?;
            for ((channel, _), epoch) in witnesses.iter().zip(epochs) {
                if let Some(epoch) = epoch {
                    self.witnesses.confirmed(channel, &epoch);
                }
            }
        }
        Ok(())
    }

    /// Leaves out for a while what Redis refuses to read, so that everything else goes on, and says of how many that is so.
    async fn set_aside(&self, commands: &Commands) -> Result<usize, StoreError> {
        let mut refused = 0;
        for channel in self.channels() {
            match commands.end(&channel).await {
                Ok(_) => {}
                Err(StoreError::Refused(reason)) => {
                    refused += 1;
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
        Ok(refused)
    }

    /// Where to go on reading. Those whose time aside is over are among the others again.
    fn marks(&self, now: Instant) -> Vec<(Channel, Option<Mark>)> {
        let mut all = self.followed.lock();
        for followed in all.values_mut() {
            followed.aside.take_if(|until| *until <= now);
        }
        let current = all.iter().filter(|(_, followed)| followed.aside.is_none());
        current.map(|(channel, followed)| (channel.clone(), followed.mark.clone())).collect()
    }

    fn reach(&self, channel: &Channel, mark: Mark) {
        if let Some(epoch) = &mark.epoch {
            self.witnesses.saw(channel, mark.reached, epoch);
        }
        if let Some(followed) = self.followed.lock().get_mut(channel) {
            followed.reached.send_replace(Some(mark.reached));
            followed.mark = Some(mark);
        }
    }
}

fn tell_of_gap(channel: &Channel, verdict: Verdict, mark: &Mark, sight: &Sight) {
    let Some(unlogged) = GAPS.admit() else { return };
    let (Mark { reached, added, .. }, Sight { first, last, added: now, .. }) = (mark, sight);
    match verdict {
        Verdict::Whole => {}
        Verdict::Missed => {
            tracing::warn!(event = "history_missed", %channel, ?reached, ?added, ?first, ?last, ?now, unlogged, "messages of a history were gone before they were read");
        }
        Verdict::Lost => {
            tracing::warn!(event = "history_went_back", %channel, ?reached, ?added, ?first, ?last, ?now, unlogged, "a history does not have what it had");
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
static UNNAMED: LogLimit = LogLimit::new();

/// Who trims too much does it with each message.
static GAPS: LogLimit = LogLimit::new();
