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
}

impl<'a> Round<'a> {
    pub(super) fn new(worker: &'a Worker) -> Self {
        Self { worker, run: Vec::new(), unwritten: 0 }
    }

    pub(super) fn add(&mut self, in_flight: Arc<InFlight>) {
        let event = &in_flight.event;
        if self.run.last().is_some_and(|last| last.event.channel() != event.channel()) {
            self.publish();
        }
        self.unwritten += event.payload().len();
        self.run.push(in_flight);
        // What is published before it is written waits in every outbox, whose bound is for slow readers, not for this.
        if self.unwritten >= MOST_UNWRITTEN {
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

/// A sixteenth of the default bound of an outbox.
const MOST_UNWRITTEN: usize = 64 * 1024;
