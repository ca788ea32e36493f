mod answers;

use std::{mem, sync::Arc};

use geocast_protocol::Channel;
use rustc_hash::FxHashMap;

use super::{
    entry::{Entry, ShardId, Wire},
    masters::{Masters, Opening},
};
use crate::{
    runtime::watch,
    store::redis::{
        address::Address,
        subscriptions::{Changes, Standing},
        topology::Topology,
    },
};

/// Which channels are to be heard in their shards, with whom each is, and what is to be said to whom.
///
/// A channel belongs to the master that has its slot. Who that is may be known late, or wrongly: a master that has no such slot
/// says who has when it is asked, and one that loses it ends the subscription. It is asked then who has it now, once; if
/// that is of no use, the channel is nowhere until somebody has looked. So what the masters say decides, and the topology only where
/// to begin.
#[derive(Debug, Default)]
pub(super) struct Placements {
    entries: FxHashMap<Channel, Entry>,
    masters: Masters,
    topology: Option<Arc<Topology>>,
    /// Channels that are with nobody because nobody is known to have their slots, or the one who was known has not.
    nowhere: Vec<Channel>,
    /// Whether slots were found elsewhere than the topology says.
    is_outdated: bool,
    /// Channels that are to be heard, and are not.
    deaf: usize,
    /// Channels that are heard again, and of which nobody was told yet.
    regained: Vec<Channel>,
    /// Why nothing of this can be.
    unsupported: Option<String>,
    /// Whether a master has ever let us have it.
    is_proven: bool,
}

impl Placements {
    /// One more subscription. What is returned tells when it is in force.
    pub(super) fn want(&mut self, channel: &Channel) -> watch::Receiver<Standing> {
        let entry = self.entries.entry(channel.clone()).or_insert_with(|| Entry::new(channel));
        entry.wanted += 1;
        if let Some(reason) = &self.unsupported {
            entry.owed = true;
            return watch::channel(Standing::Refused(reason.clone())).1;
        }
        if matches!(entry.wire, Wire::On(_)) {
            entry.heard = true;
            return watch::channel(Standing::InForce).1;
        }
        if matches!(entry.wire, Wire::Refused(_)) {
            // The rights may have been changed since.
            entry.wire = Wire::Off;
        }
        let standing = entry.wait();
        if entry.wire == Wire::Off && is_away(self.topology.as_deref(), &self.masters, entry.slot) {
            self.deaf += entry.fall_deaf();
        }
        self.place(channel);
        standing
    }

    /// One subscription less. Without a subscription nothing changes.
    pub(super) fn release(&mut self, channel: &Channel) {
        let Some(entry) = self.entries.get_mut(channel) else { return };
        entry.wanted = entry.wanted.saturating_sub(1);
        if entry.wanted > 0 {
            return;
        }
        self.deaf -= usize::from(mem::take(&mut entry.deaf));
        (entry.heard, entry.owed) = (false, false);
        match entry.wire {
            Wire::On(id) => self.enqueue(channel, id),
            Wire::Refused(_) => drop(self.entries.remove(channel)),
            Wire::Off if self.unsupported.is_some() => drop(self.entries.remove(channel)),
            Wire::Off | Wire::Asked(_) | Wire::Leaving(_) => {}
        }
    }

    /// Where the masters are. Returned are those that are none any more: their connections are to be ended.
    pub(super) fn locate(&mut self, topology: &Arc<Topology>) -> Vec<ShardId> {
        if self.topology.as_ref().is_some_and(|known| Arc::ptr_eq(known, topology)) {
            return Vec::new();
        }
        self.topology = Some(Arc::clone(topology));
        let gone = self.masters.others_than(topology.masters());
        for &id in &gone {
            self.lost(id, "it is no master any more".to_owned());
            self.masters.remove(id);
        }
        // Who was to be asked may not be the one to ask now.
        let queued: Vec<Channel> =
            self.masters.iter_mut().flat_map(|master| master.queue.drain(..)).collect();
        for channel in &queued {
            self.unqueue(channel);
            match self.entries.get(channel).map(|entry| entry.wire) {
                Some(Wire::On(id)) => self.enqueue(channel, id),
                _ => self.place(channel),
            }
        }
        gone
    }

    /// Asks again for the channels that are nowhere, wherever they are thought to be now.
    pub(super) fn retry(&mut self) {
        for channel in mem::take(&mut self.nowhere) {
            self.unqueue(&channel);
            if let Some(entry) = self.entries.get_mut(&channel) {
                entry.sent_on = false;
            }
            self.place(&channel);
        }
    }

