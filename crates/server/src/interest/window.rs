use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use geocast_geo_filter::{Bbox, Document, KnownCrs, Transform};
use geocast_protocol::text::Members;

use super::Withheld;
use crate::{Event, session::Viewport};

/// A viewport, ready to be tested against.
#[derive(Debug)]
pub(crate) struct Window {
    bbox: Bbox,
    /// Into the system of the box; none where that is the source's.
    transform: Option<Arc<Transform>>,
    /// The box in the source's system, never too small: what is outside of all of these is outside of the box.
    bounds: Vec<Bbox>,
    members: Members,
}

impl Window {
    pub(crate) fn new(bbox: Bbox, transform: Option<Arc<Transform>>, members: Members) -> Self {
        let bounds = transform.as_ref().map_or_else(|| vec![bbox], |transform| transform.bounds(&bbox));
        Self { bbox, transform, bounds, members }
    }

    /// Boxes in the source's system that contain all that is in the window.
    pub(super) fn bounds(&self) -> &[Bbox] {
        &self.bounds
    }

    /// The box as a client named it; `source` is the system that data comes in.
    pub(super) fn viewport(&self, source: KnownCrs) -> Viewport {
        let crs = self.transform.as_ref().map_or(source, |transform| transform.to());
        Viewport { bbox: self.bbox, crs, members: self.members }
    }

    fn key(&self) -> ([u64; 4], Option<u32>, Members) {
        // Adding zero makes the two zeros one.
        let edges = self.bbox.to_array().map(|edge| (edge + 0.0).to_bits());
        (edges, self.transform.as_ref().map(|transform| transform.to().code()), self.members)
    }

    /// Which members of the event are in sight: `Ok(None)` for all of it.
    pub(super) fn see(&self, event: &Event, document: &Document) -> Result<Option<Vec<usize>>, Withheld> {
        let source = document.shape();
        if let Some(extent) = source.extent()
            && !self.bounds.iter().any(|bounds| bounds.intersects(&extent))
        {
            return Err(Withheld::Outside);
        }
        let projected = self.transform.as_ref().map(|transform| event.projected(document, transform));
        let shape = projected.as_deref().unwrap_or(source);
        if self.members == Members::Inside && document.is_collection() {
            let inside = shape.members_inside(&self.bbox);
            return if inside.is_empty() { Err(Withheld::Outside) } else { Ok(Some(inside)) };
        }
        if shape.intersects(&self.bbox) { Ok(None) } else { Err(Withheld::Outside) }
    }
}

/// Windows are equal if they show the same: what bounds them follows from the rest.
impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Window {}

impl Hash for Window {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
