//! Where in the world, how much of it at once, and which features the bearer of a token may see (its claim `geo`).
//!
//! | Module | Holds |
//! |---|---|
//! | `claim` | what the claim says, as it is written |
//! | `error` | [`RightsError`]: why it cannot be used |
//! | `refusal` | [`Refusal`]: why a viewport is not allowed |
//! | `known` | [`KnownRights`]: the same claim is kept once |
//! | `placeless` | what may be sent that has no geometry |

mod claim;
mod error;
mod known;
mod placeless;
mod refusal;

use std::{
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use geocast_geo_filter::{Area, Bbox};

pub(crate) use error::RightsError;
pub(super) use known::KnownRights;
pub(crate) use refusal::Refusal;

use crate::{Event, PropertyFilters};

/// What the bearer of a token may see at most. Nobody has these rights without a limit.
///
/// Rights are equal if the claims say the same, in whatever order their members are.
#[derive(Debug)]
pub(crate) struct Rights {
    number: RightsNumber,
    /// The claim, with its members in order.
    claim: Box<str>,
    within: Option<Area>,
    /// Square kilometres.
    max_area: Option<f64>,
    zoom: Option<[f64; 2]>,
    properties: Option<PropertyFilters>,
}

/// Tells rights from all others that were read in this process. Equal ones may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RightsNumber(u64);

/// What of an event may be seen, if something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Permitted {
    All,
    /// These members of a collection, ascending.
    Members(Vec<usize>),
}

impl Rights {
    /// Reads the claim.
    pub(super) fn read(claim: &str) -> Result<Self, RightsError> {
        let (ordered, claim) = claim::Claim::read(claim)?;
        let within = claim.polygons()?.map(Area::try_from).transpose()?;
        let (max_area, zoom, properties) = (claim.max_area()?, claim.zoom()?, claim.properties()?);
        let rights =
            Self { number: RightsNumber::next(), claim: ordered.into(), within, max_area, zoom, properties };
        if rights.limit_places() || rights.properties.is_some() {
            Ok(rights)
        } else {
            Err(RightsError::Empty)
        }
    }

    /// What of an event may be seen. None if nothing.
    pub(crate) fn see(&self, event: &Event) -> Option<Permitted> {
        event.permitted(self.number, || self.judge(event))
    }

    fn judge(&self, event: &Event) -> Option<Permitted> {
        let placed = if self.limit_places() { self.see_place(event)? } else { Permitted::All };
        let Some(filters) = &self.properties else { return Some(placed) };
        let (Some(all @ 1..), Some(mut passing)) = (event.features(), filters.matching(event)) else {
            return placeless::may_pass(event).then_some(placed);
        };
        if let Permitted::Members(members) = &placed {
            passing.retain(|member| members.binary_search(member).is_ok());
        }
        // Of two lists of features in a collection, the last was judged, and is sent alone.
        let is_plain =
            event.document().is_ok_and(|document| !document.is_collection() || document.is_usual());
        if passing.len() == all && is_plain {
            return Some(Permitted::All);
        }
        (!passing.is_empty()).then_some(Permitted::Members(passing))
    }

    /// Whether it matters where something is.
    fn limit_places(&self) -> bool {
        self.within.is_some() || self.need_viewport()
    }

    fn see_place(&self, event: &Event) -> Option<Permitted> {
        let Some(document) = event.geography() else {
            return placeless::may_pass(event).then_some(Permitted::All);
        };
        // What stands twice in it would be sent twice, and only the last was judged.
        if !document.is_usual() {
            return None;
        }
        let shape = document.shape();
        let members = match &self.within {
            Some(area) => area.members(shape),
            None => (0..shape.members()).filter(|&member| shape.has_place(member)).collect(),
        };
        match members.len() {
            0 => None,
            some if some == shape.members() => Some(Permitted::All),
            _ => Some(Permitted::Members(members)),
        }
    }

    /// Whether nothing may be seen without a viewport.
    pub(crate) fn need_viewport(&self) -> bool {
        self.max_area.is_some() || self.zoom.is_some()
    }

    /// Whether a viewport may be at a zoom level, as far as one was given.
    pub(crate) fn check_zoom(&self, zoom: Option<f64>) -> Result<(), Refusal> {
        let Some([min, max]) = self.zoom else { return Ok(()) };
        match zoom {
            None => Err(Refusal::ZoomMissing { min, max }),
            Some(zoom) if (min..=max).contains(&zoom) => Ok(()),
            Some(zoom) => Err(Refusal::Zoom { zoom, min, max }),
        }
    }

    /// Whether a viewport may have what is in these boxes in longitude and latitude.
    pub(crate) fn check_area(&self, boxes: &[Bbox]) -> Result<(), Refusal> {
        let Some(max) = self.max_area else { return Ok(()) };
        let area = boxes.iter().map(Bbox::ground_area).sum();
        // Also where it is no number.
        if area <= max { Ok(()) } else { Err(Refusal::Area { area, max }) }
    }
}

impl RightsNumber {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl PartialEq for Rights {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.claim == other.claim
    }
}

impl Eq for Rights {}

impl Hash for Rights {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.claim.hash(state);
    }
}

/// Whose rights they are does not matter.
pub(crate) type Held = Option<Arc<Rights>>;

#[cfg(test)]
mod tests;
