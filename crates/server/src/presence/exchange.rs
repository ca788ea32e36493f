use std::time::{Duration, Instant};

use super::{Line, NodeId, Roster};

/// What a node says to the others, through the store, and hears from them.
///
/// The store keeps what each node has said, a list of the nodes that are alive by its own clock, and a log of what was said.
/// A node begins by saying everything, reads what the others have said, and follows the log then. Whatever goes wrong shows
/// by one of two things: the store knows less of this node than it has said, or the log does not have what was read last. So
/// nothing has to be remembered of what may have been lost.
#[derive(Debug)]
pub(crate) struct Exchange {
    phase: Phase,
    /// How often the store has been told of changes, which it counts as well. Each beginning has numbers of its own, so the same
    /// number always stands for the same.
    writes: u64,
    /// Up to where the log was heard.
    cursor: Option<Box<str>>,
    /// When the store was last told that this node lives.
    alive: Option<Instant>,
    /// When the log was last heard to its end.
    heard: Option<Instant>,
    saying: Vec<Line>,
    is_behind: bool,
    /// Nodes that have not been read yet; the last is being read.
    unread: Vec<NodeId>,
    /// How far that one has been read: where to go on, and how many lines there have been.
    read: (u64, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Begin,
    Read,
    Follow,
}

/// What is said to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    /// Forget what this node has said, and take this as the first of what it says now.
    Begin {
        /// How often changes were said, this time included.
        writes: u64,
        lines: Vec<(Line, u32)>,
    },
    /// Who is alive?
    Read,
    /// What has this node said, from this place on? Such places are the store's own; the first one is 0.
    Lines(NodeId, u64),
    /// This has changed; what was said behind the cursor?
    Follow {
        cursor: Box<str>,
        /// How often changes were said before.
        writes: u64,
        lines: Vec<(Line, u32)>,
        /// Whether it is time to say that this node lives.
        is_alive: bool,
    },
}

/// What the store answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It has begun.
    Begun,
    /// These are alive; from here on the log may be followed.
    Nodes {
        /// Where in the log.
        cursor: Box<str>,
        nodes: Vec<NodeId>,
    },
    /// A part of what a node has said. Whatever it had said when the first part was read is in one of them, and the last is that in
    /// front of place 0.
    Lines { lines: Vec<(Line, u32)>, next: u64 },
    /// What was said since.
    News { cursor: Option<Box<str>>, news: Vec<News>, is_all: bool },
    /// It does not know all that this node has said; it has not taken what it was told.
    Forgotten,
    /// It has taken what it was told, and does not know what was said behind the cursor.
    Lost,
}

/// What a node has said, or what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// So many of its clients are this.
    Has(NodeId, Line, u32),
    /// What it has said before does not count any more.
    Begins(NodeId),
    /// It has ended, or has not been heard of for too long.
    Gone(NodeId),
}

