use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{Instrument, Span, field::Empty};

use crate::transport::Peer;

/// The span of a connection, if there is somebody who wants one: what is logged while its client is served stands in it.
///
/// Nobody does unless asked to, and connections that nobody looks at are to have no room for one.
pub(crate) fn span(client: Peer, dialect: &'static str) -> Option<Span> {
    let span = tracing::debug_span!(
        target: "geocast::connection",
        "connection",
        id = NUMBERS.fetch_add(1, Ordering::Relaxed),
        peer = %client,
        dialect,
        closed = Empty,
    );
    (!span.is_disabled()).then_some(span)
}

/// Serves a client in its span.
pub(super) async fn traced(span: Span, serving: impl Future<Output = ()>) {
    let serving = async {
        tracing::debug!(target: "geocast::connection", event = "connected", "a client is connected");
        serving.await;
        tracing::debug!(target: "geocast::connection", event = "disconnected", "a client is gone");
    };
    serving.instrument(span).await;
}

/// Says in the span of the connection that is being served, if it has one, how it ends.
pub(super) fn closed(name: &'static str) {
    Span::current().record("closed", name);
}

/// Of connections that have a span, over all workers.
static NUMBERS: AtomicU64 = AtomicU64::new(1);
