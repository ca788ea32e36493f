use std::time::Duration;

use geocast_geo_filter::KnownCrs;
use geocast_protocol::{Channel, Word};

use super::View;

/// What a session wants done. Effects are carried out one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Send this.
    Reply(Reply),
    /// From here on, everything is filtered and projected like this.
    View(Box<View>),
    /// From here on, pushes are collected, or no longer.
    Buffer(Option<Buffering>),
    /// Read state and send it.
    Fetch(Fetch),
    /// Deliver this channel.
    Subscribe(Channel),
    /// Deliver this channel no more.
    Unsubscribe(Channel),
}

/// A message to the client that needs nothing but the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The connection is open.
    Open,
    /// The answer to PING.
    Pong {
        /// What the client wants to recognise it by.
        client_reference: Option<Word>,
    },
    /// The answer to what could not be read or done.
    Error {
        /// Stable, for programs.
        code: &'static str,
        /// For people; names what was wrong.
        message: String,
    },
    /// The answer to a GET of what the client may not see: the same as for what does not exist.
    Nothing(Fetch),
}

/// State to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetch {
    pub(crate) channel: Channel,
    /// One key; without it, all values.
    pub(crate) key: Option<Word>,
    pub(crate) client_reference: Option<Word>,
    /// The system of the answer's coordinates; without it, the session's.
    pub(crate) crs: Option<KnownCrs>,
}

/// How pushes are collected into one envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buffering {
    /// Longest time a push waits.
    pub(crate) wait: Duration,
    /// Number of pushes that are sent without waiting longer.
    pub(crate) count: usize,
}
