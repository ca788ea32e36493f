use std::{collections::VecDeque, sync::Arc};

use geocast_protocol::Channel;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use super::entry::ShardId;
use crate::store::redis::address::Address;

/// The masters that are asked for anything. Each has one connection, or is to have one.
#[derive(Debug, Default)]
pub(super) struct Masters {
    by_id: FxHashMap<ShardId, Master>,
    last: u64,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Master {
    pub(super) address: Address,
    /// Channels of which something is to be said.
    pub(super) queue: VecDeque<Channel>,
    /// Channels of which an answer is awaited.
    pub(super) in_flight: usize,
    /// Wakes who has the connection.
    pub(super) changed: Arc<Notify>,
    /// Why there is no connection. A first one that is on its way is no trouble.
    pub(super) trouble: Option<String>,
    /// A channel whose messages come over the connection, if it is proven alive.
    pub(super) probe: Option<Channel>,
    /// How often somebody wanted it to answer, to have heard all that it has told before.
    pub(super) wanted: u64,
    /// Up to which of these it has been asked on the connection, and up to which it has answered.
    pub(super) asked: u64,
    pub(super) answered: u64,
}

/// A master that is to be connected to.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) id: ShardId,
    pub(super) address: Address,
    pub(super) changed: Arc<Notify>,
}

impl Masters {
    pub(super) fn find(&self, id: ShardId) -> Option<&Master> {
        self.by_id.get(&id)
    }

    pub(super) fn find_mut(&mut self, id: ShardId) -> Option<&mut Master> {
        self.by_id.get_mut(&id)
    }

    /// The one at this address, which is new if it was not needed before.
    pub(super) fn at(&mut self, address: &Address) -> ShardId {
        if let Some((id, _)) = self.by_id.iter().find(|(_, master)| master.address == *address) {
            return *id;
        }
        self.last += 1;
        let id = ShardId(self.last);
        let master = Master {
            address: address.clone(),
            queue: VecDeque::new(),
            in_flight: 0,
            changed: Arc::default(),
            trouble: None,
            probe: None,
            wanted: 0,
            asked: 0,
            answered: 0,
        };
        self.by_id.insert(id, master);
        id
    }

    /// Whether there is no connection to the one at this address, though there was to be one.
    pub(super) fn is_away(&self, address: &Address) -> bool {
        self.by_id.values().any(|master| master.address == *address && master.trouble.is_some())
    }

    /// Those that are none any more.
    pub(super) fn others_than(&self, addresses: &[Address]) -> Vec<ShardId> {
        let is_other = |master: &Master| !addresses.contains(&master.address);
        self.by_id.iter().filter(|(_, master)| is_other(master)).map(|(id, _)| *id).collect()
    }

    pub(super) fn remove(&mut self, id: ShardId) {
        self.by_id.remove(&id);
    }

    pub(super) fn clear(&mut self) {
        self.by_id.clear();
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Master> {
        self.by_id.values_mut()
    }

    /// Wants an answer of each, and says which.
    pub(super) fn want_answers(&mut self) -> Vec<(ShardId, u64)> {
        let want = |(&id, master): (&ShardId, &mut Master)| {
            master.wanted += 1;
            master.changed.notify_one();
            (id, master.wanted)
        };
        self.by_id.iter_mut().map(want).collect()
    }

    /// All but those that are `open` already.
    pub(super) fn to_open(&self, is_open: impl Fn(ShardId) -> bool) -> Vec<Opening> {
        let opening = |(&id, master): (&ShardId, &Master)| Opening {
            id,
            address: master.address.clone(),
            changed: Arc::clone(&master.changed),
        };
        self.by_id.iter().filter(|(id, _)| !is_open(**id)).map(opening).collect()
    }

    /// The connections that are proven alive: a master, and a channel whose messages come over its connection.
    pub(super) fn probes(&self) -> Vec<(Address, Channel)> {
        let probe = |master: &Master| Some((master.address.clone(), master.probe.clone()?));
        self.by_id.values().filter_map(probe).collect()
    }

    /// Why one of them is not heard, if so.
    pub(super) fn trouble(&self) -> Option<String> {
        self.by_id.values().find_map(|Master { address, trouble, .. }| {
            trouble.as_ref().map(|reason| format!("nothing is heard of the shard of {address}: {reason}"))
        })
    }
}
