use std::{
    io,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::interval,
};

use super::{Worker, WorkerMessage, inspection::inspect, round::Round, survey::survey};
use crate::{
    clock, http,
    node::Node,
    pipeline,
    runtime::{Working, select},
};

/// A worker's inbox, before its thread runs.
pub(crate) type Inbox = (UnboundedSender<WorkerMessage>, UnboundedReceiver<WorkerMessage>);

#[expect(
    clippy::disallowed_methods,
    reason = "what the queue holds is bounded by the broker, in bytes, and by the number of connections"
)]
pub(crate) fn inbox() -> Inbox {
    unbounded_channel()
}

/// Starts a worker's thread. It ends after a drain, when its last connection has ended or the drain's time is over.
pub(crate) fn spawn(
    index: usize,
    node: Arc<Node>,
    messages: UnboundedReceiver<WorkerMessage>,
    router: Router,
) -> io::Result<Working> {
    let stack = if node.settings.filters.is_empty() { STACK } else { pipeline::STACK };
    Working::start(format!("worker-{index}"), stack, move || {
        run(Rc::new(Worker::new(index, node)), messages, router)
    })
}

async fn run(worker: Rc<Worker>, mut messages: UnboundedReceiver<WorkerMessage>, router: Router) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut housekeeping = interval(Duration::from_millis(500));
    let mut deadline = None;
    while deadline.is_none_or(|deadline| !worker.is_over(deadline)) {
        select! {
            received = messages.recv_many(&mut batch, BATCH) => {
                if received == 0 {
                    return;
                }
                let Handled { drain, since } = handle(&worker, &mut batch, &router);
                if drain {
                    deadline = Some(clock::now() + worker.node.settings.timeouts.drain);
                }
                worker.flush();
                if let Some(since) = since {
                    worker.node.rounds[worker.index].observe(clock::now().saturating_duration_since(since));
                }
                // Events come before connections here; those who read, ask and wait have their turn now.
                tokio::task::yield_now().await;
            }
            _ = housekeeping.tick() => {
                let now = clock::now();
                worker.release(now);
                worker.expire(now);
                worker.admit();
                worker.flush();
            }
            () = worker.emptied.notified() => {}
        }
    }
}

/// What was in a batch.
struct Handled {
    /// The server stops.
    drain: bool,
    /// When the first of the events came that are published now.
    since: Option<Instant>,
}

fn handle(worker: &Rc<Worker>, batch: &mut Vec<WorkerMessage>, router: &Router) -> Handled {
    let mut handled = Handled { drain: false, since: None };
    let mut round = Round::new(worker);
    for message in batch.drain(..) {
        match message {
            WorkerMessage::Events { events, since } => {
                // They come in order, as far as one store hands them over.
                handled.since.get_or_insert(since);
                events.into_iter().for_each(|event| round.add(event));
            }
            WorkerMessage::State(state) => {
                round.publish();
                worker.take_state(&state);
            }
            WorkerMessage::Missed => {
                // What came before is older than what will be read.
                round.publish();
                worker.missed();
            }
            WorkerMessage::MissedOn(channels) => {
                round.publish();
                worker.missed_on(&channels);
            }
            WorkerMessage::Presence(channel, notification) => worker.tell_watchers(&channel, &notification),
            WorkerMessage::Passed(passed) => {
                round.publish();
                // Who asked may be gone.
                let _gone: Result<(), ()> = passed.send(());
            }
            WorkerMessage::Accepted(accepted) => {
                tokio::task::spawn_local(http::serve(Rc::clone(worker), accepted, router.clone()));
            }
            WorkerMessage::Pulse(asked) => {
                // Whoever asked may have lost patience.
                let _gone: Result<(), ()> = asked.send(());
            }
            WorkerMessage::Judge => worker.wake_all(),
            WorkerMessage::Drain(spread) => {
                worker.drain(spread);
                handled.drain = true;
            }
            WorkerMessage::Survey(asked) => {
                tokio::task::spawn_local(survey(Rc::clone(worker), asked));
            }
            WorkerMessage::Inspect(question, asked) => {
                tokio::task::spawn_local(inspect(Rc::clone(worker), question, asked));
            }
        }
    }
    round.publish();
    handled
}

/// Bytes of a worker's stack where no filters run: what threads have by default.
const STACK: usize = 2 * 1024 * 1024;

/// Messages taken from the inbox at once: what is published meanwhile goes out together in the next round.
const BATCH: usize = 256;
