use geocast_protocol::Channel;

/// What a client is subscribed to in the hub: the messages of a channel, or its state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Topic {
    pub(crate) channel: Channel,
    /// Whether the subscribers are told what enters and leaves.
    pub(crate) is_tracked: bool,
}

impl Topic {
    /// The messages of a channel.
    pub(crate) fn messages(channel: &Channel) -> Self {
        Self { channel: channel.clone(), is_tracked: false }
    }

    /// The state of a channel.
    pub(crate) fn state(channel: &Channel) -> Self {
        Self { channel: channel.clone(), is_tracked: true }
    }

    /// Both.
    pub(crate) fn of(channel: &Channel) -> [Self; 2] {
        [Self::messages(channel), Self::state(channel)]
    }
}
