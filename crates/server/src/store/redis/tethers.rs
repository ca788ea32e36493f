use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
    time::{Instant, interval_at},
};

use super::{address::Address, dialer::Dialer, shared::Shared, topology::Topology};
use crate::runtime::select;

/// Idle connections to the masters of a cluster, besides the one that messages arrive on: so that one that restarts is noticed,
/// however fast. Its state may be gone then, and with it all that tracked clients have of it.
///
/// They end with the value.
#[derive(Debug, Default)]
pub(super) struct Tethers {
    tasks: JoinSet<Address>,
    held: Vec<Address>,
}

impl Tethers {
    /// Holds to each master but `heard`, whom messages arrive from. Where that fails, the next call tries again. An idle connection
    /// says something every `interval`, or Redis may close it.
    pub(super) fn hold(
        &mut self,
        topology: &Topology,
        heard: &Address,
        dialer: &Dialer,
        interval: Duration,
        shared: &Arc<Shared>,
    ) {
        while let Some(Ok(lost)) = self.tasks.try_join_next() {
            self.held.retain(|held| *held != lost);
        }
        let masters = topology.masters().iter();
        for master in masters.filter(|&master| master != heard) {
            if !self.held.contains(master) {
                self.held.push(master.clone());
                self.tasks.spawn(hold(master.clone(), dialer.clone(), interval, Arc::clone(shared)));
            }
        }
    }
}

/// Ends, with the address, when the connection does.
async fn hold(master: Address, dialer: Dialer, interval: Duration, shared: Arc<Shared>) -> Address {
    let Ok(mut stream) = dialer.dial(&master).await else { return master };
    let mut next = interval_at(Instant::now() + interval, interval);
    let mut answers = [0; 256];
    loop {
        let lives = select! {
            read = stream.read(&mut answers) => read.is_ok_and(|bytes| bytes > 0),
            // Whether we may is of no matter: an error is an answer as well.
            _ = next.tick() => stream.write_all(b"PING\r\n").await.is_ok() && stream.flush().await.is_ok(),
        };
        if !lives {
            tracing::debug!(%master, "a node of the cluster has closed a connection");
            shared.a_master_was_away();
            return master;
        }
    }
}
