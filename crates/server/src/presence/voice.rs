use rustc_hash::FxHashSet;

use super::{Line, neighbour::some};

/// What this node says to the others.
#[derive(Debug)]
pub(super) struct Voice {
    /// Lines that they were told: so many clients are there.
    said: FxHashSet<Line>,
    /// Lines that they are to be told.
    unsaid: FxHashSet<Line>,
    /// How many may be waiting to be said.
    room: usize,
    /// Whether it has given up to remember what has changed.
    is_lost: bool,
}

impl Voice {
    pub(super) fn new() -> Self {
        Self { said: FxHashSet::default(), unsaid: FxHashSet::default(), room: MOST_UNSAID, is_lost: false }
    }

    /// This has changed. If nobody has been told of changes for so long that they are too many, those who have gone are
    /// forgotten: all that is there is to be said anew then.
    pub(super) fn has_changed(&mut self, line: Line, is_there: impl Fn(&Line) -> bool) {
        self.unsaid.insert(line);
        if self.unsaid.len() > self.room {
            self.unsaid.retain(is_there);
            self.make_room();
            self.is_lost = true;
        }
    }

    /// Some lines that are to be said. The caller says of each whether [somebody is there](Self::has_said).
    pub(super) fn take_unsaid(&mut self, most: usize) -> Vec<Line> {
        some(&mut self.unsaid, most)
    }

    /// What is being said of a line that was taken.
    pub(super) fn has_said(&mut self, line: &Line, count: u32) {
        match count {
            0 => self.said.remove(line),
            _ => self.said.insert(line.clone()),
        };
    }

    /// They were not told.
    pub(super) fn put_back(&mut self, lines: impl IntoIterator<Item = Line>) {
        self.unsaid.extend(lines);
    }

    pub(super) fn has_unsaid(&self) -> bool {
        !self.unsaid.is_empty()
    }

    /// Everything is to be said once more, to others who know nothing of this node.
    pub(super) fn say_all(&mut self) {
        if self.said.len() > self.unsaid.len() {
            std::mem::swap(&mut self.said, &mut self.unsaid);
        }
        self.unsaid.extend(self.said.drain());
        self.make_room();
        self.is_lost = false;
    }

    /// Whether it has to say everything, because it does not know any more what has changed.
    pub(super) const fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Who is there takes the room that it takes; as much again is for what changes.
    fn make_room(&mut self) {
        self.room = MOST_UNSAID.max(2 * self.unsaid.len());
    }
}

/// Lines that may be waiting to be said: with a name in each some 10 MiB.
const MOST_UNSAID: usize = 16_384;
