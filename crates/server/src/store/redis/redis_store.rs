use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use geocast_protocol::Channel;
use tokio::{runtime::Handle, task::AbortHandle, time::timeout};

use super::{
    RedisSettings,
    commands::Commands,
    histories::Histories,
    nodes::Nodes,
    notices::Notices,
    settings::RedisPublishing,
    shards::Shards,
    shared::{Link, Shared},
    start_error::RedisStartError,
    stream_reader::Streams,
    streams::Change,
    subscriber::Subscriber,
    subscriptions::Standing,
    switch_watch,
    url::Place,
    watcher::Watcher,
};
use crate::{
    Broker, ChannelRule, Count, Patterns,
    store::{History, HistoryBound, HistoryPosition, HistoryQuery, Store, StoreError, Vitals},
};

/// State and messages in Redis.
///
/// The state of a channel is the hash of its name, its messages are those published on its name; whatever writes to
/// Redis is a publisher. Redis may be away at the start or at any time: reads and writes fail then, subscriptions are
/// kept and taken up again, without end, within two seconds of Redis being back.
#[derive(Debug)]
pub struct RedisStore {
    settings: RedisSettings,
    commands: Commands,
    shared: Arc<Shared>,
    subscriber: AbortHandle,
    histories: Histories,
    reader: Option<AbortHandle>,
    watcher: Option<AbortHandle>,
    switch_watch: Option<AbortHandle>,
    /// In a cluster, unless they are not to be heard.
    shards: Option<Arc<Shards>>,
    sharding: Option<AbortHandle>,
}

impl RedisStore {
    /// Begins to connect, on the current tokio runtime, and returns at once: whether Redis can be reached is told by
    /// [`Store::health`] and in the log. Messages go to `broker`.
    ///
    /// # Errors
    ///
    /// [`RedisStartError`]. Never because Redis is away.
    pub fn start(settings: RedisSettings, broker: Arc<Broker>) -> Result<Self, RedisStartError> {
        Self::start_watching(settings, broker, None, Vec::new())
    }

    /// The same, and pushes the changes of these hashes, as [`Settings::watch`](crate::Settings::watch) says, and keeps the last
    /// messages of these channels, as [`Settings::history`](crate::Settings::history) says: each in a stream, to which any client
    /// of Redis may add.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start). Never because Redis does not tell of writes; that is said in the log.
    pub fn start_watching(
        mut settings: RedisSettings,
        broker: Arc<Broker>,
        watch: Option<Patterns>,
        kept: Vec<ChannelRule<HistoryBound>>,
    ) -> Result<Self, RedisStartError> {
        let runtime = Handle::try_current()?;
        if !kept.is_empty() && matches!(settings.url.place, Place::Cluster(_)) {
            return Err(RedisStartError::HistoryInCluster);
        }
        if settings.publishing == RedisPublishing::Sharded && !matches!(settings.url.place, Place::Cluster(_))
        {
            return Err(RedisStartError::ShardsWithoutCluster);
        }
        if !kept.is_empty() {
            // One connection is nearly always waiting for what comes.
            settings.pool_size = settings.pool_size.max(NonZeroUsize::MIN.saturating_add(1));
        }
        let nodes = Arc::new(Nodes::new(&settings)?);
        let commands =
            Commands::new(&settings, Arc::clone(&nodes), runtime.clone(), Arc::clone(broker.counters()));
        let database = settings.url.database;
        let notices = watch.map(|watch| Arc::new(Notices::new(watch, database)));
        let shared = Arc::new(Shared::new(Arc::clone(broker.counters()), notices.clone()));
        let shards = matches!(settings.url.place, Place::Cluster(_)).then(|| {
            let (broker, nodes) = (Arc::clone(&broker), Arc::clone(&nodes));
            Arc::new(Shards::new(settings.clone(), broker, nodes, commands.clone(), Arc::clone(&shared)))
        });
        let watcher = notices.map(|notices| {
            let want = |channel| shared.subscriptions.lock().want(channel);
            // Each master of a cluster tells of its own writes alone, over its connection for its shard.
            let one = !matches!(settings.url.place, Place::Cluster(_));
            let standings = notices.channels().filter(|_| one).map(want).collect();
            let shared = Arc::clone(&shared);
            let (shards, broker) = (shards.clone(), Arc::clone(&broker));
            let watcher = Watcher::new(notices, standings, shared, shards, commands.clone(), broker);
            runtime.spawn(watcher.run()).abort_handle()
        });
        let listening = nodes.sentinels().map(|_| switch_watch::run(Arc::clone(&nodes)));
        let switch_watch = listening.map(|listening| runtime.spawn(listening).abort_handle());
        let streams = Arc::<Streams>::default();
        let following = (!kept.is_empty())
            .then(|| Arc::clone(&streams).run(commands.clone(), Arc::clone(&broker), Arc::clone(&shared)));
        let reader = following.map(|following| runtime.spawn(following).abort_handle());
        let sharding = shards.as_ref().map(|shards| runtime.spawn(Arc::clone(shards).run()).abort_handle());
        let subscriber =
            Subscriber::new(settings.clone(), broker, nodes, commands.clone(), Arc::clone(&shared));
        let subscriber = runtime.spawn(subscriber.run()).abort_handle();
        let limit = settings.command_timeout;
        let histories = Histories { kept, streams, commands: commands.clone(), limit };
        Ok(Self {
            settings,
            commands,
            shared,
            subscriber,
            histories,
            reader,
            watcher,
            switch_watch,
            shards,
            sharding,
        })
    }

