use std::{rc::Rc, vec};

use super::Versions;
use crate::{event::TrackKey, interest::Sight};

/// A tracked subscriber that is not up to date: what it has, and what it is to have.
#[derive(Debug)]
pub(crate) struct Behind {
    /// What it has been sent, or will have been when its outbox is empty: the versions of keys, as its map has them. Those who
    /// fall behind at the same moment with the same sight have the same.
    pub(crate) has: Rc<Versions>,
    /// What it is to see from now on.
    pub(crate) sight: Sight,
    /// Whether it may be sent something: not before it is told that the subscription is in force.
    pub(crate) is_ready: bool,
    /// Keys in which the two differed when they were compared; those that it has been told of since are not among them.
    pub(super) differing: vec::IntoIter<TrackKey>,
}

impl Behind {
    /// One that has nothing and waits.
    pub(crate) fn new(has: Versions, sight: Sight) -> Self {
        Self { has: Rc::new(has), sight, is_ready: false, differing: vec::IntoIter::default() }
    }

    /// One that has had all that it was to have.
    pub(crate) fn with(has: Rc<Versions>, sight: Sight) -> Self {
        Self { has, sight, is_ready: true, differing: vec::IntoIter::default() }
    }

    /// Whether what it has looks the same in another sight: else all of it has to be sent again.
    pub(crate) fn look(&mut self, sight: Sight) {
        if !self.sight.renders_like(&sight) {
            Rc::make_mut(&mut self.has).outdate();
        }
        self.sight = sight;
        self.differing = vec::IntoIter::default();
    }
}
