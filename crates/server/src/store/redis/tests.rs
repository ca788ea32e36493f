//! Against a `redis-server` of each test's own. The same store behind the whole server is tested in `tests/e2e`.

use std::time::Duration;

use bytes::Bytes;
use geocast_protocol::Channel;
use tokio::time::{Instant, sleep, timeout};

use super::{RedisSettings, RedisStore};
use crate::store::{Store, StoreError};

#[path = "../../../tests/e2e/certificates.rs"]
mod certificates;
mod clusters;
mod commands;
mod delivery;
mod inbox;
mod late_notices;
mod outages;
#[path = "../../../tests/e2e/redis_cluster.rs"]
mod redis_cluster;
#[path = "../../../tests/e2e/redis_sentinels.rs"]
mod redis_sentinels;
#[path = "../../../tests/e2e/redis_server.rs"]
mod redis_server;
mod returning;
mod rights;
mod secure;
mod sentinels;
mod shard_rights;
mod shards;
mod watching;

use inbox::Inbox;
use redis_server::RedisServer;

/// The longest a test waits for what must come, on a machine that may be many times slower than ours and have much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings by which Redis is not away as long as it is there.
fn settings(url: &str) -> RedisSettings {
    let mut settings = RedisSettings::new(url.parse().unwrap());
    settings.connect_timeout = Duration::from_secs(10);
    settings.command_timeout = Duration::from_secs(10);
    settings
}

fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

/// Waits until the store is healthy, and returns how long that took.
async fn healthy(store: &RedisStore) -> Duration {
    let begin = Instant::now();
    let healthy = async {
        while store.health().await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    if timeout(PATIENCE, healthy).await.is_err() {
        panic!("not healthy for {PATIENCE:?}: {:?}", store.health().await);
    }
    begin.elapsed()
}

/// A Redis, a healthy store on it, and what the store delivers of `channels`, which are subscribed.
async fn subscribed(channels: &[&str]) -> (RedisServer, RedisStore, Inbox) {
    let redis = RedisServer::start(&[]);
    let (store, inbox) = subscribed_to(settings(&redis.url()), channels).await;
    (redis, store, inbox)
}

async fn subscribed_to(settings: RedisSettings, channels: &[&str]) -> (RedisStore, Inbox) {
    let channels: Vec<Channel> = channels.iter().map(|name| channel(name)).collect();
    let inbox = Inbox::new(&channels, 64 * 1024 * 1024);
    let store = RedisStore::start(settings, inbox.broker()).unwrap();
    for channel in &channels {
        store.subscribe(channel).await.unwrap();
    }
    healthy(&store).await;
    (store, inbox)
}

fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable(_)))
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
