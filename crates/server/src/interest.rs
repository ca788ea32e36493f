use std::sync::Arc;

use geocast_geo_filter::{Bbox, Document, Transform};
use geocast_hub::Interest;
use geocast_protocol::text::Members;

use crate::{AbsentClientReference, Count, Event, connection::Frame, rendering};

/// What one subscription wants: a part of the world, in a coordinate system.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// Into the system of what is sent; none where that is the source's.
    pub(crate) output: Option<Arc<Transform>>,
    pub(crate) window: Option<Arc<Window>>,
    pub(crate) absent: AbsentClientReference,
}

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

/// What distinguishes the renderings of one event.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    output: Option<Arc<Transform>>,
    /// The features of a collection that are sent; all of them where there is no list.
    members: Option<Vec<usize>>,
    absent: AbsentClientReference,
}

/// Why an event is kept from a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Withheld {
    /// No part of it is in the viewport.
    Outside,
    /// It has no finite coordinates in the subscriber's system.
    Unprojectable,
    /// Its JSON is nested too deeply.
    TooDeep,
    /// It has too many positions.
    TooManyVertices,
}

impl Window {
    pub(crate) fn new(bbox: Bbox, transform: Option<Arc<Transform>>, members: Members) -> Self {
        let bounds = transform.as_ref().map_or_else(|| vec![bbox], |transform| transform.bounds(&bbox));
        Self { bbox, transform, bounds, members }
    }

    /// Which members of the event are in sight: `Ok(None)` for all of it.
    fn see(&self, event: &Event, document: &Document) -> Result<Option<Vec<usize>>, Withheld> {
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

impl Form {
    pub(crate) fn output(&self) -> Option<&Transform> {
        self.output.as_deref()
    }

    /// What stands for the client reference, which a push has none of.
    pub(crate) fn absent(&self) -> AbsentClientReference {
        self.absent
    }

    pub(crate) fn members(&self) -> Option<&[usize]> {
        self.members.as_deref()
    }
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        let target = |form: &Self| form.output.as_ref().map(|transform| transform.to());
        target(self) == target(other) && self.members == other.members && self.absent == other.absent
    }
}

impl Interest for Sight {
    type Event = Event;
    type Form = Form;
    type Rendering = Frame;
    type Withheld = Withheld;

    fn decide(&self, event: &Event) -> Result<Form, Withheld> {
        event.document()?;
        let Some(document) = event.geography() else {
            return Ok(Form { output: None, members: None, absent: self.absent });
        };
        let members = match &self.window {
            Some(window) => window.see(event, document)?,
            None => None,
        };
        Ok(Form { output: self.output.clone(), members, absent: self.absent })
    }

    fn render(event: &Event, form: &Form) -> Result<Frame, Withheld> {
        rendering::push(event, form)
    }
}

impl From<Withheld> for Count {
    fn from(reason: Withheld) -> Self {
        match reason {
            Withheld::Outside => Self::WithheldOutside,
            Withheld::Unprojectable => Self::WithheldUnprojectable,
            Withheld::TooDeep => Self::WithheldTooDeep,
            Withheld::TooManyVertices => Self::WithheldTooManyVertices,
        }
    }
}

#[cfg(test)]
mod tests;
