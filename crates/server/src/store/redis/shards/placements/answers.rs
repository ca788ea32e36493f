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
        let (was_deaf, is_wanted) = (mem::take(&mut entry.deaf), entry.wanted > 0);
        if was_deaf {
            self.deaf -= 1;
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
            self.deaf += usize::from(!mem::replace(&mut entry.deaf, true));
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
            _ => self.leave_nowhere(channel),
        }
    }

    /// A master does not allow it.
    pub(in super::super) fn refused(&mut self, id: ShardId, channel: &Channel, reason: &str) {
        let Some(entry) = self.answered(channel, Wire::Asked(id), Wire::Refused(id)) else { return };
        entry.decide(Standing::Refused(reason.to_owned()));
        let (was_deaf, is_wanted) = (mem::take(&mut entry.deaf), entry.wanted > 0);
        self.deaf -= usize::from(was_deaf);
        if !is_wanted {
            self.entries.remove(channel);
        }
    }

    /// A connection is proven alive, and messages on this channel come over it.
    pub(in super::super) fn live(&mut self, id: ShardId, probe: Option<&Channel>) {
        if let Some(master) = self.masters.find_mut(id) {
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
        let mut affected: Vec<Channel> = master.queue.drain(..).collect();
        affected.iter().for_each(|channel| self.unqueue(channel));
        for (channel, entry) in &mut self.entries {
            if !entry.is_with(id) {
                continue;
            }
            if matches!(entry.wire, Wire::On(_)) && entry.wanted > 0 {
                self.deaf += usize::from(!mem::replace(&mut entry.deaf, true));
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
