use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use geocast_protocol::Channel;
use tokio::{
    sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel},
    time::{MissedTickBehavior, interval},
};

use super::{
    Action, Body, Carried, Chain, Member, Outcome, STACK, budget::Budget, carried::everyone,
    dialect::published, printer,
};
use crate::{
    Count,
    broker::InFlight,
    clock,
    dialect::Kind,
    log_limit::LogLimit,
    node::Node,
    rendering::frame_kind,
    worker::{self, WorkerMessage},
};

/// The thread that runs filters on what comes from channels, once for the node, and that looks whether scripts have
/// changed. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Consumer(UnboundedSender<WorkerMessage>);

/// What the thread works with.
struct Work {
    node: Arc<Node>,
    member: Member,
    budget: Budget,
    publications: Sender<(Channel, Bytes)>,
}

impl Consumer {
    /// Starts it, where there are filters. To the broker it is one more worker, of this index.
    pub(crate) fn start(node: &Arc<Node>, index: usize) -> io::Result<Option<Self>> {
        if node.settings.filters.is_empty() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (inbox, messages) = worker::inbox();
        let working = Arc::clone(node);
        thread::Builder::new().name("filters".to_owned()).stack_size(STACK).spawn(move || {
            runtime.block_on(run(working, messages));
            runtime.shutdown_background();
        })?;
        for channel in &node.settings.pipeline_channels {
            node.broker.join(index, channel);
            // The store goes on trying until it is in force, whether anybody waits for it or not.
            drop(node.store.subscribe(channel));
        }
        Ok(Some(Self(inbox)))
    }

    /// Where the broker puts events.
    pub(crate) fn inbox(&self) -> UnboundedSender<WorkerMessage> {
        self.0.clone()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // A thread that has ended needs no order to end.
        let _ended: Result<(), _> = self.0.send(WorkerMessage::Drain(Duration::ZERO));
    }
}

async fn run(node: Arc<Node>, mut messages: UnboundedReceiver<WorkerMessage>) {
    let (publications, waiting) = channel(PUBLICATIONS);
    tokio::spawn(publish(Arc::clone(&node), waiting));
    let mut work = Work { node, member: Member::nobody(), budget: Budget::new(Instant::now()), publications };
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(WorkerMessage::Events { events, .. }) => {
                    for event in events {
                        work.consume(&event);
                        tokio::task::yield_now().await;
                    }
                }
                Some(WorkerMessage::Drain(_)) | None => return,
                Some(WorkerMessage::Pulse(asked)) => {
                    let _gone: Result<(), ()> = asked.send(());
                }
                Some(
                    WorkerMessage::Accepted(_)
                    | WorkerMessage::State(_)
                    | WorkerMessage::Missed
                    | WorkerMessage::MissedOn(_)
                    | WorkerMessage::Judge
                    | WorkerMessage::Presence(..)
                    | WorkerMessage::Survey(_)
                    | WorkerMessage::Inspect(..)
                    | WorkerMessage::Passed(_),
                ) => {}
            },
            _ = look.tick() => work.node.settings.filters.refresh(),
        }
    }
}

impl Work {
    fn consume(&mut self, event: &Arc<InFlight>) {
        let began = Instant::now();
        if !self.budget.is_left(began) {
            self.node.count(Count::FilterSkipped);
            if let Some(unlogged) = SKIPPED.admit() {
                let channel = event.event.channel();
                tracing::warn!(event = "filter_skipped", %channel, unlogged, "filters take too long: an item passes none of them");
            }
            return;
        }
        let item = match (frame_kind(event.event.kind()), event.event.payload()) {
            (Kind::Text, payload) => Body::Text(String::from_utf8_lossy(payload).into_owned()),
            (Kind::Binary, payload) => Body::Binary(payload.to_vec()),
        };
        let chain = Chain::Consumer(event.event.channel(), &item);
        let Outcome { actions, failures, .. } =
            self.node.settings.filters.run(chain, &mut self.member, clock::timestamp());
        // Also what the thread had to wait for the processor: what counts is how late others are.
        self.budget.spend(began.elapsed());
        self.node.counters.add_many(Count::FilterFailed, failures);
        for action in actions {
            match action {
                Action::Broadcast(body) => self.forward(event, &everyone(), &body),
                Action::SendToGroup(group, body) => self.forward(event, &group.channel(), &body),
                Action::Publish(channel, body) => self.publish(&channel, published(body)),
                Action::Print(text) => printer::print(text),
                // The context refuses them where there is no client.
                Action::Send(_) | Action::Join(_) | Action::Leave(_) => {}
            }
        }
    }

    /// To the clients of this node: the other nodes have got the item too.
    fn forward(&self, event: &Arc<InFlight>, channel: &Channel, body: &Body) {
        self.node.broker.forward(event, channel, Carried::write(None, body));
    }

    fn publish(&self, channel: &Channel, payload: Bytes) {
        let reason = if self.node.settings.pipeline_channels.contains(channel) {
            "it would come back to the filters"
        } else {
            match self.publications.try_send((channel.clone(), payload)) {
                Ok(()) => return,
                Err(_full) => "too much waits for the store",
            }
        };
        self.node.count(Count::FilterDropped);
        if let Some(unlogged) = DROPPED.admit() {
            tracing::warn!(event = "filter_publication_dropped", %channel, reason, unlogged, "what a filter wanted published is dropped");
        }
    }
}

/// Apart from the consuming of events, which must go on while the store waits until there are fewer in flight.
async fn publish(node: Arc<Node>, mut waiting: Receiver<(Channel, Bytes)>) {
    while let Some((channel, payload)) = waiting.recv().await {
        if let Err(error) = node.store.publish(&channel, payload).await
            && let Some(unlogged) = LOST.admit()
        {
            tracing::warn!(event = "filter_publication_lost", %channel, %error, unlogged, "what a filter wanted published is lost");
        }
    }
}

/// How often scripts are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Publications that wait for the store; each is at most 1 MiB.
const PUBLICATIONS: usize = 64;

static SKIPPED: LogLimit = LogLimit::new();
static DROPPED: LogLimit = LogLimit::new();
static LOST: LogLimit = LogLimit::new();
