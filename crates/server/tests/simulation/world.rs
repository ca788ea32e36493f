//! What really happened, for everybody who is to be held to it: the order in which the store took things, and the trace.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    rc::Rc,
    time::Duration,
};

/// The hosts of a run share one record. All of them run on one thread.
pub(crate) type Shared = Rc<RefCell<World>>;

/// A record of a run.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// The numbers of the messages of each channel, as the store took them.
    logs: BTreeMap<String, Vec<u64>>,
    /// What each key of each channel was, in that order: the number of the message, and `None` for its removal.
    pub(crate) state: BTreeMap<String, BTreeMap<String, Feature>>,
    /// Publications of clients that were acknowledged.
    acknowledged: Vec<(String, u64)>,
    /// How often something happened that may break connections between two hosts.
    troubles: BTreeMap<(String, String), u32>,
    /// How often a node was started anew, or is about to be.
    restarts: BTreeMap<String, u32>,
    /// Nodes that have been told to stop.
    stopping: BTreeSet<String>,
    /// Since when a node has no Redis, by what keeps it away; of all nodes, under no name.
    lost: BTreeMap<(String, &'static str), Duration>,
    pub(crate) phase: Phase,
    /// Whether no state changes once what was broken is whole: then nothing hides what was not heard of meanwhile.
    pub(crate) is_calm: bool,
    next: u64,
    pub(crate) trace: Vec<String>,
    pub(crate) violations: Vec<String>,
    /// How much was checked, by name: a run in which nothing happens proves nothing.
    pub(crate) tally: BTreeMap<&'static str, u64>,
}

/// A feature of the store, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Feature {
    pub(crate) number: u64,
    pub(crate) place: [f64; 2],
}

/// What is going on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Faults, and traffic.
    #[default]
    Troubled,
    /// Traffic; what was broken is whole again.
    Healed,
    /// Nothing is published any more.
    Quiet,
    /// Everything has to be as it is in the store.
    Settled,
}

impl World {
    /// A number that no other message has.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The store has taken a message.
    pub(crate) fn publish(&mut self, channel: &str, number: u64) {
        self.logs.entry(channel.to_owned()).or_default().push(number);
    }

    /// How many messages of a channel the store has taken.
    pub(crate) fn published(&self, channel: &str) -> usize {
        self.logs.get(channel).map_or(0, Vec::len)
    }

    /// The place of a message among those of its channel, from the last on.
    pub(crate) fn place(&self, channel: &str, number: u64) -> Option<usize> {
        self.logs.get(channel)?.iter().rposition(|known| *known == number)
    }

    /// A client was told that its publication was made.
    pub(crate) fn acknowledge(&mut self, channel: &str, number: u64) {
        self.acknowledged.push((channel.to_owned(), number));
    }

    /// Holds all publications to being in the log: once if acknowledged, and never twice.
    pub(crate) fn check_publications(&mut self) {
        let mut wrong = Vec::new();
        for (channel, number) in &self.acknowledged {
            if self.place(channel, *number).is_none() {
                wrong.push(format!("{number} was acknowledged and is not in {channel}"));
            }
        }
        for (channel, log) in &self.logs {
            let mut sorted = log.clone();
            sorted.sort_unstable();
            let twice = sorted.windows(2).filter(|pair| pair[0] == pair[1]);
            wrong.extend(twice.map(|pair| format!("{} is in {channel} twice", pair[0])));
        }
        *self.tally.entry("acknowledged publications").or_default() += self.acknowledged.len() as u64;
        wrong.into_iter().for_each(|wrong| self.violate("store", &wrong));
    }

    /// Something happened that may break what is between two hosts.
    pub(crate) fn trouble(&mut self, one: &str, other: &str) {
        for pair in [(one, other), (other, one)] {
            *self.troubles.entry((pair.0.to_owned(), pair.1.to_owned())).or_default() += 1;
        }
    }

    /// A node ends, or begins anew.
    pub(crate) fn restart(&mut self, node: &str) {
        *self.restarts.entry(node.to_owned()).or_default() += 1;
    }

    /// A node is told to stop, or begins anew.
    pub(crate) fn stop(&mut self, node: &str, begins: bool) {
        if begins {
            self.stopping.insert(node.to_owned());
        } else {
            self.stopping.remove(node);
        }
    }

    /// Whether a node has been told to stop. For a while it lets clients in all the same.
    pub(crate) fn is_stopping(&self, node: &str) -> bool {
        self.stopping.contains(node)
    }

    /// How often something happened that may have broken what is between a client and a node.
    pub(crate) fn troubles(&self, client: &str, node: &str) -> u32 {
        let link = self.troubles.get(&(client.to_owned(), node.to_owned()));
        link.copied().unwrap_or_default() + self.restarts.get(node).copied().unwrap_or_default()
    }

    /// Something keeps a node from its Redis, or does not any more.
    pub(crate) fn lose(&mut self, node: &str, reason: &'static str, begins: bool) {
        if begins {
            self.lost.insert((node.to_owned(), reason), now());
        } else {
            self.lost.remove(&(node.to_owned(), reason));
        }
    }

    /// The same for all nodes.
    pub(crate) fn lose_all(&mut self, reason: &'static str, begins: bool) {
        self.lose("", reason, begins);
    }

    /// Since when a node has no Redis, if it has none.
    pub(crate) fn lost_since(&self, node: &str) -> Option<Duration> {
        self.lost.iter().filter(|((who, _), _)| who == node || who.is_empty()).map(|(_, since)| *since).min()
    }

    /// Whether state may change.
    pub(crate) fn changes(&self) -> bool {
        self.phase == Phase::Troubled || (self.phase == Phase::Healed && !self.is_calm)
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    /// Notes something that happened to a host.
    pub(crate) fn note(&mut self, host: &str, what: &str) {
        let mut line = String::new();
        let now = now();
        write!(line, "{:>9.4} {host:<8} {what}", now.as_secs_f64()).expect("writing to a string cannot fail");
        self.trace.push(line);
    }

    /// Notes something that must not happen.
    pub(crate) fn violate(&mut self, host: &str, what: &str) {
        self.note(host, &format!("VIOLATION: {what}"));
        self.violations.push(format!("{:.4} {host}: {what}", now().as_secs_f64()));
    }
}

/// The time of the simulation, on a host; between the steps, that of the last one.
pub(crate) fn now() -> Duration {
    turmoil::sim_elapsed().unwrap_or_else(|| BETWEEN.get())
}

/// Notes how late it is between two steps.
pub(crate) fn stepped(elapsed: Duration) {
    BETWEEN.set(elapsed);
}

thread_local! {
    static BETWEEN: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}
