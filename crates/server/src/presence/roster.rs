use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_protocol::{Channel, Person};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Change, Line, NodeId, Roll, Room, neighbour::Neighbour, voice::Voice};

/// Who is on all channels: what this node knows itself, and what it has heard of the others.
#[derive(Debug)]
pub(crate) struct Roster {
    me: NodeId,
    bounds: Bounds,
    rooms: FxHashMap<Channel, Room>,
    others: FxHashMap<NodeId, Neighbour>,
    /// People of all rooms.
    people: usize,
    /// Whether something of the others was left out because there was no room.
    is_cut: bool,
    /// For the others, if there are others.
    voice: Option<Voice>,
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
    /// How long it is waited for another node to come back, or to say again what it has said before.
    pub(crate) patience: Duration,
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
            voice: has_others.then(Voice::new),
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
        let Some(voice) = &mut self.voice else { return Vec::new() };
        let unsaid = voice.take_unsaid(most);
        let own = |line: Line| {
            let count = count(&self.rooms, self.me, &line);
            voice.has_said(&line, count);
            (line, count)
        };
        unsaid.into_iter().map(own).collect()
    }

    /// They were not told.
    pub(super) fn put_back(&mut self, lines: impl IntoIterator<Item = Line>) {
        if let Some(voice) = &mut self.voice {
            voice.put_back(lines);
        }
    }

    pub(super) fn has_unsaid(&self) -> bool {
        self.voice.as_ref().is_some_and(Voice::has_unsaid)
    }

    /// Whether everything has to be told once more: too much has changed since anything could be.
    pub(super) fn is_lost(&self) -> bool {
        self.voice.as_ref().is_some_and(Voice::is_lost)
    }

    /// Everything is to be told once more, to others who know nothing of this node.
    pub(super) fn say_all(&mut self) {
        if let Some(voice) = &mut self.voice {
            voice.say_all();
        }
    }

    fn set_own(&mut self, channel: &Channel, person: Option<&Arc<Person>>, count: u32, now: Instant) {
        self.put(self.me, channel, person, count, now);
        if let Some(voice) = &mut self.voice {
            let line = Line { channel: channel.clone(), person: person.cloned() };
            voice.has_changed(line, |line| self::count(&self.rooms, self.me, line) > 0);
        }
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
        let is_kept = is_known && (count > 0 || room.is_some());
        self.is_cut |= !is_known && count > 0;
        let neighbour = self.others.entry(node).or_default();
        if is_kept && count > 0 {
            neighbour.says(line);
        } else {
            neighbour.takes_back(line);
        }
        if is_kept {
            self.put(node, channel, person.as_ref(), count, now);
        }
    }

    /// All that another node has said is about to be heard again: what is not, it may have lost, and is about to say.
    pub(super) fn begins(&mut self, node: NodeId, now: Instant) {
        if node != self.me && self.meets(node) {
            self.others.entry(node).or_default().begin(now);
        }
    }

    /// Another node is no more.
    pub(super) fn gone(&mut self, node: NodeId, now: Instant) {
        if let Some(neighbour) = self.others.get_mut(&node) {
            neighbour.go(now);
        }
    }

    /// These are all that are alive; leaves the others. One that is not among them may have lost what it had said, and is about to say it again: it is
    /// believed for a while.
    pub(super) fn finds(&mut self, nodes: &mut Vec<NodeId>, now: Instant) {
        nodes.retain(|node| *node != self.me);
        self.is_cut = false;
        for (node, neighbour) in &mut self.others {
            if nodes.contains(node) {
                neighbour.meet();
            } else {
                neighbour.miss(now);
            }
        }
    }

    /// Forgets some of what others do not say any more; true if there is more of it.
    pub(super) fn forget(&mut self, now: Instant, most: usize) -> bool {
        let patience = self.bounds.patience;
        let next = self.others.iter_mut().find_map(|(node, neighbour)| {
            let lines = neighbour.forgotten(now, patience, most);
            (!lines.is_empty()).then_some((*node, lines))
        });
        let Some((node, lines)) = next else {
            self.others.retain(|_, neighbour| !neighbour.is_over());
            return false;
        };
        for Line { channel, person } in lines {
            self.put(node, &channel, person.as_ref(), 0, now);
        }
        true
    }

    /// True if there is room for what it says.
    fn meets(&mut self, node: NodeId) -> bool {
        let has_room = self.others.len() < MOST_NODES || self.others.contains_key(&node);
        if has_room {
            self.others.entry(node).or_default().meet();
        }
        self.is_cut |= !has_room;
        has_room
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

/// How many clients of a node a line stands for.
fn count(rooms: &FxHashMap<Channel, Room>, node: NodeId, line: &Line) -> u32 {
    rooms.get(&line.channel).map_or(0, |room| room.of(node, line.person.as_ref()))
}

/// Nodes on one store.
pub(crate) const MOST_NODES: usize = 256;
