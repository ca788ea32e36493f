use std::{collections::VecDeque, mem, time::Duration};

use geocast_protocol::Channel;
use rustc_hash::FxHashMap;
use tokio::time::timeout;

use crate::runtime::watch;

/// Which channels are wanted, and what Redis knows of it.
///
/// Wanting and no longer wanting only change counts and queue the channel; what has to be said to Redis is taken in
/// batches, and a channel of which an answer is awaited is left alone until it came. So the last word is always that of
/// the count, however often it changed meanwhile.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    entries: FxHashMap<Channel, Entry>,
    /// Channels whose state on the connection may differ from what is wanted.
    queue: VecDeque<Channel>,
    /// Channels of which an answer is awaited.
    in_flight: usize,
    /// Channels that were wanted when the connection began and have not been decided on it yet.
    owed: usize,
    /// Channels that were heard and are refused now.
    lapsed: usize,
    /// Channels that were refused and are in force, and of which nobody was told yet.
    regained: Vec<Channel>,
}

/// What is to be said to Redis. Both lists may be empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) subscribe: Vec<Channel>,
    pub(super) unsubscribe: Vec<Channel>,
}

/// How a subscription stands, for one who waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Pending,
    InForce,
    Refused(String),
}

#[derive(Debug)]
struct Entry {
    wanted: usize,
    wire: Wire,
    queued: bool,
    /// Counted in `owed`.
    owed: bool,
    /// Has to be asked for by itself, because it was in a batch that was refused as a whole.
    alone: bool,
    /// Was in force since somebody wants it.
    heard: bool,
    /// Counted in `lapsed`.
    lapsed: bool,
    /// Was refused on this connection: those who want it are told when it is not any more.
    refused: bool,
    /// There while somebody waits.
    standing: Option<watch::Sender<Standing>>,
}

/// A channel's state on the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Off,
    Subscribing,
    On,
    Unsubscribing,
    Refused,
}

impl Standing {
    /// How a subscription stands once that is decided, or if nobody wants it any more; `None` if it is not known within `limit`.
    pub(super) async fn decided(mut standing: watch::Receiver<Self>, limit: Duration) -> Option<Self> {
        let decided = timeout(limit, standing.wait_for(|standing| *standing != Self::Pending)).await;
        let standing = decided.ok()?.map_or(Self::Pending, |standing| standing.clone());
        Some(standing)
    }
}

impl Subscriptions {
    /// One more subscription. What is returned tells when it is in force.
    pub(super) fn want(&mut self, channel: &Channel) -> watch::Receiver<Standing> {
        let entry = self.entries.entry(channel.clone()).or_insert_with(Entry::new);
        entry.wanted += 1;
        if entry.wire == Wire::On {
            entry.heard = true;
            return watch::channel(Standing::InForce).1;
        }
        if entry.wire == Wire::Refused {
            // The rights may have been changed since.
            entry.wire = Wire::Off;
        }
        let standing = match &entry.standing {
            Some(sender) => sender.subscribe(),
            None => {
                let (sender, receiver) = watch::channel(Standing::Pending);
                entry.standing = Some(sender);
                receiver
            }
        };
        if entry.wire == Wire::Off {
            entry.enqueue(channel, &mut self.queue);
        }
        standing
    }

    /// One subscription less. Without a subscription nothing changes.
    pub(super) fn release(&mut self, channel: &Channel) {
        let Some(entry) = self.entries.get_mut(channel) else { return };
        entry.wanted = entry.wanted.saturating_sub(1);
        if entry.wanted > 0 {
            return;
        }
        self.lapsed -= usize::from(mem::take(&mut entry.lapsed));
        (entry.heard, entry.refused) = (false, false);
        match entry.wire {
            Wire::On | Wire::Off => entry.enqueue(channel, &mut self.queue),
            Wire::Refused => drop(self.entries.remove(channel)),
            Wire::Subscribing | Wire::Unsubscribing => {}
        }
    }

    /// Takes what is to be said next: at most `limit` channels.
    pub(super) fn take_changes(&mut self, limit: usize) -> Changes {
        let mut changes = Changes::default();
        while changes.subscribe.len() + changes.unsubscribe.len() < limit {
            let Some(channel) = self.queue.pop_front() else { break };
            let Some(entry) = self.entries.get_mut(&channel) else { continue };
            if entry.alone && !changes.subscribe.is_empty() {
                self.queue.push_front(channel);
                break;
            }
            entry.queued = false;
            match (entry.wire, entry.wanted) {
                (Wire::Off, 0) => {
                    self.owed -= usize::from(entry.owed);
                    self.entries.remove(&channel);
                }
                (Wire::Off, _) => {
                    entry.wire = Wire::Subscribing;
                    let alone = mem::take(&mut entry.alone);
                    changes.subscribe.push(channel);
                    if alone {
                        break;
                    }
                }
                (Wire::On, 0) => {
                    entry.wire = Wire::Unsubscribing;
                    changes.unsubscribe.push(channel);
                }
                _ => {}
            }
        }
        self.in_flight += changes.subscribe.len() + changes.unsubscribe.len();
        changes
    }

