use futures_util::future::join_all;
use tokio::sync::{mpsc::UnboundedSender, oneshot};

use crate::worker::WorkerMessage;

/// Whether a server lives: for a watchdog. Clones ask the same server.
#[derive(Debug, Clone)]
pub struct Pulse(Vec<UnboundedSender<WorkerMessage>>);

impl Pulse {
    pub(crate) fn new(workers: Vec<UnboundedSender<WorkerMessage>>) -> Self {
        Self(workers)
    }

    /// Waits until each worker has gone through its loop once more. A worker that hangs makes it wait without end; one that has
    /// ended because the server stops does not. To be awaited before it is asked for again.
    pub async fn beat(&self) {
        let asked = self.0.iter().filter_map(|worker| {
            let (asked, answer) = oneshot::channel();
            worker.send(WorkerMessage::Pulse(asked)).ok().map(|()| answer)
        });
        // Asked first, all of them.
        let answers: Vec<oneshot::Receiver<()>> = asked.collect();
        join_all(answers).await;
    }
}
