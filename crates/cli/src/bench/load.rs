use std::time::{Duration, Instant};

use anyhow::ensure;

use super::{
    engine::{Engine, Stamp},
    messages::Messages,
    pace::{Pace, Schedule},
    progress::Progress,
    publisher::Publication,
};

/// What is to be published.
#[derive(Debug)]
pub(super) struct Load<C> {
    pub(super) messages: u32,
    pub(super) pace: Pace,
    pub(super) content: C,
}

/// What there is to say.
pub(super) trait Content {
    /// The next message, and how many times any client has to get it.
    fn next(&mut self, stamp: Stamp) -> (Publication, u64);
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivered {
    /// How many times any client had to get a message.
    pub(super) expected: u64,
    /// From the first message to the last delivery.
    pub(super) time: Duration,
}

impl<C: Content> Content for &mut C {
    fn next(&mut self, stamp: Stamp) -> (Publication, u64) {
        (**self).next(stamp)
    }
}

/// Publishes messages that do not count until every one of so many clients has had one: subscriptions are in force then,
/// and the server has all it needs ready.
pub(super) fn warm_up(
    engine: &mut Engine,
    load: &Load<Messages>,
    clients: usize,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let probe = load.content.probe();
    let start = Instant::now();
    let mut probes = 0;
    while probes < PROBES || engine.tally().probed < clients {
        let probed = engine.tally().probed;
        ensure!(
            start.elapsed() < PATIENCE,
            "{probed} of {clients} clients got anything within {PATIENCE:?}: does the server let the channel through, \
             and are --subscribe and --publish what it expects?"
        );
        engine.publisher()?.publish(std::slice::from_ref(&probe))?;
        probes += 1;
        let waiting = Instant::now();
        // One after the other if possible, and again if nobody listened yet.
        while waiting.elapsed() < AGAIN
            && !(engine.tally().probed == clients && engine.publisher()?.is_settled())
        {
            engine.turn(AGAIN)?;
            engine.complain()?;
        }
        progress.say(|| format!("{probed} of {clients} clients subscribed"));
    }
    engine.rest(SETTLE)
}

/// Publishes everything and waits until it has arrived, or nothing arrives any more.
pub(super) fn publish(
    engine: &mut Engine,
    load: &mut Load<impl Content>,
    progress: &mut Progress,
) -> anyhow::Result<Delivered> {
    let start = engine.now();
    let mut schedule = Schedule::new(load.pace, load.messages as usize, start);
    let (mut expected, mut number) = (0, 0);
    let before = engine.tally().deliveries;
    let mut last = (0, start);
    loop {
        let received = engine.tally().deliveries - before;
        let now = engine.now();
        if received != last.0 {
            last = (received, now);
        }
        let settled = received >= expected && engine.publisher()?.is_settled();
        if settled && schedule.is_over() {
            break;
        }
        let due = schedule.due(now, settled);
        if due > 0 {
            let mut batch = Vec::with_capacity(due);
            for _ in 0..due {
                number += 1;
                let sent = u64::try_from(engine.now().as_nanos()).unwrap_or(u64::MAX);
                let (message, deliveries) = load.content.next(Stamp { sent, number });
                expected += deliveries;
                batch.push(message);
            }
            engine.publisher()?.publish(&batch)?;
            last.1 = now;
        }
        if !settled && now.saturating_sub(last.1) > LOST {
            break;
        }
        engine.turn(schedule.wait(now))?;
        progress
            .say(|| format!("{number} of {} messages, {received} of {expected} deliveries", load.messages));
    }
    Ok(Delivered { expected, time: last.1.saturating_sub(start) })
}

/// As many as it takes for the server's paths to be warm, and few enough not to be noticed.
const PROBES: u32 = 10;
/// How long after a probe the next one is sent to those who were not listening yet.
const AGAIN: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(20);
/// What is still on its way comes before the first message that counts.
const SETTLE: Duration = Duration::from_millis(100);
/// What has not come for so long, while nothing else came, does not come any more.
pub(super) const LOST: Duration = Duration::from_secs(5);
