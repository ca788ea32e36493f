use geocast_protocol::Channel;

use super::{Body, Group};

/// Something that a filter wants done. Actions are carried out in the order in which filters asked for them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Send this to the client itself.
    Send(Body),
    /// Send this to every other client; without a client, to every client of this node.
    Broadcast(Body),
    /// Send this to every other client of a group, on all nodes.
    SendToGroup(Group, Body),
    /// Publish this. What the settings let a client publish does not matter here; a policy of the program's own is asked
    /// about the client.
    Publish(Channel, Body),
    /// From here on, the client gets what is sent to this group.
    Join(Group),
    /// From here on, it does not.
    Leave(Group),
    /// Write this to standard output, with a line break behind it.
    Print(String),
}

impl Action {
    /// Bytes that it carries.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Send(body) | Self::Broadcast(body) | Self::Publish(_, body) => body.as_bytes().len(),
            Self::SendToGroup(_, body) => body.as_bytes().len(),
            Self::Join(_) | Self::Leave(_) => 0,
            Self::Print(text) => text.len(),
        }
    }
}
