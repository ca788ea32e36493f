use std::{io, time::Duration};

use thiserror::Error;

use super::{
    address::Address,
    dialer::DialError,
    probe::{Deaf, Unheard},
    push_reader::MalformedPush,
};

/// Why there is no subscriber connection, or no longer.
#[derive(Debug, Error)]
pub(super) enum Disconnected {
    #[error("{0}")]
    Nowhere(String),
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("{0}: {1}")]
    Elsewhere(Address, String),
    #[error("{0} is not the master any more")]
    Replaced(Address),
    #[error("the connection was closed")]
    Closed,
    #[error("the connection failed: {0}")]
    Io(#[source] io::Error),
    #[error("redis has been silent for {0:?} after a probe")]
    Silent(Duration),
    #[error("redis takes no commands for {0:?}")]
    Stuck(Duration),
    #[error("redis refused {command}: {reason}")]
    Refused { command: &'static str, reason: String },
    #[error("redis answered {answer} to {command}")]
    Unexpected { command: &'static str, answer: String },
    #[error(transparent)]
    Malformed(#[from] MalformedPush),
    #[error(transparent)]
    Deaf(#[from] Deaf),
    #[error(transparent)]
    Unheard(#[from] Unheard),
    #[error("redis holds {held} of {expected} subscriptions to the shard")]
    Forgotten { held: u64, expected: u64 },
}