    /// Messages skipped so far because they were longer than [`RedisSettings::max_message`].
    #[must_use]
    pub fn skipped_messages(&self) -> u64 {
        self.shared.counters().value(Count::StoreSkipped)
    }

    /// Times so far that the subscriber connection was lost after it had been alive.
    #[must_use]
    pub fn interruptions(&self) -> u64 {
        self.shared.counters().value(Count::StoreInterrupted)
    }

    /// Ends the subscriber connection: no message is delivered any more. Dropping the store does the same.
    pub fn shutdown(&self) {
        self.subscriber.abort();
        let others = [&self.watcher, &self.switch_watch, &self.reader, &self.sharding];
        others.into_iter().flatten().for_each(AbortHandle::abort);
        self.shared.set_link(Link::Away("the server is shutting down".to_owned()));
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl RedisStore {
    pub(crate) fn presence(&self) -> super::PresenceLog {
        super::PresenceLog::new(self.commands.clone())
    }

    /// Subscribes to what is published, with PUBLISH and in the channel's shard.
    fn listen(&self, channel: &Channel) -> BoxFuture<'static, Result<(), StoreError>> {
        let published = self.listen_to_nodes(channel);
        let Some(shards) = &self.shards else { return published };
        let standing = shards.want(channel);
        let publishing = self.settings.publishing;
        let (shards, channel, limit) = (Arc::clone(shards), channel.clone(), self.settings.command_timeout);
        async move {
            published.await?;
            match Standing::decided(standing, limit).await {
                Some(Standing::InForce) => Ok(()),
                Some(Standing::Refused(reason)) if publishing == RedisPublishing::Sharded => {
                    Err(StoreError::Refused(format!("{channel}: {reason}")))
                }
                // Whoever may not listen to shards hears what is published with PUBLISH: that was said.
                Some(Standing::Refused(_)) => Ok(()),
                Some(Standing::Pending) => Err(given_up(&channel)),
                None => Err(StoreError::Unavailable(shards.trouble(publishing).unwrap_or_else(|| {
                    format!("redis did not confirm {channel} in its shard within {limit:?}")
                }))),
            }
        }
        .boxed()
    }

    fn stop_listening_to_nodes(&self, channel: &Channel) {
        self.shared.subscriptions.lock().release(channel);
        self.shared.changed.notify_one();
    }

    /// Subscribes to what is published with PUBLISH.
    fn listen_to_nodes(&self, channel: &Channel) -> BoxFuture<'static, Result<(), StoreError>> {
        let standing = self.shared.subscriptions.lock().want(channel);
        if *standing.borrow() == Standing::InForce {
            return futures_util::future::ready(Ok(())).boxed();
        }
        self.shared.changed.notify_one();
        let (shared, channel, limit) =
            (Arc::clone(&self.shared), channel.clone(), self.settings.command_timeout);
        async move {
            match Standing::decided(standing, limit).await {
                Some(Standing::InForce) => Ok(()),
                Some(Standing::Refused(reason)) => Err(StoreError::Refused(format!("{channel}: {reason}"))),
                Some(Standing::Pending) => Err(given_up(&channel)),
                None => Err(StoreError::Unavailable(match shared.link() {
                    Link::Away(reason) => reason,
                    Link::Live => format!("redis did not confirm {channel} within {limit:?}"),
                })),
            }
        }
        .boxed()
    }
}

fn given_up(channel: &Channel) -> StoreError {
    StoreError::Unavailable(format!("{channel} is not subscribed any more"))
}

#[async_trait]
impl Store for RedisStore {
    fn description(&self) -> String {
        self.settings.url.to_string()
    }

