use std::time::Duration;

use crate::reading::Ticket;

/// What a worker waits for to know the state of a channel.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    /// Of the last time that it asked.
    last: Ticket,
    is_awaited: bool,
    /// How often in a row the state could not be read.
    failures: u32,
}

impl Awaited {
    /// Notes that the state is asked for.
    pub(crate) fn ask(&mut self, ticket: Ticket) {
        (self.last, self.is_awaited) = (ticket, true);
    }

    /// Whether this is the state that is awaited: then none is any more. What was read for somebody who asked before is older than
    /// what has been heard of since, and another one is on the way.
    pub(crate) fn takes(&mut self, ticket: Ticket) -> bool {
        let takes = self.is_awaited && self.last <= ticket;
        if takes {
            self.is_awaited = false;
        }
        takes
    }

    /// Notes that the state has come.
    pub(crate) fn succeed(&mut self) {
        self.failures = 0;
    }

    /// Notes that the state could not be read. Returns after which time to ask again, and what tells then whether nobody has
    /// [asked](Self::is_last) meanwhile.
    pub(crate) fn fail(&mut self) -> (Duration, Ticket) {
        let wait = SHORTEST * 2_u32.pow(self.failures.min(DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        (wait, self.last)
    }

    /// Whether the state has not been asked for since.
    pub(crate) fn is_last(&self, ticket: Ticket) -> bool {
        self.last == ticket
    }
}

/// How long to wait before state that could not be read is read again: half a second, and then longer, up to 16 seconds.
const SHORTEST: Duration = Duration::from_millis(500);
const DOUBLINGS: u32 = 5;
