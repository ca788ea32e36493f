use std::{future::Future, time::Duration};

use bytes::Bytes;
use deadpool_redis::{
    Connection, Manager, Pool, PoolError, Runtime,
    redis::{
        AsyncConnectionConfig, Cmd, ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo,
        RedisConnectionInfo, RedisError, ServerErrorKind, cmd, pipe,
    },
};
use geocast_protocol::Channel;
use tokio::runtime::Handle;

use super::{RedisSettings, RedisStartError, scan::Scan, url::Endpoint};
use crate::{store::StoreError, watch::Fields};

/// Reading and writing, through a pool of connections.
///
/// Everything runs on the runtime of the store, since a connection belongs to the runtime that made it and callers come
/// from many. Every call has an end: after `command_timeout`, whatever it waits for.
#[derive(Debug, Clone)]
pub(super) struct Commands {
    pool: Pool,
    runtime: Handle,
    timeout: Duration,
    max_state: usize,
}

impl Commands {
    /// Makes the pool; connects to nothing.
    pub(super) fn new(settings: &RedisSettings, runtime: Handle) -> Result<Self, RedisStartError> {
        let url = &settings.url;
        let address = match &url.endpoint {
            Endpoint::Tcp { host, port } => ConnectionAddr::Tcp(host.clone(), *port),
            Endpoint::Unix(path) => ConnectionAddr::Unix(path.clone()),
        };
        let mut identity =
            RedisConnectionInfo::default().set_db(i64::from(url.database)).set_skip_set_lib_name();
        if let Some(credentials) = &url.credentials {
            identity = identity.set_password(&credentials.password);
            if let Some(user) = &credentials.user {
                identity = identity.set_username(user);
            }
        }
        let info = address.into_connection_info()?.set_redis_settings(identity);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            .set_response_timeout(Some(settings.command_timeout));
        let pool = Pool::builder(Manager::new_with_config(info, config)?)
            .max_size(settings.pool_size.get())
            .wait_timeout(Some(settings.command_timeout))
            .create_timeout(Some(settings.connect_timeout))
            .recycle_timeout(Some(settings.connect_timeout))
            .runtime(Runtime::Tokio1)
            .build()?;
        Ok(Self { pool, runtime, timeout: settings.command_timeout, max_state: settings.max_state })
    }

