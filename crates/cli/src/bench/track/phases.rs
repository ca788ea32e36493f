use std::{num::NonZeroUsize, time::Duration};

use super::stage::Stage;
use crate::bench::{
    arguments::LoadOptions,
    engine::{Changes, Latency},
    load::{self, LOST, Load},
    pace::{Pace, Schedule},
};

impl Stage<'_> {
    /// Sets all features, which nobody is told yet.
    pub(super) fn store(&mut self) -> anyhow::Result<Changes> {
        let (mut set, all) = (0, self.world.len());
        while set < all {
            let end = all.min(set + AT_ONCE);
            let states = self.world.state(set..end);
            self.engine.publisher()?.publish(&states)?;
            while !self.engine.publisher()?.is_settled() {
                self.engine.turn(TICK)?;
            }
            set = end;
            self.progress.say(|| format!("{set} of {all} features set"));
        }
        Ok(Changes::default())
    }

    /// Connects more clients, and waits until they have what is in their boxes.
    pub(super) fn join(&mut self, clients: usize) -> anyhow::Result<Changes> {
        let present = self.engine.tally().ready;
        let expected = self.world.seen(present..present + clients);
        let goal = self.engine.tally().deliveries + expected.total();
        self.engine.connect(clients, WINDOW, &mut self.progress)?;
        self.arrive(goal)?;
        Ok(expected)
    }

    /// Moves features.
    pub(super) fn relocate(&mut self, load: &LoadOptions) -> anyhow::Result<Changes> {
        let Self { engine, world, progress, .. } = self;
        let told = world.told;
        let mut load = Load { messages: load.messages, pace: load.pace(), content: &mut *world };
        load::publish(engine, &mut load, progress)?;
        Ok(self.world.told - told)
    }

    /// Lets each client look elsewhere, so many at once, and notes how long they take to have everything.
    pub(super) fn pan(
        &mut self,
        widths: f64,
        burst: NonZeroUsize,
        latency: &mut Latency,
    ) -> anyhow::Result<Changes> {
        let clients = self.engine.tally().ready;
        let mut schedule =
            Schedule::new(Pace::Closed { burst, pause: Duration::ZERO }, clients, self.engine.now());
        let (mut expected, mut client) = (Changes::default(), 0);
        let before = self.engine.tally().deliveries;
        loop {
            let due = schedule.due(self.engine.now(), true);
            if due == 0 && schedule.is_over() {
                return Ok(expected);
            }
            let mut commands = Vec::with_capacity(due);
            for client in client..client + due {
                let (command, changes) = self.world.pan(client, widths);
                expected = expected + changes;
                commands.push(command);
            }
            let start = self.engine.now();
            for command in commands {
                self.engine.say(client, &command)?;
                client += 1;
            }
            self.arrive(before + expected.total())?;
            latency.record(self.engine.now().saturating_sub(start));
            self.progress.say(|| format!("{client} of {clients} clients have panned"));
        }
    }

    /// Waits until so many changes have come, or none comes any more.
    fn arrive(&mut self, goal: u64) -> anyhow::Result<()> {
        let mut last = (self.engine.tally().deliveries, self.engine.now());
        while last.0 < goal && self.engine.now().saturating_sub(last.1) < LOST {
            self.engine.turn(TICK)?;
            self.engine.complain()?;
            let received = self.engine.tally().deliveries;
            if received != last.0 {
                last = (received, self.engine.now());
            }
        }
        Ok(())
    }
}

/// As many publications as a server answers without either side waiting for long.
const AT_ONCE: usize = 500;
/// Fewer than any server's queue of new connections.
const WINDOW: usize = 100;
const TICK: Duration = Duration::from_millis(50);
