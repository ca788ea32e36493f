use std::{ops::Deref, sync::Arc};

use geocast_protocol::LeaveReason;

use crate::{Event, event::TrackKey};

/// An event as it is published to subscribers: with what it means for a key, where that is known.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    event: Arc<Event>,
    turn: Option<Turn>,
}

/// What an event changes about a key.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// The state before it, if there was one.
    pub(crate) before: Option<Arc<Event>>,
    pub(crate) after: After,
}

/// What is true of a key after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The event is its state.
    Here,
    /// Its state is what it was before: those who know it have been told.
    Same,
    /// It is not known, because its channel has as many keys, or as much state, as is allowed.
    Untracked,
    /// There is no such key any more.
    Gone(LeaveReason),
}

impl Happening {
    /// An event that changes a key.
    pub(crate) fn of_key(event: Arc<Event>, turn: Turn) -> Self {
        Self { event, turn: Some(turn) }
    }

    /// The key as it was written before.
    pub(crate) fn former_key(&self) -> Option<&TrackKey> {
        let before = self.turn.as_ref()?.before.as_ref()?;
        before.tracked(None).map(|tracked| &tracked.key)
    }

    pub(crate) fn turn(&self) -> Option<&Turn> {
        self.turn.as_ref()
    }
}

impl From<Arc<Event>> for Happening {
    fn from(event: Arc<Event>) -> Self {
        Self { event, turn: None }
    }
}

impl Deref for Happening {
    type Target = Arc<Event>;

    fn deref(&self) -> &Arc<Event> {
        &self.event
    }
}
