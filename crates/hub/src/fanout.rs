use crate::SubscriberId;

/// What became of some events: for each event, every subscriber of its channel is counted in exactly one place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fanout<W> {
    /// Subscribers whose sink took the rendering. What becomes of it there, the sink knows: see
    /// [`Outbox::take_tally`](crate::Outbox::take_tally).
    pub taken: u64,
    /// Events that the sink of a subscriber refused: full, or already closing.
    pub refused: u64,
    /// The subscribers whose sinks those are, and how many events each refused at once; one may stand there several times.
    pub refusing: Vec<(SubscriberId, u64)>,
    /// Subscribers from whom it was kept, by reason.
    pub withheld: Vec<(W, u64)>,
}

impl<W: PartialEq> Fanout<W> {
    /// All subscribers that were accounted for.
    pub fn total(&self) -> u64 {
        self.taken + self.refused + self.withheld.iter().map(|(_, count)| count).sum::<u64>()
    }

    pub(crate) fn take(&mut self, events: usize) {
        self.taken += events as u64;
    }

    #[cold]
    pub(crate) fn refuse(&mut self, subscriber: SubscriberId, events: usize) {
        self.refused += events as u64;
        self.refusing.push((subscriber, events as u64));
    }

    pub(crate) fn withhold(&mut self, reason: W, subscribers: usize) {
        let subscribers = subscribers as u64;
        match self.withheld.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += subscribers,
            None => self.withheld.push((reason, subscribers)),
        }
    }
}

impl<W> Default for Fanout<W> {
    fn default() -> Self {
        Self { taken: 0, refused: 0, refusing: Vec::new(), withheld: Vec::new() }
    }
}
