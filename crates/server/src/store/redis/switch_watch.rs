use std::sync::Arc;

use super::{backoff::Backoff, nodes::Nodes};

/// Listens to each sentinel for as long as the store lives, and has the master looked for when one tells of another.
///
/// That is faster than asking with every probe, no more: sentinels that cannot be listened to, or that this user may not
/// subscribe to, are still asked.
pub(super) async fn run(nodes: Arc<Nodes>) {
    let sentinels = nodes.sentinels().map_or(0, super::sentinel::Sentinels::len);
    let listeners = (0..sentinels).map(|number| listen(&nodes, number));
    futures_util::future::join_all(listeners).await;
}

async fn listen(nodes: &Nodes, number: usize) {
    let mut backoff = Backoff::default();
    let watch = nodes.watch();
    while let Some(sentinels) = nodes.sentinels() {
        match sentinels.news(number).await {
            Ok(()) => {
                backoff.reset();
                let known = watch.borrow().clone();
                if let Err(reason) = nodes.look_again(known.as_ref()).await {
                    tracing::debug!(reason, "sentinels tell of a new master that is not there yet");
                }
            }
            Err(reason) => {
                tracing::debug!(%reason, number, "a sentinel cannot be listened to");
                tokio::time::sleep(backoff.wait(fastrand::f64())).await;
            }
        }
    }
}