    /// Redis confirmed a subscription.
    pub(super) fn subscribed(&mut self, channel: &Channel) {
        self.answered(channel, Wire::Subscribing, Wire::On, Standing::InForce);
        let Some(entry) = self.entries.get_mut(channel).filter(|entry| entry.wire == Wire::On) else {
            return;
        };
        entry.heard = entry.wanted > 0;
        self.lapsed -= usize::from(mem::take(&mut entry.lapsed));
        if mem::take(&mut entry.refused) {
            self.regained.push(channel.clone());
        }
    }

    /// Redis confirmed the end of a subscription.
    pub(super) fn unsubscribed(&mut self, channel: &Channel) {
        self.answered(channel, Wire::Unsubscribing, Wire::Off, Standing::Pending);
    }

    /// Redis refused to subscribe to `channels` at once. It does not say which of several is at fault, so each of them
    /// is asked for again alone.
    pub(super) fn refused(&mut self, channels: &[Channel], reason: &str) {
        if let [channel] = channels {
            self.answered(channel, Wire::Subscribing, Wire::Refused, Standing::Refused(reason.to_owned()));
            if let Some(entry) = self.entries.get_mut(channel).filter(|entry| entry.wire == Wire::Refused) {
                entry.refused = true;
                if entry.heard {
                    self.lapsed += usize::from(!mem::replace(&mut entry.lapsed, true));
                }
            }
            return;
        }
        for channel in channels {
            if let Some(entry) = self.entries.get_mut(channel) {
                entry.alone = true;
            }
            self.answered(channel, Wire::Subscribing, Wire::Off, Standing::Pending);
        }
    }

    /// The connection is gone, and every subscription with it.
    pub(super) fn reset(&mut self) {
        self.in_flight = 0;
        self.regained.clear();
        self.queue.clear();
        self.entries.retain(|_, entry| entry.wanted > 0);
        for (channel, entry) in &mut self.entries {
            entry.wire = Wire::Off;
            entry.alone = false;
            entry.queued = false;
            entry.owed = true;
            // Of this gap all are told.
            entry.refused = false;
            entry.enqueue(channel, &mut self.queue);
        }
        self.owed = self.entries.len();
    }

    /// Asks once more for what was refused, each by itself: the rights may have been changed since.
    pub(super) fn ask_again(&mut self) {
        for (channel, entry) in &mut self.entries {
            if entry.wire == Wire::Refused {
                (entry.wire, entry.alone) = (Wire::Off, true);
                entry.enqueue(channel, &mut self.queue);
            }
        }
    }

    /// The channels that were refused and are in force now, each told once.
    pub(super) fn take_regained(&mut self) -> Vec<Channel> {
        mem::take(&mut self.regained)
    }

    /// Why not everything is heard that was, if so.
    pub(super) fn trouble(&self) -> Option<String> {
        (self.lapsed > 0).then(|| format!("redis forbids {} channels that were heard", self.lapsed))
    }

    /// Channels of which an answer is awaited.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether there is nothing to be said.
    pub(super) fn is_queue_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether everything that was wanted when the connection began is decided. What was wanted later does not count:
    /// otherwise clients that come and go all the time could put this off for ever.
    pub(super) fn is_resumed(&self) -> bool {
        self.owed == 0
    }

    /// Channels that are wanted, or were a moment ago.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn answered(&mut self, channel: &Channel, before: Wire, after: Wire, standing: Standing) {
        let Some(entry) = self.entries.get_mut(channel).filter(|entry| entry.wire == before) else { return };
        self.in_flight -= 1;
        entry.wire = after;
        if standing != Standing::Pending || entry.wanted == 0 {
            self.owed -= usize::from(mem::take(&mut entry.owed));
        }
        if standing != Standing::Pending
            && let Some(sender) = entry.standing.take()
        {
            sender.send_replace(standing);
        }
        match (after, entry.wanted) {
            (Wire::Off | Wire::Refused, 0) => drop(self.entries.remove(channel)),
            (Wire::On, 0) | (Wire::Off, _) => entry.enqueue(channel, &mut self.queue),
            _ => {}
        }
    }
}

impl Entry {
    fn new() -> Self {
        Self {
            wanted: 0,
            wire: Wire::Off,
            queued: false,
            owed: false,
            alone: false,
            heard: false,
            lapsed: false,
            refused: false,
            standing: None,
        }
    }

    fn enqueue(&mut self, channel: &Channel, queue: &mut VecDeque<Channel>) {
        if !self.queued {
            self.queued = true;
            queue.push_back(channel.clone());
        }
    }
}

#[cfg(test)]
mod tests;
