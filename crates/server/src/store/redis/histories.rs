use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use geocast_protocol::{Channel, Offset};
use tokio::time::timeout;

use super::{
    commands::Commands,
    stream_reader::Streams,
    streams::{Change, EntryId},
};
use crate::{
    ChannelRule,
    store::{History, HistoryBound, HistoryPosition, HistoryQuery, StoreError},
};

/// The channels that have a history, in streams.
#[derive(Debug)]
pub(super) struct Histories {
    pub(super) kept: Vec<ChannelRule<HistoryBound>>,
    pub(super) streams: Arc<Streams>,
    pub(super) commands: Commands,
    /// How long it may take until a stream is followed.
    pub(super) limit: Duration,
}

impl Histories {
    pub(super) fn bound(&self, channel: &Channel) -> Option<HistoryBound> {
        ChannelRule::find(&self.kept, channel).copied()
    }

    pub(super) async fn append(
        &self,
        channel: &Channel,
        bound: HistoryBound,
        change: Change<'_>,
        payload: &[u8],
    ) -> Result<Option<HistoryPosition>, StoreError> {
        let appended = self.commands.append(channel, bound, change, payload).await?;
        if let Some(position) = &appended {
            self.streams.saw(channel, position);
        }
        Ok(appended)
    }

    /// Appends messages, or publishes those that are not kept, in one step.
    pub(super) async fn append_all(&self, messages: Vec<(Channel, Bytes)>) -> Result<(), StoreError> {
        let bounded = |(channel, payload)| {
            let bound = self.bound(&channel);
            (channel, payload, bound)
        };
        let appended = self.commands.append_all(messages.into_iter().map(bounded).collect()).await?;
        appended.iter().for_each(|(channel, position)| self.streams.saw(channel, position));
        Ok(())
    }

    /// Reads a part of a history, and waits until what it tells of has been followed.
    pub(super) async fn recall(
        &self,
        channel: &Channel,
        query: &HistoryQuery,
    ) -> Result<History, StoreError> {
        let history = self.commands.recall(channel, query, self.streams.witness(channel)).await?;
        let (offset, epoch) = (history.end, history.epoch.clone());
        self.streams.recalled(channel, &HistoryPosition { offset, epoch });
        self.follow_to(channel, history.end).await?;
        Ok(history)
    }

    /// Follows a channel, and tells when it is known from where on.
    pub(super) fn follow(&self, channel: &Channel) -> BoxFuture<'static, Result<(), StoreError>> {
        let mut reached = self.streams.want(channel);
        let (streams, channel, limit) = (Arc::clone(&self.streams), channel.clone(), self.limit);
        async move {
            match timeout(limit, reached.wait_for(Option::is_some)).await {
                Ok(Ok(_)) => Ok(()),
                _ => Err(StoreError::Unavailable(streams.failure().unwrap_or_else(|| {
                    format!("the history of {channel} is not followed within {limit:?}")
                }))),
            }
        }
        .boxed()
    }

    pub(super) fn release(&self, channel: &Channel) {
        if self.bound(channel).is_some() {
            self.streams.release(channel);
        }
    }

    /// Waits until all channels that are followed have been up to where they are now.
    pub(super) async fn settle(&self) {
        for channel in self.streams.channels() {
            let followed = async {
                let (time, number) = self.commands.end(&channel).await?;
                self.follow_to(&channel, Offset::Entry(time, number)).await
            };
            if let Err(error) = followed.await {
                tracing::debug!(%channel, %error, "it is not known whether all messages have arrived");
            }
        }
    }

    /// Why histories cannot be followed, if they cannot.
    pub(super) fn trouble(&self) -> Option<String> {
        self.streams.failure().map(|reason| format!("histories cannot be followed: {reason}"))
    }

    /// Waits until the history of a channel has been followed up to an entry, if it is.
    async fn follow_to(&self, channel: &Channel, end: Offset) -> Result<(), StoreError> {
        let Some(mut reached) = self.streams.reached(channel) else { return Ok(()) };
        let far = |reached: &Option<EntryId>| {
            reached.is_some_and(|(time, number)| Offset::Entry(time, number) >= end)
        };
        match timeout(self.limit, reached.wait_for(far)).await {
            // Nobody wants it any more.
            Ok(_) => Ok(()),
            Err(_elapsed) => Err(StoreError::Unavailable(format!("the history of {channel} is behind"))),
        }
    }
}
