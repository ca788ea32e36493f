use geocast_protocol::Channel;

/// What a client is subscribed to in the hub.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Topic {
    pub(crate) channel: Channel,
    pub(crate) kind: TopicKind,
}

/// What of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TopicKind {
    /// Its messages.
    Messages,
    /// Its state: the subscribers are told what enters and leaves.
    State,
    /// What was missed of its messages, which is given to each subscriber alone.
    Missed,
}

impl Topic {
    /// The messages of a channel.
    pub(crate) fn messages(channel: &Channel) -> Self {
        Self { channel: channel.clone(), kind: TopicKind::Messages }
    }

    /// The state of a channel.
    pub(crate) fn state(channel: &Channel) -> Self {
        Self { channel: channel.clone(), kind: TopicKind::State }
    }

    /// What was missed of the messages of a channel.
    pub(crate) fn missed(channel: &Channel) -> Self {
        Self { channel: channel.clone(), kind: TopicKind::Missed }
    }

    /// All for which a channel has to be listened to.
    pub(crate) fn of(channel: &Channel) -> [Self; 2] {
        [Self::messages(channel), Self::state(channel)]
    }
}
