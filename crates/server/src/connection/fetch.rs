use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use geocast_geo_filter::Kind;
use geocast_hub::SubscriberId;
use geocast_protocol::{Channel, envelope::Content};
use tokio::sync::OwnedSemaphorePermit;

use super::{Frame, held::Held};
use crate::{
    Count, StoreError, clock,
    dialect::{self, Payload},
    interest::Sight,
    node::Node,
    reading::{ReadError, Snapshot},
    rendering, runtime,
    session::{Fault, FaultKind, Fetch, name_of},
    worker::Worker,
};

/// State that has been read and sent.
pub(super) struct Fetched {
    pub(super) channel: Channel,
    /// From where on what was published on the channel is not part of it.
    pub(super) mark: u64,
    /// How long what was published since then is kept.
    pub(super) until: Instant,
    /// The answer, where it is to be kept.
    pub(super) kept: Vec<Payload>,
}

/// Reads state, shows of it what is in sight, and sends it no faster than the client reads; or keeps it, if it is to be part
/// of a larger answer and has at most so many bytes.
pub(super) async fn fetch(
    worker: Rc<Worker>,
    id: SubscriberId,
    request: Fetch,
    sight: Sight,
    kept_within: Option<usize>,
) -> Fetched {
    let node = Arc::clone(&worker.node);
    let (held, confirmation) = Held::begin(&worker, &request.channel);
    let mark = held.mark;
    let answer = async {
        confirmation.await?;
        let sight = with_output(&node, sight.clone(), &request).await?;
        let answer = read(&node, &request, sight).await?;
        let bytes = answer.payloads.iter().map(|payload| payload.bytes.len()).sum();
        match kept_within {
            Some(most) if bytes > most => Err(FetchError::TooLarge { bytes, most }),
            _ => Ok(answer),
        }
    };
    let dialect = sight.dialect.clone();
    let answer = match answer.await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(event = "state_read_failed", channel = %request.channel, %error, "state could not be read");
            node.count(Count::StoreFailed);
            let (reference, fault) = (request.reference.as_deref(), Fault::from(error));
            let failed = dialect::Answer::Failed { reference, fault: &fault };
            Answer { payloads: dialect.answer(failed, clock::timestamp()), permit: None }
        }
    };
    let kept = if kept_within.is_some() {
        answer.payloads
    } else {
        send(&worker, id, answer).await;
        Vec::new()
    };
    drop(held);
    let until = clock::now() + worker.node.settings.timeouts.hold;
    Fetched { channel: request.channel, mark, until, kept }
}

/// What is to be sent, and the room it takes among all that has been read for clients.
struct Answer {
    payloads: Vec<Payload>,
    permit: Option<OwnedSemaphorePermit>,
}

/// Why there is no answer but an error.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Transform(#[from] geocast_geo_filter::TransformError),
    #[error("too much state is being sent at this moment to send {bytes} bytes more; try again")]
    Busy { bytes: usize },
    #[error(
        "{bytes} bytes of state are more than the {most} that this batch may still be answered with; ask for it alone"
    )]
    TooLarge { bytes: usize, most: usize },
}

impl From<FetchError> for Fault {
    fn from(error: FetchError) -> Self {
        let kind = match &error {
            FetchError::Store(error) => return error.into(),
            FetchError::Read(ReadError::Store(error)) => return (&**error).into(),
            FetchError::Transform(_) => FaultKind::ProjectionFailed,
            FetchError::Read(ReadError::Busy { .. }) | FetchError::Busy { .. } => FaultKind::Busy,
            FetchError::TooLarge { .. } => FaultKind::BatchTooLarge,
        };
        Self::new(kind, error.to_string())
    }
}

async fn with_output(node: &Arc<Node>, mut sight: Sight, request: &Fetch) -> Result<Sight, FetchError> {
    if let Some(crs) = request.crs {
        sight.output = node.transform(crs).await?;
    }
    Ok(sight)
}

async fn read(node: &Arc<Node>, request: &Fetch, sight: Sight) -> Result<Answer, FetchError> {
    let snapshot = match &request.key {
        Some(key) => node.readings.one(&request.channel, key.as_str()).await?,
        None => node.readings.all(&request.channel).await?,
    };
    if snapshot.is_small() {
        return Ok(Answer { payloads: show(node, request, &sight, &snapshot), permit: None });
    }
    let bytes = snapshot.bytes();
    let permit = node.answers.take(bytes).await.ok_or(FetchError::Busy { bytes })?;
    // Many have their state at the same moment, if they asked at the same time.
    let turn = Arc::clone(&node.showing).acquire_owned().await;
    let (shown, request) = (Arc::clone(node), request.clone());
    let work = move || {
        let payloads = show(&shown, &request, &sight, &snapshot);
        drop(turn);
        payloads
    };
    // Projecting a large state takes long enough to hold up everybody else on this thread.
    let payloads = runtime::apart(work).await.expect("showing state does not panic");
    Ok(Answer { payloads, permit: Some(permit) })
}

/// What of the state is in sight, in the words of the dialect.
fn show(node: &Node, request: &Fetch, sight: &Sight, snapshot: &Snapshot) -> Vec<Payload> {
    let seen = snapshot.events(&node.broker).iter().filter_map(|event| {
        let value = sight.show(event).and_then(|form| rendering::value(event, &form));
        value.map(|bytes| (event.kind(), bytes)).map_err(|reason| node.count(reason.into())).ok()
    });
    let seen: Vec<(Kind, Bytes)> = seen.collect();
    let values: Vec<Content<'_>> =
        seen.iter().map(|(kind, bytes)| rendering::content(*kind, bytes)).collect();
    let output = sight.output.as_ref().map_or(node.rules.source, |transform| transform.to());
    let crs = name_of(output);
    sight.dialect.answer(dialect::Answer::Values { fetch: request, crs, values: &values }, clock::timestamp())
}

/// Sends an answer piece by piece, each when the one before it has left, and lets others have their turn in between.
async fn send(worker: &Worker, id: SubscriberId, answer: Answer) {
    let Some(room) = worker.look_into(id, |mailbox| Some(mailbox.portion())) else { return };
    let mut payloads = answer.payloads.into_iter().peekable();
    while payloads.peek().is_some() {
        match worker.look_into(id, |mailbox| Some(mailbox.queued())) {
            None => return,
            Some(0) => {}
            Some(_) => {
                tokio::time::sleep(PACE).await;
                continue;
            }
        }
        let mut piece: Vec<Frame> = payloads.next().iter().map(Frame::from).collect();
        let mut bytes: usize = piece.iter().map(|frame| frame.bytes().len()).sum();
        while let Some(payload) = payloads.next_if(|payload| bytes + payload.bytes.len() <= room) {
            bytes += payload.bytes.len();
            piece.push(Frame::from(&payload));
        }
        worker.with_mailbox(id, |mailbox| mailbox.answer(&piece));
        tokio::task::yield_now().await;
    }
    // What was read takes its room until it has left.
    while answer.permit.is_some()
        && worker.look_into(id, |mailbox| Some(mailbox.queued())).is_some_and(|queued| queued > 0)
    {
        tokio::time::sleep(PACE).await;
    }
    drop(answer.permit);
}

/// How long to wait for a full socket before looking again.
const PACE: Duration = Duration::from_millis(5);
