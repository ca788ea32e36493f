use super::{Before, Fields, Layout, changes};
use crate::{Broker, Count};

/// Pushes what is different about a hash to the subscribers of this node.
///
/// Objects whose push would have more than [`LARGEST`] bytes are not pushed: their subscribers' outboxes could not hold two.
pub(crate) async fn push(broker: &Broker, hash: &str, before: Before<'_>, after: &Fields) {
    let is_object = matches!(Layout::of(hash), Some(Layout::Object { .. }));
    let bytes = after.values().map(bytes::Bytes::len).sum::<usize>();
    if is_object && bytes > LARGEST {
        // Not even written, which would cost its length with each field that changes.
        return skip(broker, hash, bytes);
    }
    for (group, message) in changes(hash, before, after) {
        if message.len() > LARGEST {
            skip(broker, group.as_str(), message.len());
        } else {
            broker.deliver(&group, message).await;
        }
    }
}

fn skip(broker: &Broker, name: &str, bytes: usize) {
    let counters = broker.counters();
    counters.add(Count::StoreSkipped);
    let skipped = counters.value(Count::StoreSkipped);
    // An object that changes often shall not fill the log.
    if skipped.is_power_of_two() {
        tracing::warn!(
            event = "watch_push_skipped",
            name,
            bytes,
            limit = LARGEST,
            skipped,
            "skipped the push of a watched object that is too long"
        );
    }
}

/// Bytes of a push: as many as a publication may have by default, and as may wait for a client by default.
const LARGEST: usize = 1024 * 1024;
