use std::sync::Arc;

use geocast_protocol::Person;

/// Who is on a channel.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Roll {
    /// How many of all nodes are subscribed to it.
    pub(crate) clients: u64,
    /// Who of them is known, and how many of the clients that is: none while it is waited whether somebody comes back.
    pub(crate) entries: Vec<(Arc<Person>, u64)>,
    /// Whether there are more than these.
    pub(crate) is_truncated: bool,
    /// Whether the other nodes have not been heard of lately.
    pub(crate) is_stale: bool,
}
