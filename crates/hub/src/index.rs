use std::fmt::Debug;

use rustc_hash::FxHashSet;

use crate::{CohortId, Interest};

/// Finds the cohorts of a channel that may want an event, without asking all of them.
pub trait Index<I: Interest<Index = Self>>: Debug + Default {
    /// Adds a cohort with its interest.
    fn insert(&mut self, cohort: CohortId, interest: &I);

    /// Takes a cohort out that was added with this interest.
    fn remove(&mut self, cohort: CohortId, interest: &I);

    /// Names every cohort that may want the event, each once. One that is not named does not get it.
    fn candidates(&self, event: &I::Event, visit: impl FnMut(CohortId));
}

/// No index: every cohort may want everything. For interests that are few, or that cannot be ordered.
#[derive(Clone, Debug, Default)]
pub struct Everyone(FxHashSet<CohortId>);

impl<I: Interest<Index = Self>> Index<I> for Everyone {
    fn insert(&mut self, cohort: CohortId, _: &I) {
        self.0.insert(cohort);
    }

    fn remove(&mut self, cohort: CohortId, _: &I) {
        self.0.remove(&cohort);
    }

    fn candidates(&self, _: &I::Event, visit: impl FnMut(CohortId)) {
        self.0.iter().copied().for_each(visit);
    }
}
