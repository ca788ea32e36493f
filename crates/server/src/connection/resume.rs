//! Subscriptions to channels with a history.

use std::{rc::Rc, time::Duration};

use futures_util::future::BoxFuture;
use geocast_hub::SubscriberId;
use geocast_protocol::{Channel, Offset, Since, Word};
use tokio::time::timeout;

use super::{
    Connection,
    effects::{ACKNOWLEDGEMENT, Done},
    held::Held,
    work::Work,
};
use crate::{
    History, HistoryQuery, StoreError, clock,
    dialect::Answer,
    interest::Sight,
    session::{Asked, Effect, Fault, FaultKind},
    worker::{self, Worker},
};

/// From where on a client gets a channel.
pub(super) struct Resumed {
    channel: Channel,
    offset: Offset,
    epoch: Word,
    /// Whether nothing is missing behind the offset that was given, if one was.
    recovered: Option<bool>,
}

impl Connection {
    pub(super) fn resume(&mut self, channel: Channel, since: Option<Since>, asked: Asked) {
        self.worker.untrack(self.id, &channel);
        let sight = self.numbered(&asked);
        let (wanted, wants) = (channel.clone(), asked.clone());
        let asks_back = since.as_ref().is_some_and(|since| since.offset.is_some());
        if asks_back {
            // What comes meanwhile comes in its place.
            self.leave(&channel);
            let (worker, id) = (Rc::clone(&self.worker), self.id);
            let unresumed = channel.clone();
            let resuming = async move {
                match look_back(&worker, &channel, since).await? {
                    Some(resumed) => Ok(resumed),
                    None => {
                        confirmed(worker.subscribe(id, &channel, sight)).await?;
                        from_now_on(&worker, channel, Some(false)).await
                    }
                }
            };
            let resuming = async move {
                match resuming.await {
                    Ok(resumed) => Done::Resumed(Ok(resumed), asked),
                    Err(error) => Done::Unresumed(unresumed, error, asked),
                }
            };
            self.work = Some(Work::on(&wanted, wants, resuming));
        } else {
            let confirmation = self.join(&channel, sight);
            let worker = Rc::clone(&self.worker);
            let joining = async move {
                confirmed(confirmation).await?;
                from_now_on(&worker, channel, None).await
            };
            let joining = async move { Done::Resumed(joining.await, asked) };
            self.work = Some(Work::on(&wanted, wants, joining));
        }
    }

    /// Tells a client from where on it gets a channel, and has what it missed sent.
    pub(super) fn resumed(&mut self, resumed: Result<Resumed, ResumeError>, asked: Asked) {
        let Resumed { channel, offset, epoch, recovered } = match resumed {
            Ok(resumed) => resumed,
            Err(error) => return self.fail(&asked, &error.into()),
        };
        let reference = asked.receipt.as_ref().map(|receipt| &*receipt.reference);
        let is_watching = self.is_watching(&channel);
        let told = Answer::Subscribed {
            reference,
            channel: &channel,
            offset,
            epoch: &epoch,
            recovered,
            is_watching,
        };
        let answer = asked.dialect.answer(told, clock::timestamp());
        answer.into_iter().for_each(|payload| self.say(payload));
        if recovered == Some(true) {
            let since = Since { offset: Some(offset), epoch: Some(epoch) };
            // An answer that is kept to be sent together comes before what it brings.
            let release = self.effects.iter().position(|effect| matches!(effect, Effect::Release(_)));
            let place = if self.gathered.is_some() { release.map_or(0, |place| place + 1) } else { 0 };
            self.effects.insert(place, Effect::Replay(channel, since, asked));
        }
    }

    /// Refuses what was missed, and with it what comes: a client would take the first that it gets for where it stands, and
    /// never ask for what is before that.
    pub(super) fn not_resumed(&mut self, channel: &Channel, error: ResumeError, asked: &Asked) {
        self.leave(channel);
        if !self.effects.iter().any(|effect| effect.begins(channel)) {
            self.session.forget(channel);
        }
        self.fail(asked, &error.into());
    }

    pub(super) fn replay(&mut self, channel: Channel, since: Since, asked: Asked) {
        let sight = self.numbered(&asked);
        let (worker, id) = (Rc::clone(&self.worker), self.id);
        // It has been answered.
        let wants = Asked { receipt: None, ..asked.clone() };
        self.work = Some(Work::on(&channel.clone(), wants, async move {
            let gap = catch_up(&worker, id, &channel, since, sight).await.then_some(channel);
            Done::Replayed(gap, asked)
        }));
    }

    /// Delivers a channel from now on, or from when its state was read on.
    pub(super) fn join(
        &mut self,
        channel: &Channel,
        sight: Sight,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let dialect = sight.dialect.clone();
        let confirmation = self.worker.subscribe(self.id, channel, sight);
        if let Some(position) = self.marks.iter().position(|read| read.channel == *channel) {
            let read = self.marks.swap_remove(position);
            if read.until > clock::now() {
                if !self.worker.holds_all(channel, read.mark) {
                    self.worker.tell_one_of_gap(self.id, channel, &dialect);
                }
                self.worker.replay(self.id, channel, read.mark);
            }
        }
        confirmation
    }

