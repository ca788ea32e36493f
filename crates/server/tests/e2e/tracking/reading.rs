//! How the state is come by: slowly, again and again, or not at all.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use geocast_server::{Broker, Channel, EmbeddedStore, HistoryPosition, RedisStore, Store, StoreError};
use serde_json::json;
use tokio::sync::Semaphore;

use super::follower::{Follower, point};
use crate::{
    redis_server::RedisServer,
    server::{TestServer, patient_redis},
    waiting::until,
};

/// A store whose state is handed out when the test says so, as it was when it was asked for.
struct Gated {
    inner: Box<dyn Store>,
    gate: Arc<Gate>,
}

struct Gate {
    open: Semaphore,
    reads: AtomicU32,
    /// The answer in place of the state.
    fault: Mutex<Option<&'static str>>,
}

impl fmt::Debug for Gated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl Store for Gated {
    fn description(&self) -> String {
        self.inner.description()
    }

    async fn value(&self, channel: &Channel, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.inner.value(channel, key).await
    }

    async fn values(&self, channel: &Channel) -> Result<Vec<Bytes>, StoreError> {
        let values = self.inner.values(channel).await;
        self.gate.reads.fetch_add(1, Ordering::SeqCst);
        self.gate.open.acquire().await.expect("it is never closed").forget();
        match *self.gate.fault.lock().expect("nobody panics") {
            Some(fault) => Err(StoreError::Unavailable(fault.to_owned())),
            None => values,
        }
    }

    async fn publish(
        &self,
        channel: &Channel,
        payload: Bytes,
    ) -> Result<Option<HistoryPosition>, StoreError> {
        self.inner.publish(channel, payload).await
    }

    async fn publish_all(&self, messages: Vec<(Channel, Bytes)>) -> Result<(), StoreError> {
        self.inner.publish_all(messages).await
    }

    async fn put(
        &self,
        channel: &Channel,
        key: &str,
        value: Bytes,
    ) -> Result<Option<HistoryPosition>, StoreError> {
        self.inner.put(channel, key, value).await
    }

    async fn remove(&self, channel: &Channel, key: &str, notice: Bytes) -> Result<bool, StoreError> {
        self.inner.remove(channel, key, notice).await
    }

    fn subscribe(&self, channel: &Channel) -> BoxFuture<'static, Result<(), StoreError>> {
        self.inner.subscribe(channel)
    }

    fn unsubscribe(&self, channel: &Channel) {
        self.inner.unsubscribe(channel);
    }

    async fn settle(&self) {
        self.inner.settle().await;
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.inner.health().await
    }
}

impl Gate {
    /// Lets one more read end.
    fn pass(&self) {
        self.open.add_permits(1);
    }

    async fn reads(&self, number: u32) {
        until("reads to begin", async || match self.reads.load(Ordering::SeqCst) {
            begun if begun >= number => Ok(()),
            begun => Err(format!("{begun} of {number}")),
        })
        .await;
    }
}

async fn start(make: impl FnOnce(Arc<Broker>) -> Box<dyn Store> + Send + 'static) -> (TestServer, Arc<Gate>) {
    let gate = Arc::new(Gate { open: Semaphore::new(0), reads: AtomicU32::new(0), fault: Mutex::default() });
    let its = Arc::clone(&gate);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let server = TestServer::start_built(
        listener,
        None,
        |_| (),
        |builder| builder.store(move |broker| Arc::new(Gated { inner: make(broker), gate: its })),
    )
    .await;
    (server, gate)
}

fn embedded(broker: Arc<Broker>) -> Box<dyn Store> {
    Box::new(EmbeddedStore::new(broker, 1 << 20))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_state_that_was_read_for_an_earlier_subscription_comes_after_a_newer_one() {
    let (server, gate) = start(embedded).await;
    let mut client = server.client().await;
    // What is read for the first one arrives in the time of the second.
    client.send("SUB map track").await;
    gate.reads(1).await;
    client.send("DEL map").await;
    client.settled().await;
    client.send("SUB map track").await;
    client.settled().await;
    server.put("map", "a", point("a", 2.0, 5.0)).await;
    gate.pass();
    gate.reads(2).await;
    server.put("map", "a", point("a", 3.0, 5.0)).await;
    // Some time for what is not to be told.
    client.settled().await;
    gate.pass();
    let x = async |client: &mut crate::client::Client| {
        let content = client.next_content().await;
        (content["change"].clone(), content["feature"]["geometry"]["coordinates"][0].clone())
    };
    assert_eq!(x(&mut client).await, (json!("enter"), json!(3.0)));
    server.put("map", "a", point("a", 4.0, 5.0)).await;
    assert_eq!(x(&mut client).await, (json!("update"), json!(4.0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_while_the_state_was_read_does_not_bring_back_the_past() {
    let redis = RedisServer::start(&[]);
    let mut settings = patient_redis(&redis.url());
    settings.probe_interval = Duration::from_millis(200);
    let (server, gate) =
        start(move |broker| Box::new(RedisStore::start(settings, broker).expect("there is a runtime"))).await;
    server.wait_until_ready().await;
    let mut client = server.client().await;
    client.send("SUB map track").await;
    gate.reads(1).await;
    redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.wait_until_ready().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.put("map", "a", point("a", 2.0, 5.0)).await;
    gate.pass();
    gate.reads(2).await;
    server.put("map", "a", point("a", 3.0, 5.0)).await;
    gate.pass();
    let mut last = json!(null);
    while last != 3.0 {
        last = client.next_content().await["feature"]["geometry"]["coordinates"][0].take();
    }
    // Nor does any other read bring it back.
    client.expect_nothing(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_cannot_be_read_is_tried_by_one_and_less_and_less_often() {
    let (server, gate) = start(embedded).await;
    *gate.fault.lock().expect("nobody panics") = Some("not today");
    gate.open.add_permits(1_000);
    let mut client = server.client().await;
    for _ in 0..8 {
        client.send("SUB map track").await;
        client.settled().await;
        client.send("DEL map").await;
        client.settled().await;
    }
    server.put("map", "a", point("a", 2.0, 5.0)).await;
    client.send("SUB map track").await;
    client.settled().await;
    let (before, begun) = (gate.reads.load(Ordering::SeqCst), Instant::now());
    tokio::time::sleep(Duration::from_millis(3_200)).await;
    gate.reads(before + 2).await;
    let tries = gate.reads.load(Ordering::SeqCst) - before;
    // Four in three seconds, and no more than one in each that it took longer.
    let most = 1 + begun.elapsed().as_secs();
    assert!(u64::from(tries) <= most, "{tries} reads in {:?}", begun.elapsed());
    *gate.fault.lock().expect("nobody panics") = None;
    let content = client.next_content().await;
    assert_eq!((&content["change"], &content["key"]), (&json!("enter"), &json!("a")));
    // Whoever comes then need not wait.
    assert_eq!(Follower::start(&server, None).await.keys(), ["a"]);
}
