use super::Sight;
use crate::Event;

impl Sight {
    /// Whether these tracked subscribers, who have been shown a feature as it was, need not be shown what it is now: it has not
    /// left the squares that they want to see it leave, and nothing else that they are sent of it has changed.
    ///
    /// It is asked of two events that follow each other. As what is in the same squares as a third is in the same squares as
    /// a second, what subscribers have is in the squares of what there is, however many events were kept from them.
    pub(super) fn need_not_see(&self, before: &Event, now: &Event) -> bool {
        let Some(square) = self.wishes.thinning.square() else { return false };
        let is_there = match (before.geography(), now.geography()) {
            (Some(before), Some(now)) => now.shape().is_still_at(before.shape(), square),
            (None, None) => true,
            _ => false,
        };
        is_there && is_called_the_same(before, now) && self.rest(before) == self.rest(now)
    }

    /// All that is sent of an event but for its coordinates.
    fn rest(&self, event: &Event) -> Option<Vec<u8>> {
        let fields = self.wishes.fields.as_ref().map(|fields| |name: &str| fields.contain(name));
        Some(event.document().ok()?.without_place(event.payload(), fields))
    }
}

/// Whether the key is written as it was: where it is a property, it may be none of the rest.
fn is_called_the_same(before: &Event, now: &Event) -> bool {
    let (before, now) = (before.tracked(None), now.tracked(None));
    before.zip(now).is_some_and(|(before, now)| before.key.is_written_like(&now.key))
}
