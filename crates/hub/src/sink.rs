use std::fmt::Debug;

use bytes::Bytes;

use crate::{Outbox, Refused};

/// Where a subscriber's renderings go. [`Outbox`] is one; a server wraps it to collect pushes into batches.
pub trait Sink<R>: Debug {
    /// Takes a rendering, or several that were joined, or refuses it because the subscriber's bound is reached or it is about to be closed.
    ///
    /// # Errors
    /// [`Refused`] says why; the hub counts it and goes on with the next subscriber.
    fn push(&mut self, rendering: &R) -> Result<(), Refused>;
}

impl Sink<Bytes> for Outbox {
    fn push(&mut self, rendering: &Bytes) -> Result<(), Refused> {
        self.push_message([rendering.clone()])
    }
}
