use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use geocast_protocol::Channel;
use thiserror::Error;
use tokio::{
    runtime::{Handle, TryCurrentError},
    task::AbortHandle,
    time::timeout,
};

use super::{
    RedisSettings,
    commands::Commands,
    nodes::Nodes,
    notices::Notices,
    shared::{Link, Shared},
    subscriber::Subscriber,
    subscriptions::Standing,
    switch_watch,
    url::Place,
    watcher::Watcher,
};
use crate::{
    Broker, Count, Patterns, TlsError,
    store::{Store, StoreError},
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
    watcher: Option<AbortHandle>,
    switch_watch: Option<AbortHandle>,
}

impl RedisStore {
    /// Begins to connect, on the current tokio runtime, and returns at once: whether Redis can be reached is told by
    /// [`Store::health`] and in the log. Messages go to `broker`.
    ///
    /// # Errors
    ///
    /// [`RedisStartError`]. Never because Redis is away.
    pub fn start(settings: RedisSettings, broker: Arc<Broker>) -> Result<Self, RedisStartError> {
        Self::start_watching(settings, broker, None)
    }

    /// The same, and pushes the changes of these hashes, as [`Settings::watch`](crate::Settings::watch) says.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start). Never because Redis does not tell of writes; that is said in the log.
    pub fn start_watching(
        settings: RedisSettings,
        broker: Arc<Broker>,
        watch: Option<Patterns>,
    ) -> Result<Self, RedisStartError> {
        let runtime = Handle::try_current()?;
        if watch.is_some() && matches!(settings.url.place, Place::Cluster(_)) {
            return Err(RedisStartError::WatchedCluster);
        }
        let nodes = Arc::new(Nodes::new(&settings)?);
        let commands = Commands::new(&settings, Arc::clone(&nodes), runtime.clone());
        let database = settings.url.database;
        let notices = watch.map(|watch| Arc::new(Notices::new(watch, database)));
        let shared = Arc::new(Shared::new(Arc::clone(broker.counters()), notices.clone()));
        let watcher = notices.map(|notices| {
            let want = |channel| shared.subscriptions.lock().want(channel);
            let standings = notices.channels().map(want).collect();
            let watcher = Watcher::new(notices, standings, commands.clone(), Arc::clone(&broker));
            runtime.spawn(watcher.run()).abort_handle()
        });
        let listening = nodes.sentinels().map(|_| switch_watch::run(Arc::clone(&nodes)));
        let switch_watch = listening.map(|listening| runtime.spawn(listening).abort_handle());
        let subscriber =
            Subscriber::new(settings.clone(), broker, nodes, commands.clone(), Arc::clone(&shared));
        let subscriber = runtime.spawn(subscriber.run()).abort_handle();
        Ok(Self { settings, commands, shared, subscriber, watcher, switch_watch })
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
        self.watcher.iter().chain(&self.switch_watch).for_each(AbortHandle::abort);
        self.shared.set_link(Link::Away("the server is shutting down".to_owned()));
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.shutdown();
    }
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

    async fn publish(&self, channel: &Channel, payload: Bytes) -> Result<(), StoreError> {
        self.commands.publish(channel, &payload).await
    }

    async fn publish_all(&self, messages: Vec<(Channel, Bytes)>) -> Result<(), StoreError> {
        self.commands.publish_all(messages).await
    }

    async fn put(&self, channel: &Channel, key: &str, value: Bytes) -> Result<(), StoreError> {
        self.commands.put(channel, key, &value).await
    }

    async fn remove(&self, channel: &Channel, key: &str, notice: Bytes) -> Result<bool, StoreError> {
        self.commands.remove(channel, key, &notice).await
    }

    fn subscribe(&self, channel: &Channel) -> BoxFuture<'static, Result<(), StoreError>> {
        let mut standing = self.shared.subscriptions.lock().want(channel);
        if *standing.borrow() == Standing::InForce {
            return futures_util::future::ready(Ok(())).boxed();
        }
        self.shared.changed.notify_one();
        let (shared, channel, limit) =
            (Arc::clone(&self.shared), channel.clone(), self.settings.command_timeout);
        async move {
            let decided = timeout(limit, standing.wait_for(|standing| *standing != Standing::Pending)).await;
            match decided.as_ref().map(|decided| decided.as_deref()) {
                Ok(Ok(Standing::InForce)) => Ok(()),
                Ok(Ok(Standing::Refused(reason))) => Err(StoreError::Refused(format!("{channel}: {reason}"))),
                Ok(Err(_)) => Err(StoreError::Unavailable(format!("{channel} is not subscribed any more"))),
                _ => Err(StoreError::Unavailable(match shared.link() {
                    Link::Away(reason) => reason,
                    Link::Live => format!("redis did not confirm {channel} within {limit:?}"),
                })),
            }
        }
        .boxed()
    }

    fn unsubscribe(&self, channel: &Channel) {
        self.shared.subscriptions.lock().release(channel);
        self.shared.changed.notify_one();
    }

    /// Redis answers a subscription behind all messages that it has sent before. Those of other masters of a cluster are behind
    /// each other: so one is published on each, and waited for.
    async fn settle(&self) {
        let Some((channel, mut heard)) = self.shared.settling.begin() else { return };
        let settled = async {
            self.subscribe(&channel).await?;
            if matches!(self.settings.url.place, Place::Cluster(_)) {
                let copies = self.commands.publish_everywhere(&channel, b"").await?;
                let all = heard.wait_for(|heard| *heard >= copies);
                let late = |_elapsed| StoreError::Unavailable("messages of some nodes are late".to_owned());
                drop(timeout(self.settings.command_timeout, all).await.map_err(late)?);
            }
            Ok::<(), StoreError>(())
        };
        if let Err(error) = settled.await {
            tracing::debug!(%error, "it is not known whether all messages have arrived");
        }
        self.unsubscribe(&channel);
        self.shared.settling.end(&channel);
    }

    async fn health(&self) -> Result<(), StoreError> {
        if let Link::Away(reason) = self.shared.link() {
            return Err(StoreError::Unavailable(reason));
        }
        self.commands.ping(self.settings.command_timeout.min(HEALTH_TIMEOUT)).await
    }
}

/// Why a store could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RedisStartError {
    /// There is no tokio runtime to run on.
    #[error("the redis store needs a tokio runtime")]
    Runtime(#[from] TryCurrentError),
    /// TLS cannot be spoken.
    #[error("TLS to redis cannot be set up: {0}")]
    Tls(#[from] TlsError),
    /// Hashes of a cluster are to be watched, of which no single node tells.
    #[error(
        "hashes of a redis cluster cannot be watched: leave out `watch`, or use a redis that is no cluster"
    )]
    WatchedCluster,
}

/// Who asks for health, asks again soon, and wants to know what is now.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);
