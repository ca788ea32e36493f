use std::cell::{Cell, RefCell};

use crate::Fanout;

/// What has become of a channel's events on their way to one subscription: `events` is the sum of all else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account<W> {
    /// Events since the subscription began, and those that were replayed to it.
    pub events: u64,
    /// Events that were handed to the subscriber's sink, but for those of which it was [noted](crate::Hub::note_refused) that the
    /// sink had refused them.
    pub granted: u64,
    /// Events that were kept from it, by reason.
    pub withheld: Vec<(W, u64)>,
}

/// What has become of a channel's events since it has had subscribers without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Traffic {
    /// Events that were published.
    pub events: u64,
    /// How often one of them was handed to a subscriber's sink, but for those of which it was [noted](crate::Hub::note_refused)
    /// that the sink had refused them. Events that were [replayed](crate::Hub::replay) are among them.
    pub granted: u64,
}

/// Counts of a cohort, from which those of its members follow.
#[derive(Debug)]
pub(crate) struct Ledger<W> {
    granted: Cell<u64>,
    denied: RefCell<Vec<(W, u64)>>,
}

/// The state of the counts that concern a subscription, or the difference of two such states: then sums wrap around.
#[derive(Debug, Clone)]
pub(crate) struct Reading<W> {
    /// Of the whole channel.
    pub(crate) events: u64,
    granted: u64,
    denied: Vec<(W, u64)>,
}

impl<W: Copy + PartialEq> Ledger<W> {
    pub(crate) fn grant(&self) {
        self.granted.set(self.granted.get() + 1);
    }

    pub(crate) fn granted(&self) -> u64 {
        self.granted.get()
    }

    pub(crate) fn deny(&self, reason: W) {
        *count_of(&mut self.denied.borrow_mut(), reason) += 1;
    }

    /// The counts at this moment, after so many events of the channel.
    pub(crate) fn read(&self, events: u64) -> Reading<W> {
        Reading { events, granted: self.granted.get(), denied: self.denied.borrow().clone() }
    }
}

impl<W: Copy + PartialEq> Reading<W> {
    pub(crate) fn plus(mut self, other: &Self) -> Self {
        self.events = self.events.wrapping_add(other.events);
        self.granted = self.granted.wrapping_add(other.granted);
        for (reason, number) in &other.denied {
            let count = count_of(&mut self.denied, *reason);
            *count = count.wrapping_add(*number);
        }
        self
    }

    pub(crate) fn minus(self, other: &Self) -> Self {
        let denied = other.denied.iter().map(|(reason, number)| (*reason, number.wrapping_neg()));
        let negative = Self {
            events: other.events.wrapping_neg(),
            granted: other.granted.wrapping_neg(),
            denied: denied.collect(),
        };
        self.plus(&negative)
    }

    /// Adds what has become of events that this subscription alone was given.
    pub(crate) fn add(&mut self, fanout: &Fanout<W>) {
        self.events = self.events.wrapping_add(fanout.total());
        self.granted = self.granted.wrapping_add(fanout.taken + fanout.refused);
        for (reason, number) in &fanout.withheld {
            let count = count_of(&mut self.denied, *reason);
            *count = count.wrapping_add(*number);
        }
    }

    /// Takes back so many events that were granted.
    pub(crate) fn withdraw(&mut self, reason: W, number: u64) {
        self.granted = self.granted.wrapping_sub(number);
        let count = count_of(&mut self.denied, reason);
        *count = count.wrapping_add(number);
    }

    /// What it says of a subscription. Events that were neither granted nor denied passed it over.
    pub(crate) fn account(&self, passed_over: W) -> Account<W> {
        let denied: u64 = self.denied.iter().map(|(_, number)| number).sum();
        let mut withheld: Vec<(W, u64)> = self.denied.clone();
        *count_of(&mut withheld, passed_over) += self.events - self.granted - denied;
        withheld.retain(|(_, number)| *number > 0);
        Account { events: self.events, granted: self.granted, withheld }
    }
}

fn count_of<W: Copy + PartialEq>(counts: &mut Vec<(W, u64)>, reason: W) -> &mut u64 {
    let place = counts.iter().position(|(other, _)| *other == reason).unwrap_or_else(|| {
        counts.push((reason, 0));
        counts.len() - 1
    });
    &mut counts[place].1
}

impl<W> Default for Ledger<W> {
    fn default() -> Self {
        Self { granted: Cell::new(0), denied: RefCell::default() }
    }
}

impl<W> Default for Reading<W> {
    fn default() -> Self {
        Self { events: 0, granted: 0, denied: Vec::new() }
    }
}
