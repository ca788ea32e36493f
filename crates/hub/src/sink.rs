use std::{fmt::Debug, hash::Hash};

use bytes::Bytes;

use crate::{Outbox, Refused};

/// Where a subscriber's renderings go. [`Outbox`] is one; a server wraps it to collect pushes into batches.
pub trait Sink<R>: Debug {
    /// Takes the rendering of one event, or of several that were joined, or refuses it because the subscriber's bound is
    /// reached or it is about to be closed.
    ///
    /// # Errors
    /// [`Refused`] says why; the hub counts it and goes on with the next subscriber.
    fn push(&mut self, rendering: &R, events: u32) -> Result<(), Refused>;

    /// Whether it wants the renderings of a burst one by one at this moment, because it may have to tell them apart.
    /// Joined ones are cheaper.
    fn wants_single(&self) -> bool {
        false
    }
}

impl<K: Debug + Eq + Hash> Sink<Bytes> for Outbox<K> {
    fn push(&mut self, rendering: &Bytes, events: u32) -> Result<(), Refused> {
        self.push_single(rendering.clone(), events, None)
    }
}
