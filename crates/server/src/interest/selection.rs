use geocast_geo_filter::Document;

use super::{Sight, Withheld};
use crate::Event;

impl Sight {
    /// Which members of an event these subscribers see, by place and by properties: `Ok(None)` for all of it.
    pub(super) fn select(&self, event: &Event) -> Result<Option<Vec<usize>>, Withheld> {
        let document = event.document()?;
        let window = self.window.as_deref().zip(event.geography());
        let filters = &self.wishes.properties;
        if filters.is_empty() || !document.is_collection() {
            let seen = window.map_or(Ok(None), |(window, document)| window.see(event, document))?;
            let matching = if filters.is_empty() { None } else { filters.matching(event) };
            return if matching.is_some_and(|members| members.is_empty()) {
                Err(Withheld::Filtered)
            } else {
                Ok(seen)
            };
        }
        let mut selected = match window {
            Some((window, document)) => window.members_inside(event, document),
            None => all(document),
        };
        if selected.is_empty() && document.shape().members() > 0 {
            return Err(Withheld::Outside);
        }
        // One and the same member has to be in sight and to pass.
        let matching = filters.matching(event).unwrap_or_default();
        selected.retain(|member| matching.binary_search(member).is_ok());
        if selected.is_empty() {
            return Err(Withheld::Filtered);
        }
        let trims = self.window.as_ref().is_some_and(|window| window.trims());
        Ok(trims.then_some(selected))
    }
}

fn all(document: &Document) -> Vec<usize> {
    (0..document.shape().members()).collect()
}
