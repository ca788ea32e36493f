use std::sync::Arc;

use super::Worker;
use crate::broker::InFlight;

/// Events that are published in one go: consecutive ones of the same channel, so that every subscriber keeps the order
/// of all that it gets.
pub(super) struct Round<'a> {
    worker: &'a Worker,
    run: Vec<Arc<InFlight>>,
    /// Bytes that have been published and not yet been written.
    unwritten: usize,
    /// As many as are published before they are written.
    most_unwritten: usize,
}

impl<'a> Round<'a> {
    pub(super) fn new(worker: &'a Worker) -> Self {
        let most_unwritten = worker.node.rules.limits.most_unwritten();
        Self { worker, run: Vec::new(), unwritten: 0, most_unwritten }
    }

    pub(super) fn add(&mut self, in_flight: Arc<InFlight>) {
        let event = &in_flight.event;
        if self.run.last().is_some_and(|last| last.event.channel() != event.channel()) {
            self.publish();
        }
        self.unwritten += event.payload().len() + OVERHEAD;
        self.run.push(in_flight);
        if self.unwritten >= self.most_unwritten {
            self.publish();
            self.worker.flush();
            self.unwritten = 0;
        }
    }

    pub(super) fn publish(&mut self) {
        self.worker.publish(&self.run);
        self.run.clear();
    }
}

/// Bytes that an event takes in an outbox besides its payload, roughly: the envelope and its place in the queue.
const OVERHEAD: usize = 192;
