use geocast_geo_filter::RegionIndex;
use geocast_hub::{CohortId, Index};
use rustc_hash::FxHashSet;

use super::Sight;
use crate::{Event, Happening};

/// Finds those who may see an event: all without a window, and those whose window it may touch.
#[derive(Debug)]
pub(crate) struct SightIndex {
    everywhere: FxHashSet<CohortId>,
    windows: RegionIndex<CohortId>,
}

impl Index<Sight> for SightIndex {
    fn insert(&mut self, cohort: CohortId, sight: &Sight) {
        match &sight.window {
            Some(window) => {
                let boxes = window.bounds().boxes;
                self.windows.insert(cohort, window.region(), window.transform(), boxes);
            }
            None => drop(self.everywhere.insert(cohort)),
        }
    }

    fn remove(&mut self, cohort: CohortId, sight: &Sight) {
        match &sight.window {
            Some(window) => drop(self.windows.remove(cohort, window.transform().map(|into| &**into))),
            None => drop(self.everywhere.remove(&cohort)),
        }
    }

    fn candidates(&self, happening: &Happening, mut visit: impl FnMut(CohortId)) {
        self.everywhere.iter().copied().for_each(&mut visit);
        let before = happening.turn().and_then(|turn| turn.before.as_deref());
        match before.filter(|before| !is_in_place(before, happening)) {
            None => self.visit(happening, visit),
            Some(before) => {
                // Those who saw it where it was have to be told as well, and each is asked once.
                let mut asked = FxHashSet::default();
                for event in [before, happening] {
                    self.visit(event, |cohort| {
                        if asked.insert(cohort) {
                            visit(cohort);
                        }
                    });
                }
            }
        }
    }
}

impl SightIndex {
    fn visit(&self, event: &Event, visit: impl FnMut(CohortId)) {
        match event.geography() {
            // What has no place concerns every window.
            None => self.windows.for_all(visit),
            Some(document) => {
                let project = |transform: &_| event.projected(document, transform);
                self.windows.for_each(document.shape(), project, visit);
            }
        }
    }
}

impl Default for SightIndex {
    fn default() -> Self {
        // Windows are chosen by strangers, who must not be able to make their cells collide.
        Self { everywhere: FxHashSet::default(), windows: RegionIndex::with_seed(fastrand::u64(..)) }
    }
}

/// Whether the two are at the same place, as far as an index can tell.
fn is_in_place(before: &Event, after: &Event) -> bool {
    match (before.geography(), after.geography()) {
        (None, None) => true,
        (Some(before), Some(after)) => {
            let (before, after) = (before.shape(), after.shape());
            before.is_points() && after.is_points() && before.whereabouts() == after.whereabouts()
        }
        _ => false,
    }
}
