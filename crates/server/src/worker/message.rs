use std::{sync::Arc, time::Duration};

use crate::{accept::Accepted, broker::InFlight};

/// What a worker is told from other threads.
#[derive(Debug)]
pub(crate) enum WorkerMessage {
    /// Something was published.
    Events(Vec<Arc<InFlight>>),
    /// Somebody connected.
    Accepted(Accepted),
    /// The server stops: close all connections within this time.
    Drain(Duration),
}
