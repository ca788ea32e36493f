use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_protocol::{Channel, Person};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Change, Line, NodeId, Roll, Room};

/// Who is on all channels: what this node knows itself, and what it has heard of the others.
#[derive(Debug)]
pub(crate) struct Roster {
    me: NodeId,
    bounds: Bounds,
    rooms: FxHashMap<Channel, Room>,
    /// The other nodes; for those that were not found when all was read, when that was.
    others: FxHashMap<NodeId, Option<Instant>>,
    /// People of all rooms.
    people: usize,
    /// Whether something of the others was left out because there was no room.
    is_cut: bool,
    /// Lines of this node that the others are to be told, if there are others.
    unsaid: Option<FxHashSet<Line>>,
    /// Channels whose watchers may have to be told something.
    stirred: FxHashSet<Channel>,
}

/// How much is known, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// People, and channels, of all nodes.
    pub(crate) most: usize,
    /// How long somebody may be away without being told to have left.
    pub(crate) grace: Duration,
    /// How long a node that was not found is believed to come back.
    pub(crate) missing: Duration,
}

impl Roster {
    /// A roster of this node alone, or with others.
    pub(crate) fn new(me: NodeId, bounds: Bounds, has_others: bool) -> Self {
        Self {
            me,
            bounds,
            rooms: FxHashMap::default(),
            others: FxHashMap::default(),
            people: 0,
            is_cut: false,
            unsaid: has_others.then(FxHashSet::default),
            stirred: FxHashSet::default(),
        }
    }

    /// A client of this node comes. Returns as whom it is counted: who finds no room is nobody in particular.
    pub(crate) fn join(
        &mut self,
        channel: &Channel,
        person: Option<Arc<Person>>,
        now: Instant,
    ) -> Option<Arc<Person>> {
        let room = self.rooms.get(channel);
        let has_room = |person: &Arc<Person>| {
            self.people < self.bounds.most || room.is_some_and(|room| room.knows(person))
        };
        let person = person.filter(has_room);
        let count = room.map_or(0, |room| room.of(self.me, person.as_ref()));
        self.set_own(channel, person.as_ref(), count.saturating_add(1), now);
        person
    }

    /// A client of this node goes, that was counted as this.
    pub(crate) fn leave(&mut self, channel: &Channel, person: Option<&Arc<Person>>, now: Instant) {
        let count = self.rooms.get(channel).map_or(0, |room| room.of(self.me, person));
        self.set_own(channel, person, count.saturating_sub(1), now);
    }

    /// Who is on a channel: so many at most.
    pub(crate) fn roll(&self, channel: &Channel, most: usize) -> Roll {
        let roll = self.rooms.get(channel).map(|room| room.roll(most)).unwrap_or_default();
        Roll { is_truncated: roll.is_truncated || self.is_cut, ..roll }
    }

    /// What there is to be told to watchers.
    pub(crate) fn settle(&mut self, now: Instant) -> Vec<(Channel, Change)> {
        let missing = |since: &Option<Instant>| {
            since.is_some_and(|since| now.saturating_duration_since(since) >= self.bounds.missing)
        };
        let gone: Vec<NodeId> =
            self.others.iter().filter(|(_, since)| missing(since)).map(|(node, _)| *node).collect();
        gone.into_iter().for_each(|node| self.gone(node, now));
        let mut changes = Vec::new();
        for channel in std::mem::take(&mut self.stirred) {
            let Some(room) = self.rooms.get_mut(&channel) else { continue };
            let before = room.len();
            let change = room.settle(now, self.bounds.grace);
            self.people = self.people + room.len() - before;
            if room.is_empty() {
                self.rooms.remove(&channel);
            } else if room.is_stirred() {
                self.stirred.insert(channel.clone());
            }
            changes.extend(change.map(|change| (channel, change)));
        }
        changes
    }

    /// Whether reading all again would bring what found no room before.
    pub(super) fn is_short(&self) -> bool {
        self.is_cut && self.people < self.bounds.most / 2 && self.rooms.len() < self.bounds.most / 2
    }
}

/// What the others are told.
impl Roster {
    /// Some lines of this node that have changed, with how many clients that is now.
    pub(super) fn take_unsaid(&mut self, most: usize) -> Vec<(Line, u32)> {
        let Some(unsaid) = &mut self.unsaid else { return Vec::new() };
        let mut some = Vec::new();
        if unsaid.len() <= most {
            some.extend(unsaid.drain());
        } else {
            some.extend(unsaid.iter().take(most).cloned());
            for line in &some {
                unsaid.remove(line);
            }
        }
        let own = |line: Line| {
            let count =
                self.rooms.get(&line.channel).map_or(0, |room| room.of(self.me, line.person.as_ref()));
            (line, count)
        };
        some.into_iter().map(own).collect()
    }

