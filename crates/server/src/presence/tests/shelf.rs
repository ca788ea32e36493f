use std::collections::{BTreeMap, HashMap};

use crate::presence::{Answer, Call, Line, News, NodeId};

/// A store, as the scripts of Redis treat it.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    /// Milliseconds by its own clock.
    pub(super) clock: u64,
    nodes: BTreeMap<NodeId, u64>,
    said: HashMap<NodeId, Said>,
    log: Vec<(u64, News)>,
    last: u64,
}

#[derive(Debug, Clone, Default)]
struct Said {
    writes: u64,
    lines: HashMap<Line, u32>,
}

impl Shelf {
    pub(super) fn say(&mut self, node: NodeId, call: &Call) -> Answer {
        match call {
            Call::Begin { writes, lines } => {
                self.said.insert(node, Said { writes: *writes, ..Said::default() });
                self.add(News::Begins(node));
                self.write(node, lines);
                self.nodes.insert(node, self.clock);
                Answer::Begun
            }
            Call::Read => {
                let Some((cursor, _)) = self.log.last() else { return Answer::Forgotten };
                Answer::Nodes {
                    cursor: cursor.to_string().into(),
                    nodes: self.nodes.keys().copied().collect(),
                }
            }
            // As Redis scans: what is there all the time is told, wherever the rest is put meanwhile.
            Call::Lines(node, place) => {
                let lines = self.said.get(node).into_iter().flat_map(|said| &said.lines);
                let here = lines.filter(|(line, _)| line.to_string().len() as u64 % PLACES == *place);
                Answer::Lines {
                    lines: here.map(|(line, count)| (line.clone(), *count)).collect(),
                    next: (place + 1) % PLACES,
                }
            }
            Call::Follow { cursor, writes, lines, is_alive } => {
                let known = self.said.get(&node).map(|said| said.writes);
                if !self.nodes.contains_key(&node) || known != Some(*writes) {
                    return Answer::Forgotten;
                }
                if !lines.is_empty() {
                    self.said.entry(node).or_default().writes += 1;
                }
                self.write(node, lines);
                if *is_alive {
                    self.nodes.insert(node, self.clock);
                }
                let silent = |since: &u64| since + 15_000 <= self.clock;
                let gone: Vec<NodeId> =
                    self.nodes.iter().filter(|(_, since)| silent(since)).map(|(node, _)| *node).collect();
                for node in gone {
                    self.nodes.remove(&node);
                    self.add(News::Gone(node));
                }
                let cursor: u64 = cursor.parse().expect("one of ours");
                let Some(place) = self.log.iter().position(|(id, _)| *id == cursor) else {
                    return Answer::Lost;
                };
                let news = &self.log[place + 1..];
                // A few at once, so that there is always more.
                let some: Vec<_> = news.iter().take(3).cloned().collect();
                Answer::News {
                    cursor: some.last().map(|(id, _)| id.to_string().into()),
                    is_all: some.len() == news.len(),
                    news: some.into_iter().map(|(_, news)| news).collect(),
                }
            }
        }
    }

    /// Everything is gone.
    pub(super) fn wipe(&mut self) {
        *self = Self { clock: self.clock, last: self.last, ..Self::default() };
    }

    /// Another one takes over, which was last told of what this one had at that time.
    pub(super) fn go_back(&mut self, before: &Self) {
        *self = Self { clock: self.clock, last: self.last + 1000, ..before.clone() };
    }

    /// The oldest of the log is gone.
    pub(super) fn trim(&mut self, left: usize) {
        let surplus = self.log.len().saturating_sub(left);
        self.log.drain(..surplus);
    }

    fn write(&mut self, node: NodeId, lines: &[(Line, u32)]) {
        for (line, count) in lines {
            let said = &mut self.said.entry(node).or_default().lines;
            match count {
                0 => said.remove(line),
                _ => said.insert(line.clone(), *count),
            };
            self.add(News::Has(node, line.clone(), *count));
        }
    }

    fn add(&mut self, news: News) {
        self.last += 1;
        self.log.push((self.last, news));
    }
}

/// In so many parts the lines of a node are told.
const PLACES: u64 = 3;
