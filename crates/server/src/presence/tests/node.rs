use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_protocol::{Channel, Person};

use super::shelf::Shelf;
use crate::presence::{Exchange, NodeId, Roll, Roster, roster::Bounds};

/// A node, its clients, and what a watcher on it has been told.
pub(super) struct Node {
    pub(super) id: NodeId,
    roster: Roster,
    exchange: Exchange,
    /// Its own clock, which is not that of anybody else.
    now: Instant,
    /// How fast that is, in thousandths.
    pace: u32,
    /// Its clients, and as whom they are counted.
    pub(super) seats: Vec<(Channel, Option<Arc<Person>>)>,
    told: BTreeMap<Channel, (u64, BTreeSet<Arc<Person>>)>,
    pub(super) left: Vec<Arc<Person>>,
    /// For so many turns it does not run.
    pub(super) paused: u32,
    /// For so many turns it cannot reach the store.
    pub(super) cut: u32,
}

impl Node {
    pub(super) fn start(number: u64, bounds: Bounds, pace: u32) -> Self {
        let id = NodeId::of(number);
        Self {
            id,
            roster: Roster::new(id, bounds, true),
            exchange: Exchange::new(),
            now: Instant::now(),
            pace,
            seats: Vec::new(),
            told: BTreeMap::new(),
            left: Vec::new(),
            paused: 0,
            cut: 0,
        }
    }

    pub(super) fn join(&mut self, channel: &Channel, person: Option<Arc<Person>>) {
        let person = self.roster.join(channel, person, self.now);
        self.seats.push((channel.clone(), person));
    }

    pub(super) fn leave(&mut self, seat: usize) {
        if !self.seats.is_empty() {
            let (channel, person) = self.seats.swap_remove(seat % self.seats.len());
            self.roster.leave(&channel, person.as_ref(), self.now);
        }
    }

    /// A turn of its keeper, after so many milliseconds of the store's clock.
    pub(super) fn turn(&mut self, shelf: &mut Shelf, milliseconds: u32) {
        self.now += Duration::from_millis(u64::from(milliseconds * self.pace / 1000));
        if self.paused > 0 {
            self.paused -= 1;
            return;
        }
        for _ in 0..64 {
            let call = self.exchange.call(&mut self.roster, self.now);
            if self.cut > 0 {
                self.cut -= 1;
                // Half of the time it is only the answer that gets lost.
                if self.cut.is_multiple_of(2) {
                    shelf.say(self.id, &call);
                }
                self.exchange.fail(&mut self.roster);
                break;
            }
            let answer = shelf.say(self.id, &call);
            self.exchange.take(&call, answer, &mut self.roster, self.now, self.now);
            if self.exchange.is_settled(&self.roster) {
                break;
            }
        }
        while self.roster.forget(self.now, 2) {}
        for (channel, change) in self.roster.settle(self.now) {
            let (clients, people) = self.told.entry(channel).or_default();
            *clients = change.clients;
            for person in change.joined {
                assert!(people.insert(person), "somebody joins who has joined");
            }
            for person in change.left {
                assert!(people.remove(&person), "somebody leaves who was not there");
                self.left.push(person);
            }
        }
    }

    pub(super) fn roll(&self, channel: &Channel) -> Roll {
        Roll { is_stale: self.exchange.is_stale(self.now), ..self.roster.roll(channel, usize::MAX - 1) }
    }

    /// What a watcher believes that has listened from the beginning.
    pub(super) fn told(&self, channel: &Channel) -> (u64, BTreeSet<Arc<Person>>) {
        self.told.get(channel).cloned().unwrap_or_default()
    }
}
