use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};

use super::{Shards, conversation::Conversation, entry::ShardId, masters::Opening};
use crate::{
    runtime::select,
    store::redis::{
        address::Address,
        backoff::Backoff,
        disconnected::Disconnected,
        probe::{Acknowledged, Forbidden},
        pulse::{Beat, Pulse},
        push_reader::Push,
        wire::Wire,
    },
};

/// Keeps a connection to one master, on which what is published in its shard arrives, for as long as it is a master.
#[derive(Debug)]
pub(super) struct Link {
    shards: Arc<Shards>,
    id: ShardId,
    address: Address,
    changed: Arc<Notify>,
    backoff: Backoff,
    was_live: bool,
}

/// One connection of it.
struct Session<'a> {
    link: &'a mut Link,
    wire: Wire,
    conversation: Conversation,
    /// What Redis said it has published on the channel of the probe last.
    acknowledged: Arc<Mutex<Acknowledged>>,
    forbidden: Forbidden,
}

impl Link {
    pub(super) fn new(shards: Arc<Shards>, opening: Opening) -> Self {
        let Opening { id, address, changed } = opening;
        Self { shards, id, address, changed, backoff: Backoff::default(), was_live: false }
    }

    /// Connects, listens, and connects again.
    pub(super) async fn run(mut self) {
        loop {
            let reason = match Session::open(&mut self).await {
                Ok(mut session) => match session.run().await {
                    Ok(never) => match never {},
                    Err(reason) => reason,
                },
                Err(reason) => reason,
            };
            if self.shards.lost(self.id, &self.address, &reason, std::mem::take(&mut self.was_live)) {
                return;
            }
            let wait = self.backoff.wait(fastrand::f64());
            tracing::debug!(master = %self.address, %reason, ?wait, "no connection to the shard");
            sleep(wait).await;
        }
    }
}

impl<'a> Session<'a> {
    async fn open(link: &'a mut Link) -> Result<Self, Disconnected> {
        let (shards, settings) = (&link.shards, &link.shards.settings);
        let mut wire = Wire::open(shards.nodes.dialer(), &link.address, settings.max_message).await?;
        let credentials = settings.url.credentials.as_ref();
        let is_impossible = shards.are_impossible();
        let probe = if is_impossible { None } else { shards.probe_channel(&link.address) };
        let mut conversation =
            Conversation::new(link.id, link.address.clone(), credentials, probe, &mut wire.out);
        if let Some(notices) = &shards.shared.notices {
            let channels: Vec<_> = notices.channels().cloned().collect();
            conversation.listen(&channels, &mut wire.out);
        }
        if is_impossible {
            conversation.forgo_shards();
        }
        Ok(Self { link, wire, conversation, acknowledged: Arc::default(), forbidden: Forbidden::default() })
    }

    async fn run(&mut self) -> Result<Infallible, Disconnected> {
        let settings = &self.link.shards.settings;
        let (interval, patience) = (settings.probe_interval, settings.command_timeout);
        let mut pulse = Pulse::new(interval, patience, Instant::now());
        let alarm = sleep_until(pulse.first());
        tokio::pin!(alarm);
        loop {
            let candidate = || self.link.shards.probe_channel(&self.link.address);
            self.conversation.mend_probe(candidate, &mut self.wire.out);
            self.write_changes();
            self.wire.write(patience).await?;
            select! {
                read = self.wire.read() => {
                    read?;
                    self.take_pushes().await?;
                    pulse.heard(Instant::now());
                }
                () = self.link.changed.notified() => {}
                () = &mut alarm => match pulse.beat(self.conversation.probe.is_outstanding(), Instant::now()) {
                    Beat::Wait(until) => alarm.as_mut().reset(until),
                    Beat::Probe(until) => {
                        self.begin_probe();
                        alarm.as_mut().reset(until);
                    }
                    Beat::Overtake(until) => {
                        let number = self.conversation.probe.overtake();
                        self.publish_probe(number);
                        alarm.as_mut().reset(until);
                    }
                    Beat::Silent => return Err(Disconnected::Silent(patience)),
                },
            }
        }
    }

