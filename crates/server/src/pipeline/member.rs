use std::{any::Any, collections::BTreeSet, fmt, time::Duration};

use rustc_hash::FxHashMap;

use super::{ClientId, Group};

/// What is known of one client, or of the consumer of a node: its groups, its token, and what filters remember of it.
#[derive(Default)]
pub struct Member {
    pub(super) client: Option<ClientId>,
    pub(super) token: Option<Group>,
    pub(super) groups: BTreeSet<Group>,
    /// For how long scripts have kept the thread busy since that was last asked.
    pub(super) computed: Duration,
    /// By the filter's place among all.
    pub(super) memories: FxHashMap<usize, Box<dyn Any + Send>>,
}

impl Member {
    /// A client that has just connected.
    pub fn new(client: ClientId) -> Self {
        Self { client: Some(client), ..Self::default() }
    }

    /// What stands for a client where items of channels are consumed.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Who it is; nobody where items of channels are consumed.
    pub fn client(&self) -> Option<ClientId> {
        self.client
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A token lets its bearer read: it does not belong in a log.
        f.debug_struct("Member").field("client", &self.client).finish_non_exhaustive()
    }
}
