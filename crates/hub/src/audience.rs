use std::cell::Cell;

use rustc_hash::FxHashMap;
use slotmap::SlotMap;

use crate::{
    CohortId, Index, Interest, SubscriberId, Traffic,
    id::CohortKey,
    ledger::{Ledger, Reading},
};

/// The subscriptions of one channel, by interest.
#[derive(Debug)]
pub(crate) struct Audience<I: Interest> {
    cohorts: SlotMap<CohortKey, Cohort<I>>,
    by_interest: FxHashMap<I, CohortId>,
    index: I::Index,
    subscriptions: usize,
    /// Events so far.
    events: Cell<u64>,
    /// What has been granted to those who have left, less what had been granted to cohorts before their members joined them: with what
    /// members and cohorts say now, it makes the sum of all that was granted. Sums wrap around.
    settled: u64,
}

/// Subscribers with the same interest: what one of them gets, all get.
#[derive(Debug)]
pub(crate) struct Cohort<I: Interest> {
    pub(crate) interest: I,
    pub(crate) members: Vec<SubscriberId>,
    pub(crate) ledger: Ledger<I::Withheld>,
}

/// Where a subscription stands in its channel's audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) cohort: CohortId,
    place: usize,
}

/// A subscriber whose place another one's leaving has changed.
pub(crate) type Moved = Option<(SubscriberId, Membership)>;

impl<I: Interest> Audience<I> {
    pub(crate) fn join(&mut self, subscriber: SubscriberId, interest: I) -> Membership {
        let Self { cohorts, by_interest, index, subscriptions, .. } = self;
        *subscriptions += 1;
        let cohort = *by_interest.entry(interest).or_insert_with_key(|interest| {
            let ledger = Ledger::default();
            let cohort = Cohort { interest: interest.clone(), members: Vec::new(), ledger };
            let cohort = CohortId(cohorts.insert(cohort));
            index.insert(cohort, interest);
            cohort
        });
        let Cohort { members, ledger, .. } = &mut cohorts[cohort.0];
        self.settled = self.settled.wrapping_sub(ledger.granted());
        members.push(subscriber);
        Membership { cohort, place: members.len() - 1 }
    }

    pub(crate) fn leave(&mut self, membership: Membership) -> Moved {
        let Membership { cohort, place } = membership;
        let Cohort { members, ledger, .. } = self.cohorts.get_mut(cohort.0)?;
        self.settled = self.settled.wrapping_add(ledger.granted());
        members.swap_remove(place);
        self.subscriptions -= 1;
        if let Some(moved) = members.get(place) {
            return Some((*moved, membership));
        }
        if members.is_empty()
            && let Some(Cohort { interest, .. }) = self.cohorts.remove(cohort.0)
        {
            self.by_interest.remove(&interest);
            self.index.remove(cohort, &interest);
        }
        None
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.subscriptions == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.subscriptions
    }

    /// How many sets of members with equal interests there are.
    pub(crate) fn cohorts(&self) -> usize {
        self.cohorts.len()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = SubscriberId> {
        self.cohorts.values().flat_map(|cohort| cohort.members.iter().copied())
    }

    pub(crate) fn cohort(&self, id: CohortId) -> Option<&Cohort<I>> {
        self.cohorts.get(id.0)
    }

    /// Counts one event.
    pub(crate) fn count(&self) {
        self.events.set(self.events.get() + 1);
    }

    /// What it has had so far, and what of it was granted. Nothing is counted for that per event and subscriber.
    pub(crate) fn traffic(&self) -> Traffic {
        let of_cohort =
            |cohort: &Cohort<I>| cohort.ledger.granted().wrapping_mul(cohort.members.len() as u64);
        let granted = self.cohorts.values().map(of_cohort).fold(self.settled, u64::wrapping_add);
        Traffic { events: self.events.get(), granted }
    }

    /// Adds what was granted to one member alone.
    pub(crate) fn grant_apart(&mut self, events: u64) {
        self.settled = self.settled.wrapping_add(events);
    }

    /// Takes back what was granted to one member.
    pub(crate) fn withdraw(&mut self, events: u64) {
        self.settled = self.settled.wrapping_sub(events);
    }

    /// The counts that concern the members of a cohort.
    pub(crate) fn read(&self, cohort: CohortId) -> Reading<I::Withheld> {
        let events = self.events.get();
        self.cohorts.get(cohort.0).map_or_else(Reading::default, |cohort| cohort.ledger.read(events))
    }

    /// Every cohort that may want an event: all that do, and perhaps others.
    pub(crate) fn candidates(&self, event: &I::Event, mut visit: impl FnMut(CohortId, &Cohort<I>)) {
        self.index.candidates(event, |id| {
            if let Some(cohort) = self.cohorts.get(id.0) {
                visit(id, cohort);
            }
        });
    }
}

impl<I: Interest> Default for Audience<I> {
    fn default() -> Self {
        Self {
            cohorts: SlotMap::with_key(),
            by_interest: FxHashMap::default(),
            index: I::Index::default(),
            subscriptions: 0,
            events: Cell::new(0),
            settled: 0,
        }
    }
}
