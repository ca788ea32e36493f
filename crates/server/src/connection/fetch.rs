use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use geocast_hub::{Interest, SubscriberId};
use geocast_protocol::Channel;
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::Frame;
use crate::{
    Count, Event, StoreError,
    interest::{Sight, Withheld},
    node::Node,
    rendering,
    session::Fetch,
    worker::Worker,
};

/// State that has been read and sent.
pub(super) struct Fetched {
    pub(super) channel: Channel,
    /// From where on what was published on the channel is not part of it.
    pub(super) mark: u64,
    /// How long what was published since then is kept.
    pub(super) until: Instant,
}

/// A channel whose state is being read. Dropped when that ends, also early, because the client has gone.
struct Held<'a> {
    worker: &'a Worker,
    channel: &'a Channel,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.worker.unhold(self.channel);
    }
}

/// Reads state, shows of it what is in sight, and sends it no faster than the client reads.
pub(super) async fn fetch(worker: Rc<Worker>, id: SubscriberId, request: Fetch, sight: Sight) -> Fetched {
    let node = Arc::clone(&worker.node);
    let (mark, confirmation) = worker.hold(&request.channel);
    let held = Held { worker: &worker, channel: &request.channel };
    let answer = async {
        confirmation.await?;
        let sight = with_output(&node, sight.clone(), &request).await?;
        read(&node, &request, sight).await
    };
    let absent = sight.absent;
    let answer = match answer.await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(channel = %request.channel, %error, "state could not be read");
            node.count(Count::StoreFailed);
            let reference = rendering::reference(request.client_reference.as_ref(), absent);
            Answer {
                frames: vec![rendering::error(error.code(), &error.to_string(), reference)],
                _permit: None,
            }
        }
    };
    send(&worker, id, &answer).await;
    drop(held);
    let until = Instant::now() + worker.node.settings.timeouts.hold;
    Fetched { channel: request.channel, mark, until }
}

/// Frames to be sent, and the room they take among all that has been read for clients.
struct Answer {
    frames: Vec<Frame>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Why there is no answer but an error.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Transform(#[from] geocast_geo_filter::TransformError),
    #[error("too much state is being read at this moment to read {bytes} bytes more; try again")]
    Busy { bytes: usize },
}

impl FetchError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Transform(_) => "projection_failed",
            Self::Busy { .. } => "busy",
        }
    }
}

async fn with_output(node: &Arc<Node>, mut sight: Sight, request: &Fetch) -> Result<Sight, FetchError> {
    if let Some(crs) = request.crs {
        sight.output = node.transform(crs).await?;
    }
    Ok(sight)
}

async fn read(node: &Arc<Node>, request: &Fetch, sight: Sight) -> Result<Answer, FetchError> {
    let values = match &request.key {
        Some(key) => node.store.value(&request.channel, key.as_str()).await?.into_iter().collect(),
        None => node.store.values(&request.channel).await?,
    };
    let bytes: usize = values.iter().map(Bytes::len).sum();
    let permit = if bytes <= AT_ONCE { None } else { Some(room(node, bytes).await?) };
    let (shown, request) = (Arc::clone(node), request.clone());
    let frames = if bytes <= AT_ONCE {
        show(node, &request, &sight, values)
    } else {
        // Projecting a large state takes long enough to hold up everybody else on this thread.
        tokio::task::spawn_blocking(move || show(&shown, &request, &sight, values))
            .await
            .expect("showing state does not panic")
    };
    Ok(Answer { frames, _permit: permit })
}

/// What of the state is in sight; if nothing is, a single answer that says so.
fn show(node: &Node, request: &Fetch, sight: &Sight, values: Vec<Bytes>) -> Vec<Frame> {
    let limits = node.payload_limits();
    let frames: Vec<Frame> = values
        .into_iter()
        .filter_map(|value| {
            let event = Event::new(request.channel.clone(), value, &limits);
            let frame: Result<Frame, Withheld> =
                sight.decide(&event).and_then(|form| rendering::value(&event, &form, request, sight.absent));
            frame.map_err(|reason| node.count(reason.into())).ok()
        })
        .collect();
    if frames.is_empty() { vec![rendering::nothing(request, sight.absent)] } else { frames }
}

/// Room among all that has been read for clients. Those who read slowly take theirs with them, so it is not waited for
/// without end.
async fn room(node: &Node, bytes: usize) -> Result<OwnedSemaphorePermit, FetchError> {
    let permits = u32::try_from(bytes).unwrap_or(u32::MAX).min(LARGEST_SHARE);
    let room = timeout(PATIENCE, Arc::clone(&node.snapshots).acquire_many_owned(permits)).await;
    room.ok().and_then(Result::ok).ok_or(FetchError::Busy { bytes })
}

/// Sends an answer piece by piece, each when the one before it has left, and lets others have their turn in between.
async fn send(worker: &Worker, id: SubscriberId, answer: &Answer) {
    let room = worker.node.settings.limits.outbox / 4;
    let mut frames = answer.frames.as_slice();
    while !frames.is_empty() {
        match worker.look_into(id, |mailbox| Some(mailbox.queued())) {
            None => return,
            Some(0) => {}
            Some(_) => {
                tokio::time::sleep(PACE).await;
                continue;
            }
        }
        let mut bytes = 0;
        let fits = frames.iter().take_while(|frame| {
            bytes += frame.bytes().len();
            bytes <= room
        });
        let (piece, rest) = frames.split_at(fits.count().max(1));
        worker.with_mailbox(id, |mailbox| mailbox.answer(piece));
        frames = rest;
        tokio::task::yield_now().await;
    }
}

/// Bytes of state that are projected without asking another thread.
const AT_ONCE: usize = 32 * 1024;

/// The most that one answer takes of the room for all.
const LARGEST_SHARE: u32 = 64 * 1024 * 1024;

/// How long an answer waits for room among all that has been read for clients.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait for a full socket before looking again.
const PACE: Duration = Duration::from_millis(5);
