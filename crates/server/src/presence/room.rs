use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_protocol::Person;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{NodeId, Roll, Tally};

/// Who is on one channel.
#[derive(Debug, Default)]
pub(super) struct Room {
    anonymous: Tally,
    people: FxHashMap<Arc<Person>, Tally>,
    clients: u64,
    /// What watchers have been told of the number of clients.
    told: u64,
    /// Of whom it is to be looked whether watchers are to be told.
    stirred: FxHashSet<Arc<Person>>,
    /// Who may come back, and since when they are away, the longest first.
    awaited: VecDeque<(Instant, Arc<Person>)>,
}

/// What has become of who is on a channel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) clients: u64,
    pub(crate) joined: Vec<Arc<Person>>,
    pub(crate) left: Vec<Arc<Person>>,
    /// Whether more have joined or left than are named.
    pub(crate) is_truncated: bool,
}

impl Room {
    /// Sets how many clients of a node are somebody.
    pub(super) fn set(&mut self, node: NodeId, person: Option<&Arc<Person>>, count: u32, now: Instant) {
        let tally = match person {
            None => &mut self.anonymous,
            Some(person) => {
                self.stirred.insert(Arc::clone(person));
                self.people.entry(Arc::clone(person)).or_default()
            }
        };
        let before = tally.set(node, count, now);
        self.clients = self.clients + u64::from(count) - u64::from(before);
    }

    /// How many clients of a node are somebody.
    pub(super) fn of(&self, node: NodeId, person: Option<&Arc<Person>>) -> u32 {
        match person {
            None => self.anonymous.of(node),
            Some(person) => self.people.get(person).map_or(0, |tally| tally.of(node)),
        }
    }

    pub(super) fn knows(&self, person: &Arc<Person>) -> bool {
        self.people.contains_key(person)
    }

    /// People that are known, those included that have left and may come back.
    pub(super) fn len(&self) -> usize {
        self.people.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients == 0 && self.people.is_empty() && self.told == 0
    }

    /// What there is to be told, if there is something. Who has gone is told after `grace`, unless they come back.
    pub(super) fn settle(&mut self, now: Instant, grace: Duration) -> Option<Change> {
        let mut change = Change { clients: self.clients, ..Change::default() };
        for person in self.stirred.drain() {
            let Some(tally) = self.people.get_mut(&person) else { continue };
            match tally.empty_since {
                None if !tally.is_shown => {
                    tally.is_shown = true;
                    change.joined.push(person);
                }
                None => {}
                // Who was never told to be there has not left.
                Some(_) if !tally.is_shown => drop(self.people.remove(&person)),
                Some(since) if !tally.is_awaited => {
                    tally.is_awaited = true;
                    self.awaited.push_back((since, person));
                }
                Some(_) => {}
            }
        }
        let is_due = |since: Instant| now.saturating_duration_since(since) >= grace;
        while self.awaited.front().is_some_and(|&(since, _)| is_due(since))
            && let Some((_, person)) = self.awaited.pop_front()
        {
            let Some(tally) = self.people.get_mut(&person) else { continue };
            tally.is_awaited = false;
            match tally.empty_since {
                None => {}
                Some(since) if is_due(since) => {
                    self.people.remove(&person);
                    change.left.push(person);
                }
                // They were back meanwhile.
                Some(since) => {
                    tally.is_awaited = true;
                    self.awaited.push_back((since, person));
                }
            }
        }
        let is_changed = self.clients != self.told || !change.joined.is_empty() || !change.left.is_empty();
        self.told = self.clients;
        for named in [&mut change.joined, &mut change.left] {
            change.is_truncated |= named.len() > MOST_NAMED;
            named.truncate(MOST_NAMED);
            named.sort_unstable();
        }
        is_changed.then_some(change)
    }

    /// Whether something is waited for.
    pub(super) fn is_stirred(&self) -> bool {
        !self.stirred.is_empty() || !self.awaited.is_empty() || self.clients != self.told
    }

    pub(super) fn roll(&self, most: usize) -> Roll {
        let entry = |(person, tally): (&Arc<Person>, &Tally)| (Arc::clone(person), tally.total());
        let there = self.people.iter().filter(|(_, tally)| tally.is_shown || !tally.is_empty());
        let mut entries: Vec<(Arc<Person>, u64)> = there.take(most + 1).map(entry).collect();
        let is_truncated = entries.len() > most;
        entries.truncate(most);
        entries.sort_unstable();
        Roll { clients: self.clients, entries, is_truncated, is_stale: false }
    }
}

/// People that are named in one notification.
const MOST_NAMED: usize = 100;
