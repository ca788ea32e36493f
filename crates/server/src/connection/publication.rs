use std::sync::Arc;

use geocast_protocol::{Channel, Word};

use super::{Connection, effects::Done, work::Work};
use crate::{
    Count, StoreError, clock,
    dialect::Answer,
    session::{Asked, Fault, Publication},
    store::HistoryPosition,
    worker::Worker,
};

/// What has become of something that a client published.
pub(super) struct Published {
    channel: Channel,
    key: Option<Word>,
    /// Where it stands in the channel's history, if that has one.
    outcome: Result<Option<HistoryPosition>, StoreError>,
}

impl Connection {
    pub(super) fn publish(&mut self, publication: Publication, asked: Asked) {
        let (channel, key) = (publication.channel.clone(), publication.key.clone());
        let publishing = publish(&self.worker, publication);
        self.work = Some(Work::new(async move {
            Done::Published(Published { channel, key, outcome: publishing.await }, asked)
        }));
    }

    /// Tells a client that it is published, and where it stands, as far as its dialect has words for that.
    pub(super) fn published(&mut self, published: Published, asked: Asked) {
        let Published { channel, key, outcome } = published;
        let position = match outcome {
            Ok(position) => position,
            Err(error) => return self.fail(&asked, &Fault::from(&error)),
        };
        let reference = asked.receipt.as_ref().filter(|receipt| receipt.done.is_some());
        let said = reference.zip(position).map_or_else(Vec::new, |(receipt, position)| {
            let HistoryPosition { offset, epoch } = &position;
            let (reference, offset) = (&*receipt.reference, *offset);
            let answer = Answer::Published { reference, channel: &channel, key: key.as_ref(), offset, epoch };
            asked.dialect.answer(answer, clock::timestamp())
        });
        if said.is_empty() {
            self.acknowledge(asked);
        }
        said.into_iter().for_each(|payload| self.say(payload));
    }
}

/// Publishes something, to its end: a client that goes away meanwhile does not leave a state that was set and not published.
pub(super) fn publish(
    worker: &Worker,
    publication: Publication,
) -> impl Future<Output = Result<Option<HistoryPosition>, StoreError>> + 'static {
    let node = Arc::clone(&worker.node);
    let publishing = tokio::task::spawn_local(async move {
        let published = publication.publish(&*node.store).await;
        node.count(if published.is_ok() { Count::Published } else { Count::PublishRefused });
        published
    });
    async move { publishing.await.expect("a store does not panic") }
}
