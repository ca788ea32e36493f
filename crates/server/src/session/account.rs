use geocast_protocol::Channel;

/// What has become of a channel's events on their way to one client: `events` is the sum of `granted` and all that was
/// `withheld`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelAccount {
    /// The channel.
    pub channel: Channel,
    /// Whether the client is told what enters and leaves its viewport. When that changes, the account begins anew.
    pub is_tracked: bool,
    /// Events since the subscription began.
    pub events: u64,
    /// Those that were put among what is sent to the client.
    pub granted: u64,
    /// Those that were not, by reason.
    pub withheld: Vec<(&'static str, u64)>,
}

/// What has become of all events that were put among what is sent to a client since it connected, also of channels that it is
/// not subscribed to any more: `granted` is the sum of all else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// All of them.
    pub granted: u64,
    /// Those that have left: the operating system has taken all bytes.
    pub delivered: u64,
    /// Those that are still waiting, or are being collected.
    pub waiting: u64,
    /// Those that made way for a newer state of the same key.
    pub replaced: u64,
    /// Those that were dropped because the client reads too slowly.
    pub slow: u64,
}
