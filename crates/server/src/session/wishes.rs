use geocast_protocol::text;

use super::{Fault, FaultKind};
use crate::{BboxKeyword, PropertyFilters, Settings};

/// What a client wishes of features besides their place. It comes with a viewport, and the next one replaces it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Wishes {
    /// What their properties must be.
    pub properties: PropertyFilters,
}

impl Wishes {
    /// What keywords behind BBOX ask for.
    ///
    /// # Errors
    /// [`FaultKind::TooManyProperties`].
    pub(crate) fn read(settings: &Settings, keywords: &[text::Property]) -> Result<Self, Fault> {
        let properties = BboxKeyword::filters(&settings.bbox_keywords, keywords);
        let (number, most) = (properties.len(), PropertyFilters::MAX);
        if number > most {
            let message = format!("{number} properties are asked for, at most {most} are allowed");
            return Err(Fault::new(FaultKind::TooManyProperties, message));
        }
        Ok(Self { properties })
    }
}
