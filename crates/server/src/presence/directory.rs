use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use geocast_protocol::{Channel, Person};
use parking_lot::Mutex;

use super::{NodeId, Roll, Roster, roster::Bounds};
use crate::{Patterns, Settings};

/// Who is on the channels of which that may be known.
#[derive(Debug)]
pub(crate) struct Presence {
    pub(super) me: NodeId,
    pub(super) roster: Mutex<Roster>,
    /// Whether the other nodes have not been heard of lately.
    pub(super) is_stale: AtomicBool,
    /// Subscriptions of this node that are told of changes.
    watchers: AtomicUsize,
}

/// A client that is counted on a channel, until this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    presence: Arc<Presence>,
    channel: Channel,
    person: Option<Arc<Person>>,
    is_watching: bool,
}

impl Presence {
    /// None where no channel has it. Others share the store if `has_others`.
    pub(crate) fn new(settings: &Settings, has_others: bool) -> Option<Arc<Self>> {
        settings.presence.as_ref()?;
        let (most, grace) = (settings.limits.presence, settings.timeouts.presence_grace);
        let me = NodeId::draw();
        Some(Arc::new(Self {
            me,
            roster: Mutex::new(Roster::new(me, Bounds { most, grace, patience: PATIENCE }, has_others)),
            is_stale: AtomicBool::new(has_others),
            watchers: AtomicUsize::new(0),
        }))
    }

    /// Counts a client.
    pub(crate) fn join(
        self: &Arc<Self>,
        channel: &Channel,
        person: Option<Person>,
        is_watching: bool,
    ) -> Seat {
        self.watchers.fetch_add(usize::from(is_watching), Ordering::Relaxed);
        let person = self.roster.lock().join(channel, person.map(Arc::new), Instant::now());
        Seat { presence: Arc::clone(self), channel: channel.clone(), person, is_watching }
    }

    /// Who is on a channel.
    pub(crate) fn roll(&self, channel: &Channel, most: usize) -> Roll {
        let roll = self.roster.lock().roll(channel, most);
        Roll { is_stale: self.is_stale.load(Ordering::Relaxed), ..roll }
    }

    /// Whether anybody here is told of changes.
    pub(super) fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }
}

impl Seat {
    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(crate) fn is_watching(&self) -> bool {
        self.is_watching
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.presence.watchers.fetch_sub(usize::from(self.is_watching), Ordering::Relaxed);
        self.presence.roster.lock().leave(&self.channel, self.person.as_ref(), Instant::now());
    }
}

/// Whether patterns are meant to cover a channel: what servers tell each other is nobody's.
pub(crate) fn covers(patterns: &Patterns, channel: &Channel) -> bool {
    !channel.is_internal() && patterns.matches(channel.as_str())
}

/// A node that a store has forgotten says so within seconds, and everything else as well.
const PATIENCE: Duration = Duration::from_secs(15);