    /// One value, if it is within the bound.
    pub(super) async fn value(&self, channel: &Channel, key: &str) -> Result<Option<Bytes>, StoreError> {
        let ask = |verb| command(verb, channel, &[key.as_bytes()]);
        let (length, value) = (ask("HSTRLEN"), ask("HGET"));
        let (pool, limit, label) = (self.pool.clone(), self.max_state, format!("{channel} {key}"));
        self.run(self.timeout, async move {
            let mut connection = connection(&pool).await?;
            // Asked first, because a value that is on its way has to be taken in whole.
            let length: usize = query(&mut connection, &length).await?;
            if length > limit {
                return Err(StoreError::Full(format!("{label:?} has {length} bytes, more than {limit}")));
            }
            let value: Option<Vec<u8>> = query(&mut connection, &value).await?;
            Ok(value.map(Bytes::from))
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

    /// Some names of hashes, of all that there are, and the cursor for the next: zero at the end.
    pub(super) async fn hashes(&self, cursor: u64) -> Result<(u64, Vec<Vec<u8>>), StoreError> {
        let mut command = cmd("SCAN");
        command.arg(cursor).arg("COUNT").arg(NAMES_AT_ONCE).arg("TYPE").arg("hash");
        self.single(self.timeout, command).await
    }

    /// What Redis is set to tell of writes.
    pub(super) async fn notifications(&self) -> Result<String, StoreError> {
        let mut command = cmd("CONFIG");
        command.arg("GET").arg("notify-keyspace-events");
        let found: (String, String) = self.single(self.timeout, command).await?;
        Ok(found.1)
    }

    async fn scan(&self, channel: &Channel) -> Result<Scan, StoreError> {
        let (pool, channel, limit) = (self.pool.clone(), channel.clone(), self.max_state);
        self.run(self.timeout, async move {
            let mut connection = connection(&pool).await?;
            let mut scan = Scan::new(limit);
            while let Some((cursor, count)) = scan.next() {
                let mut command = command("HSCAN", &channel, &[cursor.to_string().as_bytes()]);
                command.arg("COUNT").arg(count);
                let (cursor, batch): (u64, Vec<Vec<u8>>) = query(&mut connection, &command).await?;
                if !scan.take(cursor, batch) {
                    return Err(StoreError::Full(format!(
                        "the state of {channel} has more than {limit} bytes"
                    )));
                }
            }
            Ok(scan)
        })
        .await
    }

    /// Sends a message.
    pub(super) async fn publish(&self, channel: &Channel, payload: &[u8]) -> Result<(), StoreError> {
        self.single::<u64>(self.timeout, command("PUBLISH", channel, &[payload])).await.map(drop)
    }

    /// Sends messages in one transaction. PUBLISH cannot fail once it is queued, so either all are sent or none.
    pub(super) async fn publish_all(&self, messages: Vec<(Channel, Bytes)>) -> Result<(), StoreError> {
        if messages.is_empty() {
            return Ok(());
        }
        let pool = self.pool.clone();
        let work = async move {
            let mut transaction = pipe();
            transaction.atomic();
            for (channel, payload) in &messages {
                transaction.add_command(command("PUBLISH", channel, &[payload]));
            }
            let mut connection = connection(&pool).await?;
            let sent: Result<Vec<u64>, RedisError> = transaction.query_async(&mut connection).await;
            sent.map(drop).map_err(|error| from_redis(&error))
        };
        self.run(self.timeout, work).await
    }

    /// Sets a value and publishes it.
    ///
    /// A script and not MULTI/EXEC: a transaction whose HSET fails, because the key is of another type, publishes
    /// nevertheless. A script stops at the first error.
    pub(super) async fn put(&self, channel: &Channel, key: &str, value: &[u8]) -> Result<(), StoreError> {
        const SCRIPT: &str =
            "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) redis.call('PUBLISH', KEYS[1], ARGV[2])";
        self.single(self.timeout, script(SCRIPT, channel, &[key.as_bytes(), value])).await
    }

    /// Removes a value, and publishes `notice` if there was one. As a script, because the second depends on the first.
    pub(super) async fn remove(
        &self,
        channel: &Channel,
        key: &str,
        notice: &[u8],
    ) -> Result<bool, StoreError> {
        const SCRIPT: &str = "local removed = redis.call('HDEL', KEYS[1], ARGV[1]) \
            if removed == 1 then redis.call('PUBLISH', KEYS[1], ARGV[2]) end return removed";
        self.single(self.timeout, script(SCRIPT, channel, &[key.as_bytes(), notice])).await
    }

    /// Whether Redis answers within `timeout`.
    pub(super) async fn ping(&self, timeout: Duration) -> Result<(), StoreError> {
        self.single::<String>(timeout, cmd("PING")).await.map(drop)
    }

    /// Sends one command.
    async fn single<T: FromRedisValue + Send + 'static>(
        &self,
        timeout: Duration,
        command: Cmd,
    ) -> Result<T, StoreError> {
        let pool = self.pool.clone();
        self.run(timeout, async move { query(&mut connection(&pool).await?, &command).await }).await
    }

    /// Does `work` on the store's runtime, for `timeout` at most.
    async fn run<T: Send + 'static>(
        &self,
        timeout: Duration,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.runtime.spawn(tokio::time::timeout(timeout, work)).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StoreError::Unavailable(format!("redis did not answer within {timeout:?}"))),
            Err(_) => Err(StoreError::Unavailable("the server is shutting down".to_owned())),
        }
    }
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

async fn connection(pool: &Pool) -> Result<Connection, StoreError> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => from_redis(&error),
        error => StoreError::Unavailable(error.to_string()),
    })
}

async fn query<T: FromRedisValue>(connection: &mut Connection, command: &Cmd) -> Result<T, StoreError> {
    command.query_async(connection).await.map_err(|error| from_redis(&error))
}

/// What an error of Redis means for one who asked the store.
fn from_redis(error: &RedisError) -> StoreError {
    let unavailable = error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::TryAgain
            )
        );
    match error.code() {
        _ if unavailable => StoreError::Unavailable(error.to_string()),
        Some("OOM") => StoreError::Full(error.to_string()),
        _ => StoreError::Refused(error.to_string()),
    }
}

/// Names of keys that Redis goes through at once: it serves nobody else meanwhile, for well under a millisecond.
const NAMES_AT_ONCE: usize = 1000;