    /// They were not told.
    pub(super) fn put_back(&mut self, lines: impl IntoIterator<Item = Line>) {
        if let Some(unsaid) = &mut self.unsaid {
            unsaid.extend(lines);
        }
    }

    pub(super) fn has_unsaid(&self) -> bool {
        self.unsaid.as_ref().is_some_and(|unsaid| !unsaid.is_empty())
    }

    /// Everything is to be told once more, to others who know nothing of this node.
    pub(super) fn say_all(&mut self) {
        let lines: FxHashSet<Line> = self
            .rooms
            .iter()
            .flat_map(|(channel, room)| {
                let line = |person| Line { channel: channel.clone(), person };
                room.lines_of(self.me).into_iter().map(move |(person, _)| line(person))
            })
            .collect();
        self.unsaid = Some(lines);
    }

    fn set_own(&mut self, channel: &Channel, person: Option<&Arc<Person>>, count: u32, now: Instant) {
        if let Some(unsaid) = &mut self.unsaid {
            unsaid.insert(Line { channel: channel.clone(), person: person.cloned() });
        }
        self.put(self.me, channel, person, count, now);
    }
}

/// What the others say.
impl Roster {
    /// So many clients of another node are this.
    pub(super) fn hear(&mut self, node: NodeId, line: &Line, count: u32, now: Instant) {
        if node == self.me || !self.meets(node) {
            return;
        }
        let Line { channel, person } = line;
        let room = self.rooms.get(channel);
        let is_known = match (room, person) {
            (Some(room), Some(person)) => room.knows(person) || self.people < self.bounds.most,
            (Some(_), None) => true,
            (None, _) => self.rooms.len() < self.bounds.most && self.people < self.bounds.most,
        };
        // What is not known cannot go.
        if is_known && (count > 0 || room.is_some()) {
            self.put(node, channel, person.as_ref(), count, now);
        } else if count > 0 {
            self.is_cut = true;
        }
    }

    /// Another node begins to say everything.
    pub(super) fn begins(&mut self, node: NodeId, now: Instant) {
        if node != self.me {
            self.clear(node, now);
            self.meets(node);
        }
    }

    /// Another node is no more.
    pub(super) fn gone(&mut self, node: NodeId, now: Instant) {
        if node != self.me {
            self.clear(node, now);
            self.others.remove(&node);
        }
    }

    /// All that is known to others. A node that is not among them may have lost what it had said, and is about to say it again:
    /// it is believed for a while.
    pub(super) fn hear_all(&mut self, nodes: Vec<(NodeId, Vec<(Line, u32)>)>, now: Instant) {
        self.is_cut = false;
        for (node, since) in &mut self.others {
            let is_found = nodes.iter().any(|(found, _)| found == node);
            *since = if is_found { None } else { since.or(Some(now)) };
        }
        for (node, lines) in nodes {
            self.begins(node, now);
            lines.iter().for_each(|(line, count)| self.hear(node, line, *count, now));
        }
    }

    /// True if there is room for what it says.
    fn meets(&mut self, node: NodeId) -> bool {
        let has_room = self.others.len() < MOST_NODES || self.others.contains_key(&node);
        if has_room {
            self.others.insert(node, None);
        }
        self.is_cut |= !has_room;
        has_room
    }

    fn clear(&mut self, node: NodeId, now: Instant) {
        let lines = self.rooms.iter().flat_map(|(channel, room)| {
            room.lines_of(node).into_iter().map(move |(person, _)| (channel.clone(), person))
        });
        let lines: Vec<(Channel, Option<Arc<Person>>)> = lines.collect();
        for (channel, person) in lines {
            self.put(node, &channel, person.as_ref(), 0, now);
        }
    }

    fn put(
        &mut self,
        node: NodeId,
        channel: &Channel,
        person: Option<&Arc<Person>>,
        count: u32,
        now: Instant,
    ) {
        let room = self.rooms.entry(channel.clone()).or_default();
        let before = room.len();
        room.set(node, person, count, now);
        self.people = self.people + room.len() - before;
        self.stirred.insert(channel.clone());
    }
}

/// Nodes on one store.
const MOST_NODES: usize = 256;
