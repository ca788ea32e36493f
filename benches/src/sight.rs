use std::hash::{Hash, Hasher};

use bytes::Bytes;
use geocast_geo_filter::{Bbox, Document, ViewportIndex};
use geocast_hub::{CohortId, Index, Interest};
use geocast_protocol::Channel;

use crate::frame;

/// An interest as the server's: a box, tested against the shape that the message was read to once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sight(pub(crate) Option<Bbox>);

/// A published message, as it is read on arrival.
#[derive(Debug)]
pub struct Event {
    pub(crate) channel: Channel,
    pub(crate) payload: String,
    pub(crate) document: Document,
}

/// Finds sights by place, as the server does.
#[derive(Debug, Default)]
pub(crate) struct SightIndex {
    everywhere: Vec<CohortId>,
    windows: ViewportIndex<CohortId>,
}

impl Interest for Sight {
    type Event = Event;
    type Form = ();
    type Rendering = Bytes;
    type Withheld = ();
    type Index = SightIndex;

    const PASSED_OVER: () = ();

    fn decide(&self, event: &Event) -> Result<(), ()> {
        if self.0.is_none_or(|bbox| event.document.shape().intersects(&bbox)) { Ok(()) } else { Err(()) }
    }

    fn render(event: &Event, (): &()) -> Result<Bytes, ()> {
        Ok(Bytes::from(frame(&event.channel, &event.payload)))
    }

    fn join(renderings: &[Bytes]) -> Bytes {
        Bytes::from(renderings.concat())
    }
}

impl Eq for Sight {}

impl Hash for Sight {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.map(|bbox| bbox.to_array().map(f64::to_bits)).hash(state);
    }
}

impl Index<Sight> for SightIndex {
    fn insert(&mut self, cohort: CohortId, sight: &Sight) {
        match sight.0 {
            Some(bbox) => self.windows.insert(cohort, &[bbox]),
            None => self.everywhere.push(cohort),
        }
    }

    fn remove(&mut self, cohort: CohortId, _: &Sight) {
        self.windows.remove(cohort);
        self.everywhere.retain(|other| *other != cohort);
    }

    fn candidates(&self, event: &Event, mut visit: impl FnMut(CohortId)) {
        self.everywhere.iter().copied().for_each(&mut visit);
        if let Some(extent) = event.document.shape().extent() {
            let [left, bottom, right, top] = extent.to_array();
            if left == right && bottom == top {
                self.windows.for_each_at([left, bottom], visit);
            } else {
                self.windows.for_each(&extent, visit);
            }
        }
    }
}
