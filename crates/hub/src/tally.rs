/// What has become of the events that an [`Outbox`](crate::Outbox) took and does not hold any more: each is counted in
/// exactly one place. An event is an event for one subscriber.
///
/// There will be no other place without a new major version: who adds them up has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Events whose message has left, to its last byte.
    pub left: u64,
    /// States that made way for a newer one of the same key, under [`Overflow::Latest`](crate::Overflow::Latest).
    pub replaced: u64,
    /// Events that were discarded because there was no room.
    pub dropped: u64,
}

impl Tally {
    /// All events that it accounts for.
    pub fn total(&self) -> u64 {
        self.left + self.replaced + self.dropped
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.left += other.left;
        self.replaced += other.replaced;
        self.dropped += other.dropped;
    }
}
