use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use geocast_protocol::{Channel, ChannelError};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use super::{
    RedisSettings,
    address::Address,
    dialer::{DialError, Dialer},
    dialogue::Dialogue,
    disconnected::Disconnected,
    probe::{Acknowledged, Forbidden, PROBE_PREFIX},
    pulse::{Beat, Pulse},
    push_reader::Push,
    settling::Settling,
    subscriber::Subscriber,
    tethers::Tethers,
    topology::Topology,
    wire::Wire,
};
use crate::{
    StoreError, clock,
    runtime::{select, watch},
};

/// One subscriber connection, from its opening to its end.
pub(super) struct Connection {
    address: Address,
    wire: Wire,
    dialogue: Dialogue,
    /// What Redis said it has published on this connection's channel last.
    acknowledged: Arc<Mutex<Acknowledged>>,
    forbidden: Forbidden,
    /// Where the masters are, and where they were when that was looked at last.
    watch: watch::Receiver<Option<Arc<Topology>>>,
    topology: Option<Arc<Topology>>,
    tethers: Tethers,
    /// When the probe began that has not come back.
    probed: Option<std::time::Instant>,
    /// It has answered, and all that was wanted when it began is subscribed.
    live: bool,
}

impl Connection {
    /// Connects to a master, and prepares what is said first.
    pub(super) async fn open(
        settings: &RedisSettings,
        dialer: &Dialer,
        address: &Address,
        mut watch: watch::Receiver<Option<Arc<Topology>>>,
    ) -> Result<Self, DialError> {
        let mut wire = Wire::open(dialer, address, settings.max_message).await?;
        let channel = probe_channel().expect("a prefix and hexadecimal digits are a channel name");
        let topology = watch.borrow_and_update().clone();
        Ok(Self {
            address: address.clone(),
            dialogue: Dialogue::new(settings.url.credentials.as_ref(), channel, &mut wire.out),
            wire,
            acknowledged: Arc::default(),
            forbidden: Forbidden::default(),
            watch,
            topology,
            tethers: Tethers::default(),
            probed: Some(clock::now()),
            live: false,
        })
    }

    /// Delivers messages and keeps the subscriptions as they are wanted, until the connection ends.
    pub(super) async fn serve(mut self, owner: &mut Subscriber) -> Disconnected {
        match self.run(owner).await {
            Ok(never) => match never {},
            Err(reason) => reason,
        }
    }

    async fn run(&mut self, owner: &mut Subscriber) -> Result<Infallible, Disconnected> {
        let (interval, patience) = (owner.settings.probe_interval, owner.settings.command_timeout);
        let mut pulse = Pulse::new(interval, patience, Instant::now());
        let alarm = sleep_until(pulse.first());
        tokio::pin!(alarm);
        loop {
            self.write_changes(owner, patience).await?;
            if self.live && owner.shared.take_return() {
                owner.replaced();
            }
            self.come_to_life(owner);
            select! {
                read = self.wire.read() => {
                    read?;
                    self.take_pushes(owner).await?;
                    pulse.heard(Instant::now());
                }
                () = owner.shared.changed.notified() => {}
                // The sender lives as long as the owner.
                Ok(()) = self.watch.changed() => self.look_around(owner)?,
                () = &mut alarm => match pulse.beat(self.dialogue.probe.is_outstanding(), Instant::now()) {
                    Beat::Wait(until) => alarm.as_mut().reset(until),
                    Beat::Probe(until) => {
                        self.begin_probe(owner);
                        alarm.as_mut().reset(until);
                    }
                    Beat::Overtake(until) => {
                        let number = self.dialogue.probe.overtake();
                        self.publish_probe(number, owner);
                        alarm.as_mut().reset(until);
                    }
                    Beat::Silent => return Err(Disconnected::Silent(patience)),
                },
            }
        }
    }

    /// Says so once the connection is proven alive, and everything that is wanted is subscribed.
    fn come_to_life(&mut self, owner: &mut Subscriber) {
        if !self.live
            && !self.dialogue.probe.is_outstanding()
            && owner.shared.subscriptions.lock().is_resumed()
        {
            self.live = true;
            self.hold_others(owner);
            owner.live();
        }
    }

    /// The masters were found elsewhere than before.
    fn look_around(&mut self, owner: &mut Subscriber) -> Result<(), Disconnected> {
        let topology = self.watch.borrow_and_update().clone();
        if let (Some(before), Some(now)) = (&self.topology, &topology) {
            if !now.masters().contains(&self.address) {
                return Err(Disconnected::Replaced(self.address.clone()));
            }
            if !before.has_all_of(now) {
                owner.replaced();
            }
        }
        self.topology = topology;
        self.hold_others(owner);
        Ok(())
    }