    async fn value(&self, channel: &Channel, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.commands.value(channel, key).await
    }

    async fn values(&self, channel: &Channel) -> Result<Vec<Bytes>, StoreError> {
        self.commands.values(channel).await
    }

    async fn publish(
        &self,
        channel: &Channel,
        payload: Bytes,
    ) -> Result<Option<HistoryPosition>, StoreError> {
        match self.histories.bound(channel) {
            Some(bound) => self.histories.append(channel, bound, Change::None, &payload).await,
            None => self.commands.publish(channel, &payload).await.map(|()| None),
        }
    }

    async fn publish_all(&self, messages: Vec<(Channel, Bytes)>) -> Result<(), StoreError> {
        if messages.iter().all(|(channel, _)| self.histories.bound(channel).is_none()) {
            return self.commands.publish_all(messages).await;
        }
        self.histories.append_all(messages).await
    }

    async fn put(
        &self,
        channel: &Channel,
        key: &str,
        value: Bytes,
    ) -> Result<Option<HistoryPosition>, StoreError> {
        match self.histories.bound(channel) {
            Some(bound) => self.histories.append(channel, bound, Change::Set(key), &value).await,
            None => self.commands.put(channel, key, &value).await.map(|()| None),
        }
    }

    async fn remove(&self, channel: &Channel, key: &str, notice: Bytes) -> Result<bool, StoreError> {
        match self.histories.bound(channel) {
            Some(bound) => self
                .commands
                .append(channel, bound, Change::Remove(key), &notice)
                .await
                .map(|done| done.is_some()),
            None => self.commands.remove(channel, key, &notice).await,
        }
    }

    async fn history(&self, channel: &Channel, query: &HistoryQuery) -> Result<Option<History>, StoreError> {
        if self.histories.bound(channel).is_none() {
            return Ok(None);
        }
        self.histories.recall(channel, query).await.map(Some)
    }

    fn subscribe(&self, channel: &Channel) -> BoxFuture<'static, Result<(), StoreError>> {
        if self.histories.bound(channel).is_none() {
            return self.listen(channel);
        }
        // What is published without being kept is delivered as well.
        let (following, listening) = (self.histories.follow(channel), self.listen(channel));
        async move {
            listening.await?;
            following.await
        }
        .boxed()
    }

    fn unsubscribe(&self, channel: &Channel) {
        self.histories.release(channel);
        if let Some(shards) = &self.shards {
            shards.release(channel);
        }
        self.stop_listening_to_nodes(channel);
    }

    /// Redis answers a subscription behind all messages that it has sent before. Those of other masters of a cluster are behind
    /// each other: so one is published on each, and waited for. Those of a shard are behind each other as well.
    async fn settle(&self) {
        let Some((channel, mut heard)) = self.shared.settling.begin() else { return };
        let settled = async {
            self.listen_to_nodes(&channel).await?;
            if matches!(self.settings.url.place, Place::Cluster(_)) {
                let mut copies = self.commands.publish_everywhere(&channel, b"").await?;
                if let Some(shards) = &self.shards {
                    copies += shards.mark(&channel).await?;
                }
                let all = heard.wait_for(|heard| *heard >= copies);
                let late = |_elapsed| StoreError::Unavailable("messages of some nodes are late".to_owned());
                drop(timeout(self.settings.command_timeout, all).await.map_err(late)?);
            }
            Ok::<(), StoreError>(())
        };
        if let Err(error) = settled.await {
            tracing::debug!(%error, "it is not known whether all messages have arrived");
        }
        self.histories.settle().await;
        self.stop_listening_to_nodes(&channel);
        self.shared.settling.end(&channel);
    }

    async fn health(&self) -> Result<(), StoreError> {
        if let Link::Away(reason) = self.shared.link() {
            return Err(StoreError::Unavailable(reason));
        }
        let forbidden = self.shared.subscriptions.lock().trouble();
        let shards = self.shards.as_ref().and_then(|shards| shards.trouble(self.settings.publishing));
        let troubles: Vec<_> = [forbidden, self.histories.trouble(), shards].into_iter().flatten().collect();
        if !troubles.is_empty() {
            return Err(StoreError::Unavailable(troubles.join("; ")));
        }
        self.commands.ping(self.settings.command_timeout.min(HEALTH_TIMEOUT)).await
    }

    fn vitals(&self) -> Vitals {
        let (probe_age, probe_round_trip) = self.shared.last_proof().unzip();
        Vitals { kind: "redis", probe_age, probe_round_trip, ..Vitals::default() }
    }
}

/// Who asks for health, asks again soon, and wants to know what is now.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);
