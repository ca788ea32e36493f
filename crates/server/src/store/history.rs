use std::time::Duration;

use bytes::Bytes;
use geocast_protocol::{Offset, Since, Word, envelope::Timestamp};

/// How many messages of a channel are kept: as long as both bounds allow. A store has a bound in bytes besides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryBound {
    /// The last so many.
    pub messages: Option<usize>,
    /// Those that are not older.
    pub age: Option<Duration>,
}

/// What is asked for of a channel's history.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    /// From where on; without an offset, the last messages.
    pub since: Option<Since>,
    /// At most so many messages; with none, only where the history stands is asked for.
    pub most: usize,
    /// At most so many bytes, but one message at least.
    pub bytes: usize,
}

/// A part of a channel's history.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Oldest first.
    pub messages: Vec<KeptMessage>,
    /// How far they go: what follows is behind this.
    pub offset: Offset,
    /// The last message of the channel, at the time of asking.
    pub end: Offset,
    /// Which history it is: another one begins when a store has lost it.
    pub epoch: Word,
    /// Whether the messages begin right behind the offset that was asked for. Otherwise some have been given up, or the
    /// offset is of another history.
    pub is_whole: bool,
}

/// A message that was published and kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptMessage {
    /// Its place.
    pub place: Place,
    /// As it was published.
    pub payload: Bytes,
}

/// When a message was published, and where it stands in the history of its channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Where.
    pub offset: Offset,
    /// When.
    pub published: Timestamp,
}

/// Where a message stands that was published and kept: asked for what came since, a store tells what followed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPosition {
    /// Its place.
    pub offset: Offset,
    /// In which history.
    pub epoch: Word,
}

impl HistoryQuery {
    /// Where the history stands.
    pub(crate) fn position() -> Self {
        Self { since: None, most: 0, bytes: 0 }
    }

    /// The offset that is asked for, if it can be one of this epoch.
    pub(crate) fn offset(&self, epoch: &Word) -> Result<Option<Offset>, OtherEpoch> {
        let Some(Since { offset, epoch: asked }) = &self.since else { return Ok(None) };
        if offset.is_some() && asked.as_ref().is_some_and(|asked| asked != epoch) {
            return Err(OtherEpoch);
        }
        Ok(*offset)
    }
}

/// It is another history that is asked for.
#[derive(Debug)]
pub(crate) struct OtherEpoch;
