use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use geocast_protocol::Channel;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use super::PATIENCE;
use crate::{Broker, Counters, broker::InFlight, worker::WorkerMessage};

/// A worker that only listens.
#[derive(Debug)]
pub(super) struct Inbox {
    broker: Arc<Broker>,
    messages: UnboundedReceiver<WorkerMessage>,
    unpacked: VecDeque<Arc<InFlight>>,
    gaps: u32,
    partial_gaps: BTreeMap<String, u32>,
}

impl Inbox {
    /// Listens to `channels`. At most `in_flight` bytes wait here.
    #[expect(clippy::disallowed_methods, reason = "the broker bounds what is in it, as in the server")]
    pub(super) fn new(channels: &[Channel], in_flight: usize) -> Self {
        let broker = Broker::new(crate::intake::Intake::default(), in_flight, Arc::new(Counters::default()));
        let (sender, messages) = unbounded_channel();
        broker.attach(vec![sender]);
        channels.iter().for_each(|channel| broker.join(0, channel));
        Self {
            broker: Arc::new(broker),
            messages,
            unpacked: VecDeque::new(),
            gaps: 0,
            partial_gaps: BTreeMap::new(),
        }
    }

    pub(super) fn broker(&self) -> Arc<Broker> {
        Arc::clone(&self.broker)
    }

    /// The next message: its channel, and its payload as text.
    pub(super) async fn next(&mut self) -> (String, String) {
        while self.unpacked.is_empty() {
            let message = timeout(PATIENCE, self.messages.recv()).await;
            match message.unwrap_or_else(|_elapsed| panic!("no message came for {PATIENCE:?}")) {
                Some(WorkerMessage::Events { events, .. }) => self.unpacked.extend(events),
                // The end of an outage is told as well.
                Some(WorkerMessage::Missed) => self.gaps += 1,
                Some(WorkerMessage::MissedOn(channels)) => self.missed_on(&channels),
                other => panic!("not an event: {other:?}"),
            }
        }
        let event = &self.unpacked.pop_front().expect("there is one").event;
        let payload = String::from_utf8(event.payload().to_vec()).unwrap();
        (event.channel().to_string(), payload)
    }

    /// Waits for a message, and expects it to be this.
    pub(super) async fn expect(&mut self, channel: &str, payload: &str) {
        assert_eq!(self.next().await, (channel.to_owned(), payload.to_owned()));
    }

    /// Whether no message is waiting at this moment.
    pub(super) fn is_empty(&mut self) -> bool {
        while let Ok(message) = self.messages.try_recv() {
            match message {
                WorkerMessage::Events { events, .. } => self.unpacked.extend(events),
                WorkerMessage::Missed => self.gaps += 1,
                WorkerMessage::MissedOn(channels) => self.missed_on(&channels),
                _ => {}
            }
        }
        self.unpacked.is_empty()
    }

    /// How often it was told that messages may have been missed, before the message that it got last and since [`Self::gaps`].
    pub(super) fn gaps_before(&self) -> u32 {
        self.gaps
    }

    /// The channels of which it was told that messages may have been missed on them alone, and how often, since this was asked last.
    pub(super) fn partial_gaps(&mut self) -> BTreeMap<String, u32> {
        self.is_empty();
        std::mem::take(&mut self.partial_gaps)
    }

    /// How often it was told so of this channel, as far as its messages have been taken.
    pub(super) fn told(&self, channel: &str) -> u32 {
        self.partial_gaps.get(channel).copied().unwrap_or_default()
    }

    fn missed_on(&mut self, channels: &[Channel]) {
        for channel in channels {
            *self.partial_gaps.entry(channel.to_string()).or_default() += 1;
        }
    }

    /// How often it was told that messages may have been missed, since this was asked last.
    pub(super) fn gaps(&mut self) -> u32 {
        self.is_empty();
        std::mem::take(&mut self.gaps)
    }
}
