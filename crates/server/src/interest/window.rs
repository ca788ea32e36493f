use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use geocast_geo_filter::{Bbox, Document, Region, Shape, Transform};
use geocast_protocol::text::Members;

use super::Withheld;
use crate::{Event, session::Viewport};

/// Where in the source's system something is, never too small.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'a> {
    pub(crate) boxes: &'a [Bbox],
    /// Lines and areas may be elsewhere.
    pub(crate) for_points_alone: bool,
}

/// A viewport, ready to be tested against.
#[derive(Debug)]
pub(crate) struct Window {
    viewport: Viewport,
    /// Into the system of the box; none where that is the source's.
    transform: Option<Arc<Transform>>,
    /// Boxes in the source's system: a position that is outside of all of these is outside of the viewport. None where they are
    /// those of the viewport.
    bounds: Option<Vec<Bbox>>,
}

impl Window {
    pub(crate) fn new(viewport: Viewport, transform: Option<Arc<Transform>>) -> Self {
        let bounds = transform.as_ref().map(|transform| transform.region_bounds(&viewport.region));
        Self { viewport, transform, bounds }
    }

    /// Where in the source's system all is that is in the window.
    pub(super) fn bounds(&self) -> Bounds<'_> {
        Bounds { boxes: self.boxes(), for_points_alone: self.bends() }
    }

    /// Boxes in the source's system: what is in the window is in one of these.
    pub(crate) fn boxes(&self) -> &[Bbox] {
        self.bounds.as_deref().unwrap_or_else(|| self.viewport.region.boxes())
    }

    /// What the box means, in the target of the transform.
    pub(super) fn region(&self) -> &Region {
        &self.viewport.region
    }

    /// Into the system of the box; none where that is the source's.
    pub(super) fn transform(&self) -> Option<&Arc<Transform>> {
        self.transform.as_ref()
    }

    /// Whether lines that are straight in the system of the box bend in the source's.
    fn bends(&self) -> bool {
        self.transform.as_ref().is_some_and(|transform| !transform.keeps_boxes())
    }

    /// The boxes of two windows in the source's system, where they are exact to some millimetres and nothing else tells the
    /// windows apart.
    pub(super) fn pans_to<'a>(&'a self, other: &'a Self) -> Option<(&'a Bbox, &'a Bbox)> {
        match (self.plain(), other.plain()) {
            (Some(old), Some(new)) if self.viewport.members == other.viewport.members => Some((old, new)),
            _ => None,
        }
    }

    fn plain(&self) -> Option<&Bbox> {
        let is_exact = self.transform.as_ref().is_none_or(|transform| transform.keeps_boxes());
        match (self.boxes(), self.viewport.region.boxes()) {
            ([bounds], [_]) if is_exact => Some(bounds),
            _ => None,
        }
    }

    /// The box as a client named it.
    pub(crate) fn viewport(&self) -> &Viewport {
        &self.viewport
    }

    /// Whether only those members of a collection are sent that are in sight.
    pub(super) fn trims(&self) -> bool {
        self.viewport.members == Members::Inside
    }

    fn key(&self) -> (impl Iterator<Item = u64>, u32, Members) {
        // Adding zero makes the two zeros one.
        let edges = self.viewport.region.boxes().iter().flat_map(|bbox| bbox.to_array());
        (edges.map(|edge| (edge + 0.0).to_bits()), self.viewport.crs.code(), self.viewport.members)
    }

    /// Which members of the event are in sight: `Ok(None)` for all of it.
    pub(super) fn see(&self, event: &Event, document: &Document) -> Result<Option<Vec<usize>>, Withheld> {
        if self.trims() && document.is_collection() {
            let inside = self.members_inside(event, document);
            return if inside.is_empty() { Err(Withheld::Outside) } else { Ok(Some(inside)) };
        }
        let is_in = |shape: &Shape| shape.is_in(&self.viewport.region);
        if self.judge(event, document, is_in).unwrap_or(false) { Ok(None) } else { Err(Withheld::Outside) }
    }

    /// The members of the event that are in sight, ascending.
    pub(super) fn members_inside(&self, event: &Event, document: &Document) -> Vec<usize> {
        let members_in = |shape: &Shape| shape.members_in(&self.viewport.region);
        self.judge(event, document, members_in).unwrap_or_default()
    }

    /// Judges the event's shape in the system of the box, unless all of it is elsewhere.
    fn judge<T>(&self, event: &Event, document: &Document, judge: impl FnOnce(&Shape) -> T) -> Option<T> {
        let source = document.shape();
        let is_bounded = !self.bends() || source.is_points();
        if let Some(whereabouts) = source.whereabouts().filter(|_| is_bounded)
            && !self.boxes().iter().any(|bounds| bounds.intersects(&whereabouts))
        {
            return None;
        }
        let projected = self.transform.as_ref().map(|transform| event.projected(document, transform));
        Some(judge(projected.as_deref().unwrap_or(source)))
    }
}

/// Windows are equal if they show the same: what bounds them follows from the rest.
impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.key(), other.key());
        (ours.1, ours.2) == (theirs.1, theirs.2) && ours.0.eq(theirs.0)
    }
}

impl Eq for Window {}

impl Hash for Window {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (edges, crs, members) = self.key();
        edges.for_each(|edge| edge.hash(state));
        (crs, members).hash(state);
    }
}
