use std::sync::atomic::{AtomicU64, Ordering};

use super::Histogram;
use crate::CloseCode;

/// What happened at the door and at the store, by reasons and by time. None of it happens per message.
#[derive(Debug)]
pub(crate) struct Tallies {
    /// Connections that were not let in, by what they were told.
    pub(crate) refusals: Tally,
    /// Connections that ended, by how.
    pub(crate) closes: Tally,
    /// Tokens that were not accepted.
    pub(crate) tokens: Tally,
    /// From a socket that was accepted to a handshake that was answered.
    pub(crate) handshakes: Histogram,
    /// Of a value or of a channel's state.
    pub(crate) state_reads: Histogram,
}

/// Counts by name, of names that are known beforehand. Others are counted together.
#[derive(Debug)]
pub(crate) struct Tally {
    names: Vec<&'static str>,
    counts: Vec<AtomicU64>,
}

impl Tally {
    pub(crate) fn new(names: impl IntoIterator<Item = &'static str>) -> Self {
        let names: Vec<&'static str> = names.into_iter().chain([OTHER]).collect();
        let counts = names.iter().map(|_| AtomicU64::new(0)).collect();
        Self { names, counts }
    }

    pub(crate) fn add(&self, name: &str) {
        let place = self.names.iter().position(|known| *known == name).unwrap_or(self.names.len() - 1);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        self.names.iter().copied().zip(counts)
    }
}

impl Default for Tallies {
    fn default() -> Self {
        Self {
            refusals: Tally::new(REFUSALS),
            closes: Tally::new(CloseCode::ALL.map(CloseCode::name).into_iter().chain([GONE])),
            tokens: Tally::new(TOKENS),
            handshakes: Histogram::default(),
            state_reads: Histogram::default(),
        }
    }
}

/// How a connection ended that the server did not close.
pub(crate) const GONE: &str = "client_gone";

/// What has no name of its own, because somebody forgot to give it one.
const OTHER: &str = "other";

/// The codes that handshakes are refused with, and why others are not served.
const REFUSALS: [&str; 13] = [
    "address_limit",
    "bad_channel",
    "bad_handshake",
    "channel_refused",
    "connection_limit",
    "draining",
    "not_found",
    "origin_refused",
    "silent",
    "token_ambiguous",
    "token_expired",
    "token_not_yet_valid",
    "token_refused",
];

/// Why tokens are not accepted.
const TOKENS: [&str; 11] = [
    "algorithm",
    "ambiguous",
    "audience",
    "claims",
    "expired",
    "issuer",
    "malformed",
    "not_yet_valid",
    "signature",
    "unknown_key",
    "unused",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_knows_are_counted_together() {
        let tally = Tally::new(["a", "b"]);
        for name in ["b", "c", "b", "d", ""] {
            tally.add(name);
        }
        assert_eq!(tally.iter().collect::<Vec<_>>(), [("a", 0), ("b", 2), (OTHER, 3)]);
    }
}
