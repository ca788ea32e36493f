use std::time::Duration;

use super::world::World;
use crate::bench::{
    engine::{Changes, Engine},
    progress::Progress,
    publisher::Publisher,
    server::Server,
};

/// What a run works with.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) engine: Engine,
    pub(super) server: &'a Server,
    pub(super) world: World,
    pub(super) progress: Progress,
}

/// One part of a run: what was to come, what came, and what it took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phase {
    pub(super) expected: Changes,
    pub(super) received: Changes,
    pub(super) time: Duration,
    /// Of the server, if it is known which process it is.
    pub(super) cpu: Option<Duration>,
    /// The server's memory afterwards, in bytes.
    pub(super) resident: Option<u64>,
}

impl Stage<'_> {
    /// Does something that makes the server tell clients so many changes, and lets it come to rest.
    pub(super) fn phase(
        &mut self,
        work: impl FnOnce(&mut Self) -> anyhow::Result<Changes>,
    ) -> anyhow::Result<Phase> {
        let (before, start) = (self.server.usage()?, self.engine.now());
        let told = self.engine.tally().changes;
        let expected = work(self)?;
        let time = self.engine.now().saturating_sub(start);
        // What a server does after its last write, such as giving memory back, is part of the work.
        self.engine.rest(AFTERWARDS)?;
        let after = self.server.usage()?;
        // A lost connection explains what is missing better than a number does.
        self.engine.complain()?;
        Ok(Phase {
            expected,
            received: self.engine.tally().changes - told,
            time,
            cpu: before.zip(after).map(|(before, after)| after.cpu.saturating_sub(before.cpu)),
            resident: after.map(|after| after.resident),
        })
    }

    /// Does something that publishes.
    pub(super) fn publish(
        &mut self,
        publisher: Publisher,
        work: impl FnOnce(&mut Self) -> anyhow::Result<Changes>,
    ) -> anyhow::Result<Changes> {
        self.engine.attach(publisher)?;
        let changes = work(self);
        self.engine.detach();
        changes
    }
}

const AFTERWARDS: Duration = Duration::from_millis(500);