    /// Prepares to say what is wanted, as far as the bound on unconfirmed channels allows.
    fn write_changes(&mut self) {
        let mut placements = self.link.shards.placements.lock();
        while placements.in_flight(self.link.id) < MAX_IN_FLIGHT && !placements.is_queue_empty(self.link.id) {
            let changes = placements.take_changes(self.link.id, BATCH);
            self.conversation.change(changes, &mut self.wire.out);
        }
        if let Some(answer) = placements.take_wanted(self.link.id) {
            self.conversation.ask(answer, &mut self.wire.out);
        }
    }

    /// Deals with everything that was read. While the broker has no room this waits, nothing more is read, and Redis
    /// keeps what follows, up to its own `client-output-buffer-limit pubsub`.
    async fn take_pushes(&mut self) -> Result<(), Disconnected> {
        let shards = Arc::clone(&self.link.shards);
        let mut parcel = shards.broker.parcel();
        let mut regained = Vec::new();
        while let Some(push) = self.wire.pushes.next()? {
            match push {
                Push::Message { channel, payload } => {
                    // Who is told of a gap is told before what comes behind it.
                    shards.tell(&self.link.address, &mut regained);
                    if let Some(notices) = shards.notices_on(channel) {
                        notices.take(payload);
                    } else if let Some(channel) = self.conversation.channel(channel) {
                        parcel.add(channel, Bytes::copy_from_slice(payload)).await;
                    } else if let Some(marker) = self.conversation.take_probe(channel, payload)? {
                        // Whoever waits for it relies on everything before it.
                        parcel.send();
                        shards.shared.settling.heard(&marker);
                    }
                }
                Push::TooLong { channel, bytes } => {
                    shards.shared.skipped(channel, bytes, shards.settings.max_message);
                }
                answer => {
                    // Whoever waits for an answer may rely on everything before it.
                    parcel.send();
                    let mut placements = shards.placements.lock();
                    self.conversation.answer(answer, &mut placements)?;
                    regained.append(&mut placements.take_regained());
                    if placements.is_in_doubt() {
                        shards.wake.notify_one();
                    }
                    shards.answered.notify_one();
                }
            }
        }
        shards.tell(&self.link.address, &mut regained);
        if self.conversation.has_begun_to_listen() {
            // What was written before was not told.
            shards.shared.notices.iter().for_each(|notices| notices.miss());
        }
        if !self.conversation.probe.is_outstanding() {
            self.link.backoff.reset();
            self.link.was_live = true;
            shards.placements.lock().live(self.link.id, self.conversation.probe_channel());
        }
        Ok(())
    }

    /// Prepares a PING, and has a message published to this connection: by this very master, for nobody else's would prove
    /// anything.
    fn begin_probe(&mut self) {
        let shards = &self.link.shards;
        let candidate = || shards.probe_channel(&self.link.address);
        let acknowledged = *self.acknowledged.lock();
        let number = self.conversation.ping(acknowledged, candidate, &mut self.wire.out);
        self.publish_probe(number);
    }

    /// Has a message published to this connection.
    fn publish_probe(&self, number: u64) {
        let shards = &self.link.shards;
        let Some(channel) = self.conversation.probe_channel().cloned() else { return };
        let (commands, address) = (shards.commands.clone(), self.link.address.clone());
        let (acknowledged, forbidden) = (Arc::clone(&self.acknowledged), self.forbidden.clone());
        tokio::spawn(async move {
            let published =
                commands.publish_in_shard(&address, &channel, number.to_string().as_bytes()).await;
            forbidden.note(&published);
            match published {
                Ok(()) => acknowledged.lock().take(number, 1),
                Err(error) => tracing::debug!(%error, master = %address, "a probe could not be published"),
            }
        });
    }
}

/// Channels that are taken at once: few enough that others are not kept from their lock.
const BATCH: usize = 256;
/// Channels that may be unconfirmed at once; with the longest names, about a megabyte in each direction.
const MAX_IN_FLIGHT: usize = 4096;