    fn numbered(&self, asked: &Asked) -> Sight {
        let (dialect, rights) = (asked.dialect.clone(), asked.rights.clone());
        Sight { dialect, rights, is_numbered: true, ..self.sight.clone() }
    }
}

/// Whether all is still there behind an offset: then from there on.
async fn look_back(
    worker: &Worker,
    channel: &Channel,
    since: Option<Since>,
) -> Result<Option<Resumed>, ResumeError> {
    let (held, confirmation) = Held::begin(worker, channel);
    confirmed(confirmation).await?;
    let offset = since.as_ref().and_then(|since| since.offset);
    let query = HistoryQuery { since, ..HistoryQuery::position() };
    let History { epoch, is_whole, .. } = history(worker, channel, &query).await?;
    drop(held);
    Ok(offset.filter(|_| is_whole).map(|offset| {
        let channel = channel.clone();
        Resumed { channel, offset, epoch, recovered: Some(true) }
    }))
}

/// Where a subscription that is in force stands.
async fn from_now_on(
    worker: &Worker,
    channel: Channel,
    recovered: Option<bool>,
) -> Result<Resumed, ResumeError> {
    let History { end, epoch, .. } = history(worker, &channel, &HistoryQuery::position()).await?;
    Ok(Resumed { channel, offset: end, epoch, recovered })
}

/// Sends a client what it missed, no faster than it reads, and delivers the channel to it then. True if some was gone before
/// it could be sent.
async fn catch_up(
    worker: &Worker,
    id: SubscriberId,
    channel: &Channel,
    mut since: Since,
    sight: Sight,
) -> bool {
    let (held, confirmation) = Held::begin(worker, channel);
    let unplaced = worker.mark();
    let whole = async {
        confirmed(confirmation).await?;
        let Some(room) = worker.look_into(id, |mailbox| Some(mailbox.portion())) else { return Ok(true) };
        loop {
            if !writing(worker, id).await {
                return Ok(true);
            }
            let placed = worker.mark();
            let query = HistoryQuery { since: Some(since.clone()), most: PORTION, bytes: room };
            let history = history(worker, channel, &query).await?;
            if !history.is_whole {
                return Ok(false);
            }
            if history.offset == history.end {
                // All of it has been handed over, and what this worker has not dealt with yet comes behind it.
                let _over: Result<(), _> = worker.passed().await;
                if worker.holds_all(channel, placed) {
                    worker.give(id, channel, &sight, &history.messages);
                    let held = worker::Held { unplaced, placed };
                    drop(worker.join_behind(id, channel, sight.clone(), (history.end, held)));
                    return Ok(true);
                }
            }
            worker.give(id, channel, &sight, &history.messages);
            since = Since { offset: Some(history.offset), epoch: Some(history.epoch) };
            tokio::task::yield_now().await;
        }
    };
    let outcome: Result<bool, ResumeError> = whole.await;
    if let Err(error) = &outcome {
        tracing::warn!(event = "history_read_failed", %channel, %error, "what a client missed could not be read");
    }
    let is_lost = !outcome.unwrap_or(false);
    if is_lost {
        drop(worker.subscribe(id, channel, sight));
    }
    drop(held);
    is_lost
}

/// Waits until all that was sent before has been written. False if the client is gone.
async fn writing(worker: &Worker, id: SubscriberId) -> bool {
    loop {
        match worker.look_into(id, |mailbox| Some(mailbox.queued())) {
            None => return false,
            Some(0) => return true,
            Some(_) => tokio::time::sleep(PACE).await,
        }
    }
}

async fn history(worker: &Worker, channel: &Channel, query: &HistoryQuery) -> Result<History, ResumeError> {
    worker.node.store.history(channel, query).await?.ok_or_else(|| ResumeError::NoHistory(channel.clone()))
}

async fn confirmed(confirmation: impl Future<Output = Result<(), StoreError>>) -> Result<(), ResumeError> {
    let unconfirmed = || StoreError::Unavailable("it has not confirmed the subscription yet".to_owned());
    Ok(timeout(ACKNOWLEDGEMENT, confirmation).await.unwrap_or_else(|_elapsed| Err(unconfirmed()))?)
}

/// Why it cannot be said from where on a client gets a channel.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResumeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store keeps no history of `{0}`")]
    NoHistory(Channel),
}

impl From<ResumeError> for Fault {
    fn from(error: ResumeError) -> Self {
        match &error {
            ResumeError::Store(error) => error.into(),
            ResumeError::NoHistory(_) => Self::new(FaultKind::HistoryUnavailable, error.to_string()),
        }
    }
}

/// Messages that are read at once for a client.
const PORTION: usize = 256;

/// How long to wait for a full socket before looking again.
const PACE: Duration = Duration::from_millis(5);
