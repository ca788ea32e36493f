//! What is published in the shards of a cluster (SPUBLISH), each heard from the master that has it (SSUBSCRIBE).
//!
//! | File | Holds |
//! |---|---|
//! | `placements`, `entry`, `masters` | which channels are with whom; no sockets, no clocks |
//! | `conversation` | what is said on one connection |
//! | `link` | the task that keeps the connection to one master |
//! | `trial` | whether what was given up can be had by now |
//! | this one | the task that has them opened and closed, and what the store asks |

mod conversation;
mod entry;
mod link;
mod masters;
mod placements;
mod trial;

use std::{sync::Arc, time::Duration};

use geocast_protocol::Channel;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::{
    sync::Notify,
    task::{AbortHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep},
};

use self::{
    conversation::{is_impossible, is_unknown},
    entry::ShardId,
    link::Link,
    placements::Placements,
};
use super::{
    RedisSettings, address::Address, commands::Commands, disconnected::Disconnected, nodes::Nodes,
    notices::Notices, probe::PROBE_PREFIX, settings::RedisPublishing, shared::Shared,
    subscriptions::Standing,
};
use crate::{
    Broker, StoreError,
    runtime::{select, watch},
};

/// Hears what is published in the shards of a cluster, besides what all its nodes tell each other.
#[derive(Debug)]
pub(super) struct Shards {
    settings: RedisSettings,
    broker: Arc<Broker>,
    nodes: Arc<Nodes>,
    commands: Commands,
    shared: Arc<Shared>,
    /// Held for the time of a few map operations only, except when a connection is lost; never while waiting.
    placements: Mutex<Placements>,
    /// Wakes the task when channels are nowhere, or a master is needed.
    wake: Notify,
    /// Wakes the one who waits for answers of all masters.
    answered: Notify,
}

impl Shards {
    pub(super) fn new(
        settings: RedisSettings,
        broker: Arc<Broker>,
        nodes: Arc<Nodes>,
        commands: Commands,
        shared: Arc<Shared>,
    ) -> Self {
        let (placements, wake, answered) = (Mutex::default(), Notify::new(), Notify::new());
        Self { settings, broker, nodes, commands, shared, placements, wake, answered }
    }

    /// One more subscription. What is returned tells when it is in force.
    pub(super) fn want(&self, channel: &Channel) -> watch::Receiver<Standing> {
        let standing = self.placements.lock().want(channel);
        self.wake.notify_one();
        standing
    }

    /// One subscription less.
    pub(super) fn release(&self, channel: &Channel) {
        self.placements.lock().release(channel);
    }

    /// Why not everything is heard that is wanted, if so.
    ///
    /// That there are no shards to hear is trouble only for one who publishes in them.
    pub(super) fn trouble(&self, publishing: RedisPublishing) -> Option<String> {
        let placements = self.placements.lock();
        let impossible = placements.given_up().filter(|_| publishing == RedisPublishing::Sharded);
        let impossible = impossible.map(|reason| {
            format!("{reason}; publishing in shards needs Redis 7 and the right to SSUBSCRIBE")
        });
        impossible.or_else(|| placements.trouble())
    }

    /// Has a marker come over each connection, behind all that was published before. How many will come, of those that can.
    pub(super) async fn mark(&self, marker: &Channel) -> Result<u32, StoreError> {
        let probes = self.placements.lock().probes();
        let mut sent = 0;
        for (master, channel) in probes {
            self.commands.publish_in_shard(&master, &channel, marker.as_str().as_bytes()).await?;
            sent += 1;
        }
        Ok(sent)
    }

    /// Waits until all that the masters have told before has come, however long that takes on its way. Those that are away, or become
    /// so, are not waited for. One at a time may wait.
    pub(super) async fn hear_out(&self) {
        let answers = self.placements.lock().want_answers();
        while !self.placements.lock().have_answered(&answers) {
            self.answered.notified().await;
        }
    }

