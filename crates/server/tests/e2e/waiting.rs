//! How long a test waits: for what must come, and for what must not.

use std::{fmt::Display, future::Future, sync::Arc, time::Duration};

use geocast_server::{Pulse, Store};
use tokio::time::{Instant, sleep, timeout};

use crate::server::TestServer;

/// The longest a test waits for what must come. It only ends a test that fails, so it is long enough for a machine that is many
/// times slower than ours and has much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any test lasts.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// How long to wait before looking once more.
pub(crate) const AGAIN: Duration = Duration::from_millis(10);

/// What comes of `future`, which must come.
///
/// # Panics
///
/// It does not; `what` says what was waited for.
pub(crate) async fn must<T>(what: impl Display, future: impl Future<Output = T>) -> T {
    match timeout(PATIENCE, future).await {
        Ok(come) => come,
        Err(_elapsed) => panic!("waited {PATIENCE:?} in vain for {what}"),
    }
}

/// Looks again and again until there is something.
///
/// # Panics
///
/// There is nothing in time; `what` says what was waited for, the last error what there was instead.
pub(crate) async fn until<T, E: Display>(
    what: impl Display,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(instead) => {
                assert!(
                    Instant::now() < deadline,
                    "waited {PATIENCE:?} in vain for {what}; there is {instead}"
                );
            }
        }
        sleep(AGAIN).await;
    }
}

/// Tells what came before it from what did not come: behind it, everything that was published on the store has been heard by the
/// server and put into the mailboxes of all whom it concerns, on all workers. What a client asks for then is answered behind that.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    store: Arc<dyn Store>,
    pulse: Pulse,
}

impl Fence {
    pub(crate) async fn pass(&self) {
        must("the store to hand over what was published", self.store.settle()).await;
        // The second beat is behind the end of the round in which the first one was.
        for _ in 0..2 {
            must("all workers to go through their loops", self.pulse.beat()).await;
        }
    }
}

impl TestServer {
    pub(crate) fn fence(&self) -> Fence {
        Fence { store: Arc::clone(&self.store), pulse: self.pulse.clone() }
    }

    /// Ends when everything that was published has been heard and dealt with, see [`Fence`].
    pub(crate) async fn heard(&self) {
        self.fence().pass().await;
    }
}
