use geocast_geo_filter::{Bbox, ViewportIndex};
use geocast_hub::{CohortId, Index};
use rustc_hash::FxHashSet;

use super::Sight;
use crate::{Event, Happening};

/// Finds those who may see an event: all without a window, and those whose window's bounds it touches.
#[derive(Debug)]
pub(crate) struct SightIndex {
    everywhere: FxHashSet<CohortId>,
    windows: ViewportIndex<CohortId>,
}

impl Index<Sight> for SightIndex {
    fn insert(&mut self, cohort: CohortId, sight: &Sight) {
        match &sight.window {
            Some(window) => self.windows.insert(cohort, window.bounds()),
            None => drop(self.everywhere.insert(cohort)),
        }
    }

    fn remove(&mut self, cohort: CohortId, sight: &Sight) {
        match &sight.window {
            Some(_) => drop(self.windows.remove(cohort)),
            None => drop(self.everywhere.remove(&cohort)),
        }
    }

    fn candidates(&self, happening: &Happening, mut visit: impl FnMut(CohortId)) {
        self.everywhere.iter().copied().for_each(&mut visit);
        let before = happening.turn().and_then(|turn| turn.before.as_deref());
        match before.map(extent).filter(|before| *before != extent(happening)) {
            None => self.visit(extent(happening), visit),
            Some(before) => {
                // Those who saw it where it was have to be told as well, and each is asked once.
                let mut asked = FxHashSet::default();
                for extent in [before, extent(happening)] {
                    self.visit(extent, |cohort| {
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
    fn visit(&self, extent: Option<Bbox>, visit: impl FnMut(CohortId)) {
        match extent {
            None => self.windows.for_each(&Bbox::EVERYTHING, visit),
            Some(extent) => match point(&extent) {
                Some(point) => self.windows.for_each_at(point, visit),
                None => self.windows.for_each(&extent, visit),
            },
        }
    }
}

impl Default for SightIndex {
    fn default() -> Self {
        // Windows are chosen by strangers, who must not be able to make their cells collide.
        Self { everywhere: FxHashSet::default(), windows: ViewportIndex::with_seed(fastrand::u64(..)) }
    }
}

/// Where it is. What has no place, or a part without a place, concerns every window.
fn extent(event: &Event) -> Option<Bbox> {
    event.geography()?.shape().whereabouts()
}

fn point(extent: &Bbox) -> Option<[f64; 2]> {
    let [left, bottom, right, top] = extent.to_array();
    (left == right && bottom == top).then_some([left, bottom])
}
