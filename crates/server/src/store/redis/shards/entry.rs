use std::mem;

use geocast_protocol::Channel;

use crate::{
    runtime::watch,
    store::redis::{subscriptions::Standing, topology},
};

/// One connection to a master after another, for as long as it is a master.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ShardId(pub(super) u64);

/// A channel that is wanted, or was a moment ago.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) wanted: usize,
    pub(super) slot: u16,
    pub(super) wire: Wire,
    /// In a queue, or among those that are nowhere.
    pub(super) queued: bool,
    /// Was in force since somebody wants it.
    pub(super) heard: bool,
    /// Is to be heard, and is not: that is trouble, and those who want it are told when it is over.
    pub(super) deaf: bool,
    /// Those who want it were not let have it, which is no trouble, and are told when it is over.
    pub(super) owed: bool,
    /// Was sent to where it is by another master, and is not sent further before somebody has looked.
    pub(super) sent_on: bool,
    /// How often it was found with one who is not the owner of its slot.
    pub(super) misplaced: u8,
    /// There while somebody waits.
    pub(super) standing: Option<watch::Sender<Standing>>,
}

/// What a master knows of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Off,
    Asked(ShardId),
    On(ShardId),
    Leaving(ShardId),
    Refused(ShardId),
}

impl Entry {
    pub(super) fn new(channel: &Channel) -> Self {
        Self {
            wanted: 0,
            slot: topology::slot(channel),
            wire: Wire::Off,
            queued: false,
            heard: false,
            deaf: false,
            owed: false,
            sent_on: false,
            misplaced: 0,
            standing: None,
        }
    }

    /// Tells how it stands, as it is decided.
    pub(super) fn wait(&mut self) -> watch::Receiver<Standing> {
        match &self.standing {
            Some(sender) => sender.subscribe(),
            None => {
                let (sender, receiver) = watch::channel(Standing::Pending);
                self.standing = Some(sender);
                receiver
            }
        }
    }

    /// Tells those who wait.
    pub(super) fn decide(&mut self, standing: Standing) {
        if let Some(sender) = self.standing.take() {
            sender.send_replace(standing);
        }
    }

    /// Is not heard from now on. Returned is how many more are so.
    pub(super) fn fall_deaf(&mut self) -> usize {
        usize::from(!mem::replace(&mut self.deaf, true))
    }

    /// Whether it is with this one, in whatever way.
    pub(super) fn is_with(&self, id: ShardId) -> bool {
        match self.wire {
            Wire::Off => false,
            Wire::Asked(at) | Wire::On(at) | Wire::Leaving(at) | Wire::Refused(at) => at == id,
        }
    }
}