    /// Deals with everything that was read. While the broker has no room this waits, nothing more is read, and Redis
    /// keeps what follows, up to its own `client-output-buffer-limit pubsub`.
    ///
    /// On a connection that is not the first, messages that come before it is alive count as missed: subscribers are told of
    /// the gap before the next one that they get.
    async fn take_pushes(&mut self, owner: &mut Subscriber) -> Result<(), Disconnected> {
        let broker = Arc::clone(&owner.broker);
        let mut parcel = broker.parcel();
        while let Some(push) = self.wire.pushes.next()? {
            match push {
                Push::Message { channel, payload } => match self.dialogue.channel(channel) {
                    Some(channel)
                        if owner.shared.notices.as_ref().is_some_and(|notices| notices.come_on(channel)) =>
                    {
                        owner.shared.notices.iter().for_each(|notices| notices.take(payload));
                    }
                    Some(channel) if Settling::is_one(channel) => {
                        // Whoever waits for it relies on everything before it.
                        parcel.send();
                        owner.shared.settling.heard(channel);
                    }
                    Some(channel) if self.live || !owner.was_live() => {
                        parcel.add(channel, Bytes::copy_from_slice(payload)).await;
                    }
                    Some(_) => {}
                    None => self.dialogue.stray(channel, payload)?,
                },
                Push::TooLong { channel, bytes } => {
                    owner.shared.skipped(channel, bytes, owner.settings.max_message);
                }
                answer => {
                    // Whoever waits for an answer may rely on everything before it.
                    parcel.send();
                    self.dialogue.answer(answer, &owner.shared.subscriptions)?;
                    owner.tell_regained();
                    if let Some(since) = self.probed.take_if(|_| !self.dialogue.probe.is_outstanding()) {
                        owner.shared.proven(since);
                    }
                    self.come_to_life(owner);
                }
            }
        }
        Ok(())
    }

    /// Tells Redis what is wanted, as far as the bound on unconfirmed channels allows, and sends what else is waiting.
    async fn write_changes(&mut self, owner: &Subscriber, patience: Duration) -> Result<(), Disconnected> {
        loop {
            let mut subscriptions = owner.shared.subscriptions.lock();
            if subscriptions.in_flight() >= MAX_IN_FLIGHT || subscriptions.is_queue_empty() {
                break;
            }
            self.dialogue.change(subscriptions.take_changes(BATCH), &mut self.wire.out);
        }
        self.wire.write(patience).await
    }

    /// Holds to the other masters, if there are any.
    fn hold_others(&mut self, owner: &Subscriber) {
        if let Some(topology) = &self.topology {
            let (dialer, interval) = (owner.nodes.dialer(), owner.settings.probe_interval);
            self.tethers.hold(topology, &self.address, dialer, interval, &owner.shared);
        }
    }

    /// Prepares a PING, and has messages published to this connection. Also looks whether its Redis is the one to be heard
    /// still: one that was cut off from those who know may go on for a while.
    fn begin_probe(&mut self, owner: &Subscriber) {
        self.hold_others(owner);
        owner.shared.subscriptions.lock().ask_again();
        self.probed = Some(clock::now());
        let number = self.dialogue.ping(*self.acknowledged.lock(), &mut self.wire.out);
        self.publish_probe(number, owner);
    }

    /// Has messages published to this connection, from each master.
    fn publish_probe(&self, number: u64, owner: &Subscriber) {
        let (nodes, known) = (Arc::clone(&owner.nodes), self.topology.clone());
        let (channel, commands) = (self.dialogue.probe_channel.clone(), owner.commands.clone());
        let (acknowledged, shared) = (Arc::clone(&self.acknowledged), Arc::clone(&owner.shared));
        let forbidden = self.forbidden.clone();
        let losses = owner.shared.losses();
        tokio::spawn(async move {
            if let Err(reason) = nodes.look_again(known.as_ref()).await {
                tracing::debug!(reason, "whether redis is still the one to be heard is not known");
            }
            let Some(channel) = channel else { return };
            let published = commands.publish_everywhere(&channel, number.to_string().as_bytes()).await;
            forbidden.note(&published);
            match published {
                Ok(copies) => {
                    acknowledged.lock().take(number, copies);
                    shared.all_masters_answered(losses);
                }
                Err(error) => {
                    tracing::debug!(%error, "a probe could not be published");
                    // A user who may not publish on the channel of the probe says nothing about the masters.
                    if matches!(error, StoreError::Unavailable(_)) {
                        shared.a_master_was_away();
                    }
                }
            }
        });
    }
}

/// A channel that nobody else uses. Each connection has its own, so that no message of an earlier one is taken for its.
fn probe_channel() -> Result<Channel, ChannelError> {
    format!("{PROBE_PREFIX}{:032x}", fastrand::u128(..)).parse()
}

/// Channels per command: enough that a command costs little per channel, and no long pause for others. A simulation has few channels, and
/// something is to happen between two commands.
const BATCH: usize = if cfg!(feature = "simulation") { 2 } else { 256 };
/// Channels that may be unconfirmed at once; with the longest names, about a megabyte in each direction.
const MAX_IN_FLIGHT: usize = 4096;
