use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_redis::redis::{
    AsyncConnectionConfig, Cmd, FromRedisValue, Pipeline, RedisConnectionInfo, RedisError,
    aio::MultiplexedConnection, cmd,
};
use tokio::task::AbortHandle;

use super::{address::Address, dialer::Dialer, url::Credentials};

/// Opens the connections of one pool.
///
/// The manager of `deadpool-redis` connects by itself. Ours are made by the same [`Dialer`] as all others, so that TLS
/// means the same everywhere.
#[derive(Debug)]
pub(super) struct Opener {
    dialer: Dialer,
    address: Address,
    identity: Identity,
    role: Role,
    patience: Duration,
    pings: AtomicUsize,
}

/// As whom to speak, and to which database.
#[derive(Clone)]
pub(super) struct Identity(RedisConnectionInfo);

/// What a connection has to lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Whatever is there.
    Any,
    /// A master. A replica would refuse what is written, and lag behind with what is read.
    Master,
}

/// A connection for commands. What drives it ends with it, even if an answer is never to come.
#[derive(Debug)]
pub(super) struct Line {
    connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Opener {
    /// Every answer may take `patience`.
    pub(super) fn new(
        dialer: Dialer,
        address: Address,
        identity: Identity,
        role: Role,
        patience: Duration,
    ) -> Self {
        Self { dialer, address, identity, role, patience, pings: AtomicUsize::new(0) }
    }

    /// A connection that is in no pool.
    pub(super) async fn open(&self) -> Result<Line, RedisError> {
        let stream = self.dialer.dial(&self.address).await.map_err(io::Error::other)?;
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(self.patience));
        let setup = MultiplexedConnection::new_with_config(&self.identity.0, stream, config);
        let (connection, driver) = setup.await?;
        let driver = tokio::spawn(driver).abort_handle();
        Ok(Line { connection, driver })
    }

    /// Whether the one who was connected to is what it has to be.
    pub(super) async fn check_role(&self, line: &mut Line) -> Result<(), RedisError> {
        if self.role == Role::Any {
            return Ok(());
        }
        let role: Vec<deadpool_redis::redis::Value> = line.query(&cmd("ROLE")).await?;
        match role.first().map(String::from_redis_value_ref) {
            Some(Ok(role)) if role == "master" => Ok(()),
            Some(Ok(role)) => {
                Err(io::Error::other(format!("{} is a {role}, not the master", self.address)).into())
            }
            _ => Err(io::Error::other(format!("{} does not say what it is", self.address)).into()),
        }
    }
}

impl Identity {
    /// The user `default` without a password unless there are `credentials`.
    pub(super) fn new(credentials: Option<&Credentials>, database: u32) -> Self {
        let mut info = RedisConnectionInfo::default().set_db(i64::from(database)).set_skip_set_lib_name();
        if let Some(credentials) = credentials {
            info = info.set_password(&credentials.password);
            if let Some(user) = &credentials.user {
                info = info.set_username(user);
            }
        }
        Self(info)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Identity")
    }
}

impl Line {
    /// Sends a command, and waits for the answer.
    pub(super) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, RedisError> {
        command.query_async(&mut self.connection).await
    }

    /// Sends several commands at once, and waits for the answers.
    pub(super) async fn query_all<T: FromRedisValue>(
        &mut self,
        commands: &Pipeline,
    ) -> Result<T, RedisError> {
        commands.query_async(&mut self.connection).await
    }
}

/// Why this one cannot be spoken to, with its address.
pub(super) fn told(address: &Address, error: &RedisError) -> String {
    let (address, reason) = (address.to_string(), error.to_string());
    if reason.contains(&address) { reason } else { format!("{address}: {reason}") }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl managed::Manager for Opener {
    type Type = Line;
    type Error = RedisError;

    async fn create(&self) -> Result<Line, RedisError> {
        let mut line = self.open().await?;
        self.check_role(&mut line).await?;
        Ok(line)
    }

    /// Before a connection is used again, it has to answer.
    async fn recycle(&self, line: &mut Line, _: &Metrics) -> RecycleResult<RedisError> {
        let number = self.pings.fetch_add(1, Ordering::Relaxed).to_string();
        match line.query::<String>(cmd("PING").arg(&number)).await? {
            answer if answer == number => Ok(()),
            _ => Err(RecycleError::message("redis answered another PING")),
        }
    }
}
