use futures_util::future::BoxFuture;
use geocast_protocol::Channel;

use crate::{StoreError, worker::Worker};

/// A channel whose messages are held while something of it is read. Dropped when that ends, also early, because the client
/// has gone.
pub(super) struct Held<'a> {
    worker: &'a Worker,
    channel: &'a Channel,
    /// From where on they are.
    pub(super) mark: u64,
}

impl<'a> Held<'a> {
    /// Begins to hold. The future ends when the store's subscription is in force.
    pub(super) fn begin(
        worker: &'a Worker,
        channel: &'a Channel,
    ) -> (Self, BoxFuture<'static, Result<(), StoreError>>) {
        let (mark, confirmation) = worker.hold(channel);
        (Self { worker, channel, mark }, confirmation)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.worker.unhold(self.channel);
    }
}
