use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::LocalBoxFuture;
use geocast_geo_filter::{Transform, TransformError};
use geocast_protocol::Channel;
use tokio::time::timeout;

use super::{
    Connection,
    fetch::{Fetched, fetch},
};
use crate::{
    interest::{Sight, Window},
    node::Node,
    rendering,
    session::{Effect, Fetch, Reply, View, Viewport},
};

/// An effect that takes time.
pub(super) type Work = LocalBoxFuture<'static, Done>;

/// What has become of it.
pub(super) enum Done {
    /// A view is ready to be used.
    Sight(Result<Sight, TransformError>),
    /// A subscription is in force, or has been waited for long enough.
    Subscribed,
    /// State has been read, and is being sent.
    Fetched(Fetched),
}

impl Connection {
    /// Carries out effects until one of them needs time, or none is left.
    pub(super) fn proceed(&mut self) {
        while self.work.is_none() {
            let Some(effect) = self.effects.pop_front() else { return };
            match effect {
                Effect::Reply(reply) => self.reply(&reply),
                Effect::View(view) => self.look(*view),
                Effect::Buffer(buffering) => {
                    self.worker.with_mailbox(self.id, |mailbox| mailbox.buffer(buffering));
                }
                Effect::Subscribe(channel) => self.subscribe(channel),
                Effect::Unsubscribe(channel) => {
                    tracing::debug!(%channel, "unsubscribed");
                    self.worker.unsubscribe(self.id, &channel);
                }
                Effect::Fetch(request) => self.fetch(request),
            }
        }
    }

    /// Takes up what an effect that needed time came to.
    pub(super) fn complete(&mut self, done: Done) {
        match done {
            Done::Sight(Ok(sight)) => self.see(sight),
            Done::Sight(Err(error)) => {
                self.reply(&Reply::Error { code: "projection_failed", message: error.to_string() });
            }
            Done::Subscribed => {}
            Done::Fetched(fetched) => self.remember(fetched),
        }
    }

    /// Remembers when state was read, for a SUB that may follow.
    fn remember(&mut self, fetched: Fetched) {
        self.marks.retain(|other| other.channel != fetched.channel);
        if self.worker.is_subscribed(self.id, &fetched.channel) {
            return;
        }
        if self.marks.len() == MOST_MARKS {
            self.marks.remove(0);
        }
        self.marks.push(fetched);
    }

    fn reply(&self, reply: &Reply) {
        let frame = rendering::reply(reply, self.sight.absent);
        self.worker.with_mailbox(self.id, |mailbox| mailbox.send(frame.bytes().clone()));
    }

    /// What follows waits until the subscription is in force, so that an answer behind it says that it is; but not for
    /// long, as the store may be away.
    fn subscribe(&mut self, channel: Channel) {
        tracing::debug!(%channel, "subscribed");
        let confirmation = self.worker.subscribe(self.id, &channel, self.sight.clone());
        if let Some(position) = self.marks.iter().position(|read| read.channel == channel) {
            let read = self.marks.swap_remove(position);
            if read.until > Instant::now() {
                self.worker.replay(self.id, &channel, read.mark);
            }
        }
        if let Some(confirmation) = confirmation {
            self.work = Some(Box::pin(async move {
                match timeout(CONFIRMATION, confirmation).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(%channel, %error, "subscription is not in force yet"),
                    Err(_elapsed) => tracing::debug!(%channel, "subscription is not in force yet"),
                }
                Done::Subscribed
            }));
        }
    }

    fn look(&mut self, view: View) {
        let (node, absent) = (Arc::clone(&self.worker.node), self.sight.absent);
        self.work = Some(Box::pin(async move { Done::Sight(sight(&node, view, absent).await) }));
    }

    fn see(&mut self, sight: Sight) {
        self.worker.look(self.id, &sight);
        self.sight = sight;
    }

    fn fetch(&mut self, request: Fetch) {
        let (worker, id, sight) = (std::rc::Rc::clone(&self.worker), self.id, self.sight.clone());
        self.work = Some(Box::pin(async move { Done::Fetched(fetch(worker, id, request, sight).await) }));
    }
}

/// Prepares a view: transforms are made where they are not there yet.
async fn sight(
    node: &Arc<Node>,
    view: View,
    absent: crate::AbsentClientReference,
) -> Result<Sight, TransformError> {
    let output = node.transform(view.output).await?;
    let window = match view.viewport {
        Some(viewport) => {
            let transform = node.transform(viewport.crs).await?;
            Some(Arc::new(window(viewport, transform).await))
        }
        None => None,
    };
    Ok(Sight { output, window, absent })
}

async fn window(viewport: Viewport, transform: Option<Arc<Transform>>) -> Window {
    let needs_time = transform.is_some();
    let make = move || Window::new(viewport.bbox, transform, viewport.members);
    if !needs_time {
        return make();
    }
    // Bounds in another system take up to milliseconds.
    tokio::task::spawn_blocking(make).await.expect("making a window does not panic")
}

/// How long a client's next command waits for the store to confirm a subscription.
const CONFIRMATION: Duration = Duration::from_millis(250);

/// Channels of which a connection remembers when it read their state.
const MOST_MARKS: usize = 128;