    /// Whether somebody should look where the masters are.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.is_outdated || self.is_any_nowhere()
    }

    /// Whether somebody should look where the masters are, asked once for each reason.
    pub(super) fn take_doubt(&mut self) -> bool {
        let is_in_doubt = self.is_in_doubt();
        self.is_outdated = false;
        is_in_doubt
    }

    /// Whether there are channels that nobody can be asked for.
    pub(super) fn is_any_nowhere(&self) -> bool {
        !self.nowhere.is_empty()
    }

    /// Looks for channels that are with one who is not known to have their slots. One that is found so twice goes: who is
    /// cut off from the others does not learn that it has lost them. What was refused is asked for again.
    pub(super) fn check(&mut self) {
        let Some(topology) = self.topology.clone() else { return };
        let mut moving = Vec::new();
        for (channel, entry) in &mut self.entries {
            let Wire::On(id) = entry.wire else { continue };
            let here = self.masters.find(id).map(|master| &master.address);
            let owner = topology.owner_of(entry.slot);
            if owner.is_none() || owner == here {
                entry.misplaced = 0;
                continue;
            }
            entry.misplaced = entry.misplaced.saturating_add(1);
            if entry.misplaced == STRIKES && entry.wanted > 0 {
                moving.push((channel.clone(), id));
            }
        }
        for (channel, id) in moving {
            self.enqueue(&channel, id);
        }
        self.ask_again();
        // Nobody takes from the queue of one who is away.
        self.entries.retain(|_, entry| entry.wanted > 0 || entry.wire != Wire::Off);
        for master in self.masters.iter_mut().filter(|master| master.trouble.is_some()) {
            master.queue.retain(|channel| self.entries.contains_key(channel));
        }
    }

    /// Takes what is to be said to one next: at most `limit` channels.
    pub(super) fn take_changes(&mut self, id: ShardId, limit: usize) -> Changes {
        let mut changes = Changes::default();
        let Some(master) = self.masters.find_mut(id) else { return changes };
        while changes.subscribe.len() + changes.unsubscribe.len() < limit {
            let Some(channel) = master.queue.pop_front() else { break };
            let Some(entry) = self.entries.get_mut(&channel) else { continue };
            entry.queued = false;
            match (entry.wire, entry.wanted) {
                (Wire::Off, 0) => drop(self.entries.remove(&channel)),
                (Wire::Off, _) => {
                    entry.wire = Wire::Asked(id);
                    changes.subscribe.push(channel);
                }
                (Wire::On(at), wanted) if at == id && (wanted == 0 || entry.misplaced >= STRIKES) => {
                    entry.wire = Wire::Leaving(id);
                    if wanted > 0 {
                        self.deaf += entry.fall_deaf();
                    }
                    changes.unsubscribe.push(channel);
                }
                _ => {}
            }
        }
        master.in_flight += changes.subscribe.len() + changes.unsubscribe.len();
        changes
    }

    /// Channels of which this one's answer is awaited.
    pub(super) fn in_flight(&self, id: ShardId) -> usize {
        self.masters.find(id).map_or(0, |master| master.in_flight)
    }

    /// Whether there is nothing to be said to this one.
    pub(super) fn is_queue_empty(&self, id: ShardId) -> bool {
        self.masters.find(id).is_none_or(|master| master.queue.is_empty())
    }

    /// The cluster has no such thing, or does not let us have it. Nobody waits for it any more.
    pub(super) fn give_up(&mut self, reason: &str) {
        self.unsupported = Some(reason.to_owned());
        self.entries.retain(|_, entry| entry.wanted > 0);
        for entry in self.entries.values_mut() {
            entry.decide(Standing::Refused(reason.to_owned()));
            (entry.wire, entry.queued) = (Wire::Off, false);
            (entry.heard, entry.deaf, entry.owed) = (false, false, true);
        }
        self.masters.clear();
        self.nowhere.clear();
        self.regained.clear();
        self.deaf = 0;
    }

    /// It can be after all: what is wanted is asked for.
    pub(super) fn take_up(&mut self) {
        self.unsupported = None;
        self.masters.clear();
        let wanted: Vec<Channel> = self.entries.keys().cloned().collect();
        wanted.iter().for_each(|channel| self.place(channel));
    }

    /// Whether anything was ever heard in a shard.
    pub(super) fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// Has each master connected to, whatever channels it has.
    pub(super) fn need_all(&mut self) {
        for master in self.topology.iter().flat_map(|topology| topology.masters()) {
            self.masters.at(master);
        }
    }

    /// Has each master answer behind all that it has told before, on its connection. Returned is which answers these are.
    pub(super) fn want_answers(&mut self) -> Vec<(ShardId, u64)> {
        self.masters.want_answers()
    }

    /// Whether these answers have come, of all whose connections have not been lost meanwhile.
    pub(super) fn have_answered(&self, answers: &[(ShardId, u64)]) -> bool {
        answers.iter().all(|&(id, wanted)| {
            let master = self.masters.find(id);
            master.is_none_or(|master| master.answered >= wanted || master.trouble.is_some())
        })
    }

    /// The answer that one is to be asked for now, if there is one.
    pub(super) fn take_wanted(&mut self, id: ShardId) -> Option<u64> {
        let master = self.masters.find_mut(id).filter(|master| master.wanted > master.asked)?;
        master.asked = master.wanted;
        Some(master.asked)
    }

    /// Why it was given up, if it was.
    pub(super) fn given_up(&self) -> Option<&str> {
        self.unsupported.as_deref()
    }

    /// The channels that are heard again, each told once.
    pub(super) fn take_regained(&mut self) -> Vec<Channel> {
        mem::take(&mut self.regained)
    }

    /// The connections that are proven alive: a master, and a channel whose messages come over its connection.
    pub(super) fn probes(&self) -> Vec<(Address, Channel)> {
        self.masters.probes()
    }

    /// Why not everything is heard that is wanted, if so.
    pub(super) fn trouble(&self) -> Option<String> {
        let deaf = || format!("nothing is heard of the shards of {} channels", self.deaf);
        self.masters.trouble().or_else(|| (self.deaf > 0).then(deaf))
    }

    /// The masters that are needed, but those that are `open` already.
    pub(super) fn to_open(&self, is_open: impl Fn(ShardId) -> bool) -> Vec<Opening> {
        self.masters.to_open(is_open)
    }

    /// Asks once more for what was refused: the rights may have been changed since.
    fn ask_again(&mut self) {
        let mut refused = Vec::new();
        for (channel, entry) in &mut self.entries {
            if matches!(entry.wire, Wire::Refused(_)) {
                entry.wire = Wire::Off;
                refused.push(channel.clone());
            }
        }
        refused.iter().for_each(|channel| self.place(channel));
    }

    /// Puts a channel that is with nobody into the queue of the one who has its slot.
    fn place(&mut self, channel: &Channel) {
        let Some(entry) = self.entries.get(channel) else { return };
        if entry.wire != Wire::Off || entry.queued || self.unsupported.is_some() {
            return;
        }
        if entry.wanted == 0 {
            self.entries.remove(channel);
            return;
        }
        match self.topology.as_ref().and_then(|topology| topology.owner_of(entry.slot)) {
            Some(owner) => {
                let id = self.masters.at(owner);
                self.enqueue(channel, id);
            }
            None => self.leave_nowhere(channel),
        }
    }

    fn enqueue(&mut self, channel: &Channel, id: ShardId) {
        let (Some(entry), Some(master)) = (self.entries.get_mut(channel), self.masters.find_mut(id)) else {
            return;
        };
        if !mem::replace(&mut entry.queued, true) {
            master.queue.push_back(channel.clone());
        }
        master.changed.notify_one();
    }

    fn unqueue(&mut self, channel: &Channel) {
        if let Some(entry) = self.entries.get_mut(channel) {
            entry.queued = false;
        }
    }

    /// Leaves a channel that is with nobody for the next who looks.
    fn leave_nowhere(&mut self, channel: &Channel) {
        let Some(entry) = self.entries.get_mut(channel) else { return };
        if entry.wanted == 0 {
            self.entries.remove(channel);
        } else if !mem::replace(&mut entry.queued, true) {
            self.nowhere.push(channel.clone());
        }
    }
}

/// Whether the master that has this slot is away, or there is none.
fn is_away(topology: Option<&Topology>, masters: &Masters, slot: u16) -> bool {
    topology.is_some_and(|topology| topology.owner_of(slot).is_none_or(|owner| masters.is_away(owner)))
}

/// Two probes apart: the others have told each other by then who has what.
const STRIKES: u8 = 2;

#[cfg(test)]
mod tests;