impl Exchange {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Begin,
            writes: 0,
            cursor: None,
            alive: None,
            heard: None,
            saying: Vec::new(),
            is_behind: false,
            unread: Vec::new(),
            read: (0, 0),
        }
    }

    /// What is to be said now. What comes of it is to be [taken](Self::take), or [failed](Self::fail).
    pub(crate) fn call(&mut self, roster: &mut Roster, now: Instant) -> Call {
        if roster.is_lost() {
            self.phase = Phase::Begin;
        } else if self.phase == Phase::Follow && self.unread.is_empty() && roster.is_short() {
            self.phase = Phase::Read;
        }
        let is_alive = self.alive.is_none_or(|alive| now.saturating_duration_since(alive) >= HEARTBEAT);
        match (self.phase, &self.cursor) {
            (Phase::Begin, _) => {
                roster.say_all();
                self.writes = ((self.writes >> BEGINNING) + 1) << BEGINNING;
                Call::Begin { writes: self.writes, lines: Self::say(&mut self.saying, roster) }
            }
            (Phase::Read, _) | (Phase::Follow, None) => Call::Read,
            (Phase::Follow, Some(cursor)) => match self.unread.last() {
                Some(node) if !is_alive => Call::Lines(*node, self.read.0),
                _ => Call::Follow {
                    cursor: cursor.clone(),
                    writes: self.writes,
                    lines: Self::say(&mut self.saying, roster),
                    is_alive,
                },
            },
        }
    }

    /// Takes up what was answered to a call that was made at `then`.
    pub(crate) fn take(
        &mut self,
        call: &Call,
        answer: Answer,
        roster: &mut Roster,
        then: Instant,
        now: Instant,
    ) {
        self.is_behind = false;
        match answer {
            Answer::Begun => {
                self.saying.clear();
                // Where it was is still good, if the log has it.
                self.phase = if self.cursor.is_some() { Phase::Follow } else { Phase::Read };
                self.alive = Some(then);
            }
            Answer::Nodes { cursor, mut nodes } => {
                roster.finds(&mut nodes, now);
                (self.phase, self.cursor) = (Phase::Follow, Some(cursor));
                (self.unread, self.read) = (nodes, (0, 0));
            }
            Answer::Lines { lines, next } => {
                if let Some(node) = self.unread.last().copied() {
                    self.hear(node, &lines, next, roster, now);
                }
            }
            Answer::News { cursor, news, is_all } => {
                self.said(call, then);
                news.iter().for_each(|news| match news {
                    News::Has(node, line, count) => roster.hear(*node, line, *count, now),
                    News::Begins(node) => roster.begins(*node, now),
                    News::Gone(node) => roster.gone(*node, now),
                });
                if cursor.is_some() {
                    self.cursor = cursor;
                }
                self.is_behind = !is_all;
                if is_all && self.unread.is_empty() {
                    self.heard = Some(then);
                }
            }
            Answer::Forgotten => {
                roster.put_back(self.saying.drain(..));
                self.phase = Phase::Begin;
            }
            Answer::Lost => {
                self.said(call, then);
                self.phase = Phase::Read;
            }
        }
    }

    /// Notes that there was no answer. Whether the call was carried out will show.
    pub(crate) fn fail(&mut self, roster: &mut Roster) {
        self.is_behind = false;
        roster.put_back(self.saying.drain(..));
        // It may be another store that answers next, with places of its own.
        self.read = (0, 0);
    }

    /// Whether there is nothing more to be said and heard at once.
    pub(crate) fn is_settled(&self, roster: &Roster) -> bool {
        self.phase == Phase::Follow && !self.is_behind && self.unread.is_empty() && !roster.has_unsaid()
    }

    /// Whether the others have not been heard of lately.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        self.heard.is_none_or(|heard| now.saturating_duration_since(heard) >= STALE)
    }

    /// Hears a part of what a node has said.
    fn hear(&mut self, node: NodeId, lines: &[(Line, u32)], next: u64, roster: &mut Roster, now: Instant) {
        let (place, before) = self.read;
        if place == 0 {
            roster.begins(node, now);
        }
        lines.iter().for_each(|(line, count)| roster.hear(node, line, *count, now));
        self.read = (next, before + lines.len());
        // Others may write what they like under these names.
        if next == 0 || self.read.1 > MOST_LINES {
            self.unread.pop();
            self.read = (0, 0);
        }
    }

    fn said(&mut self, call: &Call, then: Instant) {
        if let Call::Follow { lines, is_alive, .. } = call {
            self.writes += u64::from(!lines.is_empty());
            if *is_alive {
                self.alive = Some(then);
            }
        }
        self.saying.clear();
    }

    fn say(saying: &mut Vec<Line>, roster: &mut Roster) -> Vec<(Line, u32)> {
        let lines = roster.take_unsaid(AT_ONCE);
        *saying = lines.iter().map(|(line, _)| line.clone()).collect();
        lines
    }
}

/// Bits of the numbers of what is said after a beginning; above them stands which beginning that was.
const BEGINNING: u32 = 32;

/// Between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// From when on it is said that the others have not been heard of.
const STALE: Duration = Duration::from_secs(10);

/// Lines that are read of one node.
const MOST_LINES: usize = 250_000;

/// Lines that are said in one call, each of about a kilobyte at most.
const AT_ONCE: usize = 500;