    /// Has connections opened where they are needed, and ended where there is no master any more, for as long as the store lives.
    pub(super) async fn run(self: Arc<Self>) {
        let mut topology = self.nodes.watch();
        let mut tick = interval(self.settings.probe_interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut links = JoinSet::new();
        let mut open = FxHashMap::<ShardId, AbortHandle>::default();
        let mut is_given_up = false;
        let mut probes: u32 = 0;
        loop {
            select! {
                () = self.wake.notified() => {}
                // The sender lives as long as the nodes.
                _ = topology.changed() => {}
                _ = tick.tick() => {
                    probes = probes.wrapping_add(1);
                    self.placements.lock().check();
                }
                Some(_) = links.join_next() => {}
            }
            let known = topology.borrow_and_update().clone();
            let (is_in_doubt, is_any_nowhere) = {
                let mut placements = self.placements.lock();
                (placements.take_doubt(), placements.is_any_nowhere())
            };
            if known.is_some() && is_in_doubt {
                // Where they were said to be they are not.
                let _unknown: Result<_, String> = self.nodes.look_again(known.as_ref()).await;
            }
            let Some(known) = topology.borrow_and_update().clone() else { continue };
            if is_given_up && probes >= TRIAL_AFTER {
                probes = 0;
                if self.try_again(&known).await {
                    is_given_up = false;
                    open.clear();
                    links.abort_all();
                    self.placements.lock().take_up();
                }
            }
            let opening = {
                let mut placements = self.placements.lock();
                if placements.given_up().is_some() && !is_given_up {
                    (is_given_up, probes) = (true, 0);
                    open.clear();
                    links.abort_all();
                }
                for gone in placements.locate(&known) {
                    open.remove(&gone).iter().for_each(AbortHandle::abort);
                    self.answered.notify_one();
                }
                placements.retry();
                if self.shared.notices.is_some() {
                    // Each tells of its own writes alone.
                    placements.need_all();
                }
                placements.to_open(|id| open.contains_key(&id))
            };
            for opening in opening {
                let id = opening.id;
                open.insert(id, links.spawn(Link::new(Arc::clone(&self), opening).run()));
            }
            if is_any_nowhere {
                // Masters that contradict each other agree in the end.
                sleep(PAUSE).await;
            }
        }
    }

    /// Where to tell of what comes on this channel, if the master tells of writes on it.
    fn notices_on(&self, channel: &[u8]) -> Option<&Notices> {
        self.shared.notices.as_deref().filter(|notices| notices.come_on_name(channel))
    }

    /// Whether there are no shards that could be heard.
    fn are_impossible(&self) -> bool {
        self.placements.lock().given_up().is_some()
    }

    /// A channel that nobody else uses, in a slot of this master, if it is one.
    fn probe_channel(&self, master: &Address) -> Option<Channel> {
        let topology = self.nodes.watch().borrow().clone()?;
        let random = fastrand::u64(..);
        (0..MOST_TRIED)
            .filter_map(|number| format!("{PROBE_PREFIX}{random:016x}:{number}").parse().ok())
            .find(|channel| topology.owner(channel) == Some(master))
    }

    /// A connection is gone, or there is none. True if there is to be no other.
    ///
    /// One who has heard shards goes on to try: a right may be given back, and a script that kept Redis busy ends.
    fn lost(&self, id: ShardId, master: &Address, reason: &Disconnected, was_live: bool) -> bool {
        let mut placements = self.placements.lock();
        // Others may have been told so at the same time.
        let is_impossible =
            is_impossible(reason) && (placements.given_up().is_some() || !placements.is_proven());
        if is_impossible {
            if placements.given_up().is_none() {
                without(reason);
            }
            placements.give_up(&reason.to_string());
        } else {
            placements.lost(id, reason.to_string());
        }
        drop(placements);
        self.wake.notify_one();
        self.answered.notify_one();
        if was_live && !is_impossible {
            tracing::warn!(event = "shard_away", %master, %reason, "a shard is away; trying again until it is back");
            self.shared.count_interruption();
        }
        is_impossible
    }

    /// Tells the subscribers of channels that are heard again that something may have been missed.
    fn tell(&self, master: &Address, regained: &mut Vec<Channel>) {
        if regained.is_empty() {
            return;
        }
        let channels = regained.len();
        tracing::warn!(event = "messages_missed", %master, channels, "messages published in a shard meanwhile were not received");
        self.broker.missed_on(regained);
        regained.clear();
    }
}

/// Says what becomes of a cluster whose shards cannot be heard, and what is to be done.
fn without(reason: &Disconnected) {
    if is_unknown(reason) {
        tracing::info!(
            event = "shards_absent",
            %reason,
            "the redis cluster has no SSUBSCRIBE, as before Redis 7: it is heard with SUBSCRIBE alone, which misses nothing but SPUBLISH, \
             for which Redis 7 is needed as well. Nothing needs to be done; nodes that are updated are asked again after twelve probes"
        );
    } else {
        tracing::warn!(
            event = "shards_unheard",
            %reason,
            "what is published with SPUBLISH is not heard, what is published with PUBLISH is. If anybody uses SPUBLISH, give the redis \
             user +ssubscribe and +sunsubscribe on every node, which is asked for again after twelve probes"
        );
    }
}

/// Probes after which what was given up is tried again: a minute with the usual interval.
const TRIAL_AFTER: u32 = 12;
/// Between two looks, if the first was of no use.
const PAUSE: Duration = Duration::from_millis(50);
/// Enough to find a channel even for a master that has few slots of 16384; a few milliseconds.
const MOST_TRIED: u32 = 50_000;
