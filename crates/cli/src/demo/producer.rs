use std::{convert::Infallible, sync::Arc, time::Duration};

use geocast_protocol::Channel;
use geocast_server::{Store, StoreError, deletion_notice};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::fleet::{Fleet, State};

/// Writes a fleet into a store, as any publisher would.
#[derive(Debug)]
pub(super) struct Producer {
    store: Arc<dyn Store>,
    channel: Channel,
    fleet: Fleet,
    /// Whether the last attempt failed.
    failing: bool,
}

impl Producer {
    pub(super) fn new(store: Arc<dyn Store>, channel: Channel, fleet: Fleet) -> Self {
        Self { store, channel, fleet, failing: false }
    }

    /// Goes on for ever: each vehicle once per second, evenly spread over the second.
    pub(super) async fn produce(&mut self) -> Infallible {
        for index in 0..self.fleet.len() {
            self.put(index).await;
        }
        let mut turns = interval(Duration::from_secs(1) / TURNS as u32);
        turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            for turn in 0..TURNS {
                turns.tick().await;
                for index in (turn..self.fleet.len()).step_by(TURNS) {
                    self.fleet.step(index);
                    if let Some(id) = self.fleet.retire(index) {
                        self.remove(&id).await;
                    }
                    self.put(index).await;
                }
            }
        }
    }

    /// Removes all vehicles from the state.
    pub(super) async fn clear(&mut self) {
        let all = async {
            for index in 0..self.fleet.len() {
                let State { id, .. } = self.fleet.state(index);
                self.remove(&id).await;
            }
        };
        if timeout(CLEARING, all).await.is_err() {
            tracing::warn!(event = "demo_state_left", "vehicles are left in the store");
        }
    }

    async fn put(&mut self, index: usize) {
        let State { id, feature } = self.fleet.state(index);
        let outcome = self.store.put(&self.channel, &id, feature).await.map(drop);
        self.note(outcome);
    }

    async fn remove(&mut self, id: &str) {
        let outcome = self.store.remove(&self.channel, id, deletion_notice(id)).await;
        self.note(outcome.map(|_| ()));
    }

    /// Says once that publishing fails, and once that it works again.
    fn note(&mut self, outcome: Result<(), StoreError>) {
        let failed = std::mem::replace(&mut self.failing, outcome.is_err());
        match outcome {
            Err(error) if !failed => {
                tracing::warn!(event = "demo_publish_failed", %error, "vehicles cannot be published; trying on")
            }
            Ok(()) if failed => tracing::info!(event = "demo_publish_works", "vehicles are published again"),
            _ => {}
        }
    }
}

/// Parts of a second in which some of the vehicles move.
const TURNS: usize = 50;

/// How long removing everything may take.
const CLEARING: Duration = Duration::from_secs(3);
