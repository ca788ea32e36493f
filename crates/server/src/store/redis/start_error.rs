use thiserror::Error;
use tokio::runtime::TryCurrentError;

use crate::TlsError;

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
    /// Channels of a cluster are to have a history, whose streams would be with several nodes.
    #[error(
        "channels of a redis cluster have no history: leave out `history`, or use a redis that is no cluster"
    )]
    HistoryInCluster,
    /// What is published is to stay in its shard, and there are none.
    #[error(
        "only a redis cluster has shards to publish in: leave out `redis_publish`, or use redis+cluster://"
    )]
    ShardsWithoutCluster,
}
