use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use geocast_protocol::{Channel, Person, rpc::PresenceChange};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{Change, Exchange, Presence, fitting};
use crate::{
    Broker, StoreError, clock, connection::Frame, dialect::Payload, log_limit::LogLimit, store::PresenceLog,
};

/// The task that tells watchers of changes and, where nodes share a store, speaks with it. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Keeper {
    task: Option<JoinHandle<()>>,
    stop: Option<oneshot::Sender<()>>,
}

impl Keeper {
    /// Begins on the current runtime.
    pub(crate) fn start(presence: Arc<Presence>, broker: Arc<Broker>, log: Option<PresenceLog>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(presence, broker, log, stopped));
        Self { task: Some(task), stop: Some(stop) }
    }

    /// Tells the other nodes that this one ends.
    pub(crate) async fn stop(mut self) {
        let (Some(stop), Some(task)) = (self.stop.take(), self.task.as_mut()) else { return };
        // A task that has ended has told all it could.
        let _ended: Result<(), ()> = stop.send(());
        drop(timeout(FAREWELL, task).await);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.iter().for_each(JoinHandle::abort);
    }
}

async fn run(
    presence: Arc<Presence>,
    broker: Arc<Broker>,
    log: Option<PresenceLog>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut exchange = Exchange::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = &mut stopped => break,
        }
        if let Some(log) = &log {
            speak(&presence, &mut exchange, log).await;
            presence.is_stale.store(exchange.is_stale(Instant::now()), Ordering::Relaxed);
        }
        // In pieces, because clients that come and go want the same lock.
        while presence.roster.lock().forget(Instant::now(), AT_ONCE) {
            tokio::task::yield_now().await;
        }
        let changes = presence.roster.lock().settle(Instant::now());
        if presence.is_watched() {
            changes.iter().for_each(|(channel, change)| tell(&broker, channel, change));
        }
    }
    if let Some(log) = &log
        && let Err(error) = log.end(presence.me).await
    {
        tracing::debug!(%error, "other nodes will find out that this one is gone");
    }
}

/// Says what there is to say and hears what there is to hear, in some turns at most.
async fn speak(presence: &Presence, exchange: &mut Exchange, log: &PresenceLog) {
    for _ in 0..TURNS {
        let then = Instant::now();
        let call = exchange.call(&mut presence.roster.lock(), then);
        match log.say(presence.me, &call).await {
            Ok(answer) => {
                exchange.take(&call, answer, &mut presence.roster.lock(), then, Instant::now());
            }
            Err(error) => {
                exchange.fail(&mut presence.roster.lock());
                if let Some(unlogged) = UNHEARD.admit() {
                    tracing::warn!(event = "presence_unshared", %error, unlogged, "presence is not shared with other nodes; it is tried again");
                }
                if !matches!(error, StoreError::Refused(_)) {
                    return;
                }
                return tokio::time::sleep(REFUSED).await;
            }
        }
        if exchange.is_settled(&presence.roster.lock()) {
            return;
        }
    }
}

fn tell(broker: &Broker, channel: &Channel, change: &Change) {
    let (joined, left) = (named(&change.joined), named(&change.left));
    let is_short = joined.len() < change.joined.len() || left.len() < change.left.len();
    let notification = PresenceChange {
        channel,
        clients: change.clients,
        joined: &joined,
        left: &left,
        truncated: change.is_truncated || is_short,
        timestamp: clock::timestamp(),
    };
    let frame = Frame::from(&Payload::text(notification.to_vec()));
    broker.tell_watchers(channel, frame.bytes());
}

/// As many as there is room for: whoever says much of themselves is not to fill what waits for others.
fn named(people: &[Arc<Person>]) -> Vec<&Person> {
    let most = fitting(people.iter().map(|person| &**person), NAMED);
    people[..most].iter().map(|person| &**person).collect()
}

/// Bytes in which those are named who have joined, and those who have left.
const NAMED: usize = 16 * 1024;

/// How long changes are collected, and how often the other nodes are listened to.
const TICK: Duration = Duration::from_millis(250);

/// Lines that are forgotten in one piece.
const AT_ONCE: usize = 1000;

/// Turns of one conversation with the store: what is left waits for the next.
const TURNS: usize = 64;

/// How long a store is left alone that refuses.
const REFUSED: Duration = Duration::from_secs(2);

/// How long a stopping server tries to say that it does.
const FAREWELL: Duration = Duration::from_secs(2);

/// Redis may be away for long.
static UNHEARD: LogLimit = LogLimit::new();
