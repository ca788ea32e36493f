use geocast_protocol::text;

use super::{Fault, FaultKind, Thinning};
use crate::{BboxKeyword, Fields, PropertyFilters, Settings};

/// What a client wishes of features besides their place. It comes with a viewport, and the next one replaces it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Wishes {
    /// What their properties must be.
    pub properties: PropertyFilters,
    /// Which properties are sent; all, if absent.
    pub fields: Option<Fields>,
    /// How much of coordinates and of movements is sent.
    pub thinning: Thinning,
}

impl Wishes {
    /// What the words behind BBOX ask for.
    ///
    /// # Errors
    /// [`FaultKind::TooManyProperties`], [`FaultKind::InvalidZoom`].
    pub(crate) fn read(settings: &Settings, bbox: &text::Bbox) -> Result<Self, Fault> {
        let properties = BboxKeyword::filters(&settings.bbox_keywords, &bbox.properties);
        let (number, most) = (properties.len().max(bbox.fields.len()), PropertyFilters::MAX);
        if number > most {
            let message = format!("{number} properties are asked for, at most {most} are allowed");
            return Err(Fault::new(FaultKind::TooManyProperties, message));
        }
        let fields = bbox.fields.iter().map(|name| name.as_str());
        let fields = if bbox.fields.is_empty() { None } else { Some(fields.collect()) };
        Ok(Self { properties, fields, thinning: Thinning::read(bbox)? })
    }
}
