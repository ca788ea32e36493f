use std::{rc::Rc, sync::Arc};

use bytes::Bytes;
use geocast_hub::{Interest, SubscriberId};
use geocast_protocol::Channel;

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
    /// From where on what was published on the channel is not part of it.
    pub(super) mark: Option<(Channel, u64)>,
}

/// Reads state, shows of it what is in sight, and sends it no faster than the client reads.
pub(super) async fn fetch(worker: Rc<Worker>, id: SubscriberId, request: Fetch, sight: Sight) -> Fetched {
    let node = Arc::clone(&worker.node);
    let (mark, confirmation) = worker.hold(&request.channel);
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
    Fetched { mark: Some((request.channel, mark)) }
}

/// Frames to be sent, and the room they take among all that has been read for clients.
struct Answer {
    frames: Vec<Frame>,
    _permit: Option<tokio::sync::OwnedSemaphorePermit>,
}

/// Why there is no answer but an error.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Transform(#[from] geocast_geo_filter::TransformError),
}

impl FetchError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Transform(_) => "projection_failed",
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
    let permits = u32::try_from(bytes).unwrap_or(u32::MAX).min(LARGEST_SHARE);
    let permit = Arc::clone(&node.snapshots).acquire_many_owned(permits).await.ok();
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

async fn send(worker: &Worker, id: SubscriberId, answer: &Answer) {
    let room = worker.node.settings.limits.outbox / 2;
    for frame in &answer.frames {
        loop {
            let queued = worker.look_into(id, |mailbox| Some(mailbox.queued()));
            match queued {
                None => return,
                Some(queued) if queued == 0 || queued + frame.bytes().len() <= room => break,
                Some(_) => tokio::time::sleep(PACE).await,
            }
        }
        worker.with_mailbox(id, |mailbox| mailbox.answer(frame));
    }
}

/// Bytes of state that are projected without asking another thread.
const AT_ONCE: usize = 32 * 1024;

/// The most that one answer takes of the room for all.
const LARGEST_SHARE: u32 = 64 * 1024 * 1024;

/// How long to wait for a full socket before looking again.
const PACE: std::time::Duration = std::time::Duration::from_millis(5);
