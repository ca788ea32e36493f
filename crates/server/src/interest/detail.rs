use geocast_geo_filter::{Decimals, MapLength, Shape, Writing};

use super::Sight;
use crate::Event;

/// How much of an event's coordinates is sent; all of it by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Detail {
    /// How many decimals they have at most.
    decimals: Option<Decimals>,
    /// How far lines may be from where they are.
    tolerance: Option<MapLength>,
}

impl Detail {
    /// All there is.
    pub(crate) const ALL: Self = Self { decimals: None, tolerance: None };

    /// The same coordinates with this much detail. `degrees` are those in EPSG:4326.
    pub(crate) fn of<'a>(self, writing: Writing<'a>, degrees: &'a Shape) -> Writing<'a> {
        let writing = self.decimals.map_or(writing, |decimals| writing.with_at_most(decimals));
        self.tolerance.map_or(writing, |tolerance| writing.simplified(degrees, tolerance))
    }
}

impl Sight {
    /// How much of an event's coordinates these subscribers are sent.
    pub(super) fn detail(&self, event: &Event) -> Detail {
        let (decimals, tolerance) =
            (self.wishes.thinning.decimals(), self.wishes.thinning.tolerance_on_map());
        if decimals.is_none() && tolerance.is_none() {
            return Detail::ALL;
        }
        let Some(document) = event.geography() else { return Detail::ALL };
        // Points are the same whatever the tolerance.
        Detail { decimals, tolerance: tolerance.filter(|_| !document.shape().is_points()) }
    }
}
