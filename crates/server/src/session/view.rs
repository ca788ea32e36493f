use geocast_geo_filter::{Bbox, KnownCrs};
use geocast_protocol::text::Members;

/// What a client looks at and in which coordinates it wants it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    /// The system of what is sent.
    pub(crate) output: KnownCrs,
    /// Without one, everything is sent.
    pub(crate) viewport: Option<Viewport>,
}

/// A box, in the system it was given in: a later PROJECTION does not move it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Viewport {
    pub(crate) bbox: Bbox,
    pub(crate) crs: KnownCrs,
    pub(crate) members: Members,
}

impl View {
    pub(crate) fn new(output: KnownCrs) -> Self {
        Self { output, viewport: None }
    }
}
