use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use deadpool_redis::redis::{Cmd, FromRedisValue, cmd, pipe};
use geocast_protocol::Channel;
use tokio::runtime::Handle;

use super::{
    RedisSettings,
    address::Address,
    errand::{self, Errand, Failed},
    nodes::Nodes,
    remedy::{Effect, store_error},
    scan::Scan,
    settings::RedisPublishing,
    topology,
};
use crate::{Count, Counters, store::StoreError, watch::Fields};

/// Reading and writing, through pools of connections.
///
/// Everything runs on the runtime of the store, since a connection belongs to the runtime that made it and callers come
/// from many. Every call has an end: after `command_timeout`, whatever it waits for.
#[derive(Debug, Clone)]
pub(super) struct Commands {
    nodes: Arc<Nodes>,
    runtime: Handle,
    timeout: Duration,
    max_state: usize,
    max_message: usize,
    publishing: RedisPublishing,
    counters: Arc<Counters>,
}

impl Commands {
    /// Connects to nothing.
    pub(super) fn new(
        settings: &RedisSettings,
        nodes: Arc<Nodes>,
        runtime: Handle,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            counters,
            nodes,
            runtime,
            timeout: settings.command_timeout,
            max_state: settings.max_state,
            max_message: settings.max_message,
            publishing: settings.publishing,
        }
    }

    /// How long a command may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Bytes of the longest message that is passed on.
    pub(super) fn max_message(&self) -> usize {
        self.max_message
    }

    /// Counts what was put into histories.
    pub(super) fn appended(&self, messages: u64) {
        self.counters.add_many(Count::HistoryAppended, messages);
    }

    /// One value, if it is within the bound.
    pub(super) async fn value(&self, channel: &Channel, key: &str) -> Result<Option<Bytes>, StoreError> {
        let ask = |verb| command(verb, channel, &[key.as_bytes()]);
        let (length, value) = (Arc::new(ask("HSTRLEN")), Arc::new(ask("HGET")));
        let (limit, label) = (self.max_state, format!("{channel} {key}"));
        self.run(channel, Effect::Reads, move |mut errand| {
            let (length, value, label) = (Arc::clone(&length), Arc::clone(&value), label.clone());
            async move {
                // Asked first, because a value that is on its way has to be taken in whole.
                let length: usize = errand.query(&length).await?;
                if length > limit {
                    return Err(Failed::Full(format!("{label:?} has {length} bytes, more than {limit}")));
                }
                let value: Option<Vec<u8>> = errand.query(&value).await?;
                Ok(value.map(Bytes::from))
            }
        })
        .await
    }

    /// All values, if they are within the bound.
    pub(super) async fn values(&self, channel: &Channel) -> Result<Vec<Bytes>, StoreError> {
        self.scan(channel).await.map(Scan::into_values)
    }

    /// All fields with their values, if they are within the bound.
    pub(super) async fn fields(&self, hash: &Channel) -> Result<Fields, StoreError> {
        self.scan(hash).await.map(Scan::into_fields)
    }

    /// Where the masters are: one, or those of a cluster.
    pub(super) async fn masters(&self) -> Result<Vec<Address>, StoreError> {
        let nodes = Arc::clone(&self.nodes);
        let topology = self
            .bounded(self.timeout, async move { nodes.topology().await.map_err(StoreError::Unavailable) });
        Ok(topology.await?.masters().to_vec())
    }

    /// Some names of hashes, of all that a master has, and the cursor for the next: zero at the end.
    pub(super) async fn hashes(
        &self,
        master: &Address,
        cursor: u64,
    ) -> Result<(u64, Vec<Vec<u8>>), StoreError> {
        let mut command = cmd("SCAN");
        command.arg(cursor).arg("COUNT").arg(NAMES_AT_ONCE).arg("TYPE").arg("hash");
        self.ask(master, command).await
    }

    /// What a master is set to tell of writes.
    pub(super) async fn notifications(&self, master: &Address) -> Result<String, StoreError> {
        let mut command = cmd("CONFIG");
        command.arg("GET").arg("notify-keyspace-events");
        self.ask(master, command).await.map(|(_, flags): (String, String)| flags)
    }

    /// Sends one command to this master and no other.
    async fn ask<T: FromRedisValue + Send + 'static>(
        &self,
        master: &Address,
        command: Cmd,
    ) -> Result<T, StoreError> {
        let (nodes, master) = (Arc::clone(&self.nodes), master.clone());
        self.bounded(self.timeout, async move {
            let mut line = nodes.borrow(&master).await.map_err(|error| store_error(&error))?;
            line.query(&command).await.map_err(|error| store_error(&error))
        })
        .await
    }

    async fn scan(&self, channel: &Channel) -> Result<Scan, StoreError> {
        let (name, limit) = (channel.clone(), self.max_state);
        self.run(channel, Effect::Reads, move |mut errand| {
            let channel = name.clone();
            async move {
                let mut scan = Scan::new(limit);
                while let Some((cursor, count)) = scan.next() {
                    let mut command = command("HSCAN", &channel, &[cursor.to_string().as_bytes()]);
                    command.arg("COUNT").arg(count);
                    let (cursor, batch): (u64, Vec<Vec<u8>>) = errand.query(&command).await?;
                    if !scan.take(cursor, batch) {
                        let reason = format!("the state of {channel} has more than {limit} bytes");
                        return Err(Failed::Full(reason));
                    }
                }
                Ok(scan)
            }
        })
        .await
    }

    /// Sends a message.
    pub(super) async fn publish(&self, channel: &Channel, payload: &[u8]) -> Result<(), StoreError> {
        let command = command(self.publishing.verb(), channel, &[payload]);
        self.single::<u64>(channel, Effect::Changes, command).await.map(drop)
    }

    /// Sends a message from each master, and returns how many said that they have.
    pub(super) async fn publish_everywhere(
        &self,
        channel: &Channel,
        payload: &[u8],
    ) -> Result<u32, StoreError> {
        let (nodes, command) = (Arc::clone(&self.nodes), command("PUBLISH", channel, &[payload]));
        self.bounded(self.timeout, async move {
            let topology = nodes.topology().await.map_err(StoreError::Unavailable)?;
            let mut sent = 0;
            for master in topology.masters() {
                let mut line = nodes.borrow(master).await.map_err(|error| store_error(&error))?;
                line.query::<u64>(&command).await.map_err(|error| store_error(&error))?;
                sent += 1;
            }
            Ok(sent)
        })
        .await
    }

    /// Sends a message to those who listen to the shard of this master, on a channel of its own.
    pub(super) async fn publish_in_shard(
        &self,
        master: &Address,
        channel: &Channel,
        payload: &[u8],
    ) -> Result<(), StoreError> {
        self.ask::<u64>(master, command("SPUBLISH", channel, &[payload])).await.map(drop)
    }

    /// Sends messages in one transaction. PUBLISH cannot fail once it is queued, so either all are sent or none.
    ///
    /// In a cluster, messages of a channel come from the owner of its slot, or they could overtake others. So there is one
    /// transaction for each master, or for each slot where messages stay in shards; if one fails after another was carried out, it is not known what was sent.
    pub(super) async fn publish_all(&self, messages: Vec<(Channel, Bytes)>) -> Result<(), StoreError> {
        let mut sent = false;
        let parts = match self.publishing {
            RedisPublishing::Everywhere => self.by_owner(messages).await?,
            RedisPublishing::Sharded => by_slot(messages),
        };
        for messages in parts {
            let Some((channel, _)) = messages.first() else { continue };
            let mut transaction = pipe();
            transaction.atomic();
            for (channel, payload) in &messages {
                transaction.add_command(command(self.publishing.verb(), channel, &[payload]));
            }
            let transaction = Arc::new(transaction);
            let outcome = self.run(channel, Effect::Changes, move |mut errand| {
                let transaction = Arc::clone(&transaction);
                async move { Ok(errand.query_all::<Vec<u64>>(&transaction).await?) }
            });
            match outcome.await {
                Ok(_) => sent = true,
                Err(error) if sent => return Err(StoreError::Unavailable(error.to_string())),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Divides messages by who has their channels, each part in its order.
    async fn by_owner(
        &self,
        messages: Vec<(Channel, Bytes)>,
    ) -> Result<Vec<Vec<(Channel, Bytes)>>, StoreError> {
        let nodes = Arc::clone(&self.nodes);
        let divide = async move {
            let topology = nodes.topology().await.map_err(StoreError::Unavailable)?;
            let nobody = topology.masters().len();
            let mut parts: Vec<Vec<(Channel, Bytes)>> = vec![Vec::new(); nobody + 1];
            for message in messages {
                let owner = topology.owner(&message.0);
                let place = topology.masters().iter().position(|master| Some(master) == owner);
                parts[place.unwrap_or(nobody)].push(message);
            }
            Ok(parts)
        };
        self.bounded(self.timeout, divide).await
    }

    /// Sets a value and publishes it.
    ///
    /// A script and not MULTI/EXEC: a transaction whose HSET fails, because the key is of another type, publishes
    /// nevertheless. A script stops at the first error.
    pub(super) async fn put(&self, channel: &Channel, key: &str, value: &[u8]) -> Result<(), StoreError> {
        const SCRIPT: &str =
            "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) redis.call(ARGV[3], KEYS[1], ARGV[2])";
        let verb = self.publishing.verb().as_bytes();
        let script = script(SCRIPT, channel, &[key.as_bytes(), value, verb]);
        self.single(channel, Effect::Changes, script).await
    }

    /// Removes a value, and publishes `notice` if there was one. As a script, because the second depends on the first.
    pub(super) async fn remove(
        &self,
        channel: &Channel,
        key: &str,
        notice: &[u8],
    ) -> Result<bool, StoreError> {
        const SCRIPT: &str = "local removed = redis.call('HDEL', KEYS[1], ARGV[1]) \
            if removed == 1 then redis.call(ARGV[3], KEYS[1], ARGV[2]) end return removed";
        let verb = self.publishing.verb().as_bytes();
        let script = script(SCRIPT, channel, &[key.as_bytes(), notice, verb]);
        self.single(channel, Effect::Changes, script).await
    }

    /// Whether every master answers within `timeout`.
    pub(super) async fn ping(&self, timeout: Duration) -> Result<(), StoreError> {
        let nodes = Arc::clone(&self.nodes);
        self.bounded(timeout, async move {
            let topology = nodes.topology().await.map_err(StoreError::Unavailable)?;
            for master in topology.masters() {
                let mut line = nodes.borrow(master).await.map_err(|error| store_error(&error))?;
                line.query::<String>(&cmd("PING")).await.map_err(|error| store_error(&error))?;
            }
            Ok(())
        })
        .await
    }

    /// Sends one command.
    pub(super) async fn single<T: FromRedisValue + Send + 'static>(
        &self,
        channel: &Channel,
        effect: Effect,
        command: Cmd,
    ) -> Result<T, StoreError> {
        let command = Arc::new(command);
        let send = move |mut errand: Errand| {
            let command = Arc::clone(&command);
            async move { Ok(errand.query(&command).await?) }
        };
        self.run(channel, effect, send).await
    }

    /// Does `work` with a connection to the owner of `channel`, on the store's runtime, for `timeout` at most.
    pub(super) async fn run<T, F>(
        &self,
        channel: &Channel,
        effect: Effect,
        work: impl Fn(Errand) -> F + Send + Sync + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failed>> + Send + 'static,
    {
        let (nodes, channel) = (Arc::clone(&self.nodes), channel.clone());
        self.bounded(self.timeout, async move { errand::run(&nodes, &channel, effect, work).await }).await
    }

    /// Does `work` on the store's runtime, for `timeout` at most.
    async fn bounded<T: Send + 'static>(
        &self,
        timeout: Duration,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let outcome = match self.runtime.spawn(tokio::time::timeout(timeout, work)).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StoreError::Unavailable(format!("redis did not answer within {timeout:?}"))),
            Err(_) => Err(StoreError::Unavailable("the server is shutting down".to_owned())),
        };
        if outcome.is_err() {
            self.counters.add(Count::StoreCommandFailed);
        }
        outcome
    }
}

/// Divides messages by the slots of their channels, each part in its order.
fn by_slot(messages: Vec<(Channel, Bytes)>) -> Vec<Vec<(Channel, Bytes)>> {
    let mut parts = BTreeMap::<u16, Vec<(Channel, Bytes)>>::new();
    for message in messages {
        parts.entry(topology::slot(&message.0)).or_default().push(message);
    }
    parts.into_values().collect()
}

/// A command whose first argument is the hash, or the channel, of `channel`. Every argument is a bulk string.
fn command(verb: &str, channel: &Channel, arguments: &[&[u8]]) -> Cmd {
    let mut command = cmd(verb);
    command.arg(channel.as_str());
    for argument in arguments {
        command.arg(*argument);
    }
    command
}

/// A constant script, whose only key is `channel`.
fn script(text: &'static str, channel: &Channel, arguments: &[&[u8]]) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(text).arg(1).arg(channel.as_str());
    for argument in arguments {
        command.arg(*argument);
    }
    command
}

/// Names of keys that Redis goes through at once: it serves nobody else meanwhile, for well under a millisecond.
const NAMES_AT_ONCE: usize = 1000;
