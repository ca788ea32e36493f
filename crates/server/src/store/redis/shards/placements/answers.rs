use std::mem;

use geocast_protocol::Channel;

use super::{
    super::entry::{Entry, ShardId, Wire},
    Placements,
};
use crate::store::redis::{address::Address, subscriptions::Standing};

/// What comes from the masters.
impl Placements {
    /// A master has confirmed a subscription.
    pub(in super::super) fn subscribed(&mut self, id: ShardId, channel: &Channel) {
        let Some(entry) = self.answered(channel, Wire::Asked(id), Wire::On(id)) else { return };
        (entry.misplaced, entry.sent_on) = (0, false);
        entry.decide(Standing::InForce);
        let (was_deaf, was_owed) = (mem::take(&mut entry.deaf), mem::take(&mut entry.owed));
        let is_wanted = entry.wanted > 0;
        entry.heard = is_wanted;
        self.deaf -= usize::from(was_deaf);
        self.is_proven = true;
        if was_deaf || was_owed {
            self.regained.push(channel.clone());
        }
        if !is_wanted {
            self.enqueue(channel, id);
        }
    }

    /// A master has confirmed the end of a subscription.
    pub(in super::super) fn left(&mut self, id: ShardId, channel: &Channel) {
        if self.answered(channel, Wire::Leaving(id), Wire::Off).is_some() {
            self.place(channel);
        }
    }

    /// A master has ended a subscription, because it has lost the slot.
    pub(in super::super) fn ended(&mut self, id: ShardId, channel: &Channel) {
        let Some(entry) = self.entries.get_mut(channel).filter(|entry| entry.wire == Wire::On(id)) else {
            return;
        };
        entry.wire = Wire::Off;
        if entry.wanted > 0 {
            self.deaf += entry.fall_deaf();
        }
        entry.sent_on = false;
        self.is_outdated = true;
        if entry.wanted == 0 {
            self.entries.remove(channel);
        } else {
            // It knows who has the slot now, or it would not have ended this.
            self.enqueue(channel, id);
        }
    }

    /// A master that was asked has not the slot. It may have said who has.
    pub(in super::super) fn turned_away(&mut self, id: ShardId, channel: &Channel, owner: Option<&Address>) {
        let Some(entry) = self.answered(channel, Wire::Asked(id), Wire::Off) else { return };
        let (was_sent_on, is_wanted) = (mem::replace(&mut entry.sent_on, true), entry.wanted > 0);
        self.is_outdated = true;
        let is_master = |owner: &&Address| {
            self.topology.as_ref().is_some_and(|topology| topology.masters().contains(owner))
        };
        match owner.filter(is_master) {
            Some(owner) if !was_sent_on && is_wanted => {
                let id = self.masters.at(owner);
                self.enqueue(channel, id);
            }
            _ => {
                if let Some(entry) = self.entries.get_mut(channel).filter(|_| is_wanted) {
                    self.deaf += entry.fall_deaf();
                }
                self.leave_nowhere(channel);
            }
        }
    }

    /// A master does not allow it. Whoever had it before goes without now.
    pub(in super::super) fn refused(&mut self, id: ShardId, channel: &Channel, reason: &str) {
        let Some(entry) = self.answered(channel, Wire::Asked(id), Wire::Refused(id)) else { return };
        entry.decide(Standing::Refused(reason.to_owned()));
        let was_deaf = !entry.heard && mem::take(&mut entry.deaf);
        entry.owed = true;
        let is_wanted = entry.wanted > 0;
        self.deaf -= usize::from(was_deaf);
        if !is_wanted {
            self.entries.remove(channel);
        }
    }

    /// A master has answered behind all that it has told before.
    pub(in super::super) fn has_answered(&mut self, id: ShardId, answer: u64) {
        if let Some(master) = self.masters.find_mut(id) {
            master.answered = answer;
        }
    }

    /// A connection is proven alive, and messages on this channel come over it.
    pub(in super::super) fn live(&mut self, id: ShardId, probe: Option<&Channel>) {
        if let Some(master) = self.masters.find_mut(id) {
            self.is_proven |= probe.is_some();
            master.trouble = None;
            if master.probe.as_ref() != probe {
                master.probe = probe.cloned();
            }
        }
    }

    /// A connection is gone, and every subscription with it.
    pub(in super::super) fn lost(&mut self, id: ShardId, reason: String) {
        let Some(master) = self.masters.find_mut(id) else { return };
        (master.in_flight, master.trouble, master.probe) = (0, Some(reason), None);
        master.asked = master.answered;
        let mut affected: Vec<Channel> = master.queue.drain(..).collect();
        for channel in &affected {
            let Some(entry) = self.entries.get_mut(channel) else { continue };
            entry.queued = false;
            if entry.wanted > 0 {
                self.deaf += entry.fall_deaf();
            }
        }
        for (channel, entry) in &mut self.entries {
            if !entry.is_with(id) {
                continue;
            }
            if entry.wanted > 0 && !matches!(entry.wire, Wire::Refused(_)) {
                self.deaf += entry.fall_deaf();
            }
            entry.wire = Wire::Off;
            affected.push(channel.clone());
        }
        for channel in &affected {
            self.leave_nowhere(channel);
        }
    }

    fn answered(&mut self, channel: &Channel, before: Wire, after: Wire) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(channel).filter(|entry| entry.wire == before)?;
        let (Wire::Asked(id) | Wire::Leaving(id)) = before else { return None };
        entry.wire = after;
        if let Some(master) = self.masters.find_mut(id) {
            master.in_flight = master.in_flight.saturating_sub(1);
        }
        Some(entry)
    }
}
