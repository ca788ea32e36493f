use geocast_geo_filter::Document;

use super::{Sight, Withheld};
use crate::{Event, access::Permitted};

/// What of an event is seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// The members of a collection, ascending; all of it where there is no list.
    pub(super) members: Option<Vec<usize>>,
    /// Whether some members may not be seen, so that nothing is to be sent that speaks of all.
    pub(super) alone: bool,
}

impl Sight {
    /// Which members of an event these subscribers see, by what they may see, by place and by properties.
    pub(super) fn select(&self, event: &Event) -> Result<Selection, Withheld> {
        let document = event.document()?;
        match self.permitted(event)? {
            Some(permitted) if document.is_collection() => self.select_of(permitted, event, document),
            _ => Ok(Selection { members: self.select_freely(event, document)?, alone: false }),
        }
    }

    /// Of a collection the members that may be seen and are: each for itself, so that none that is seen tells of one that
    /// may not be.
    fn select_of(
        &self,
        permitted: Permitted,
        event: &Event,
        document: &Document,
    ) -> Result<Selection, Withheld> {
        let (mut members, alone) = match permitted {
            Permitted::All => (all(document), false),
            Permitted::Members(members) => (members, true),
        };
        if let (Some(window), Some(_)) = (&self.window, event.geography()) {
            let inside = window.members_inside(event, document);
            members.retain(|member| inside.binary_search(member).is_ok());
            if members.is_empty() {
                return Err(Withheld::Outside);
            }
        }
        let filters = &self.wishes.properties;
        if !filters.is_empty() {
            let matching = filters.matching(event).unwrap_or_default();
            members.retain(|member| matching.binary_search(member).is_ok());
            if members.is_empty() {
                return Err(Withheld::Filtered);
            }
        }
        let is_whole = members.len() == document.shape().members();
        Ok(Selection { members: (!is_whole).then_some(members), alone })
    }

    /// What is seen of what may be seen without limits: `Ok(None)` for all of it.
    fn select_freely(&self, event: &Event, document: &Document) -> Result<Option<Vec<usize>>, Withheld> {
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
