use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Room for state that is held for clients, in bytes, of which each has its share for as long as it holds some.
#[derive(Debug)]
pub(crate) struct StateRoom(Arc<Semaphore>);

impl StateRoom {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(BYTES)))
    }

    /// Room for so many bytes. Others may be slow to give theirs back, so it is not waited for without end: then none.
    pub(crate) async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX).min(LARGEST_SHARE);
        let room = timeout(PATIENCE, Arc::clone(&self.0).acquire_many_owned(permits)).await;
        room.ok().and_then(Result::ok)
    }
}

/// Enough for four of the largest states that a store gives out.
const BYTES: usize = 256 * 1024 * 1024;

/// The most that one state takes.
const LARGEST_SHARE: u32 = 64 * 1024 * 1024;

/// How long room is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
