//! A server of the test's own.

use std::{
    net::{SocketAddr, TcpListener},
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use geocast_server::{
    Builder, Count, Counters, Listeners, Metrics, Pulse, RedisSettings, Reload, Server, Settings, Store,
    StoreSettings, Timeouts,
};
use tokio::{net::TcpSocket, sync::oneshot, task::JoinHandle};

use crate::{
    client::Client,
    redis_server::RedisServer,
    waiting::{AGAIN, LONG, PATIENCE, until},
};

/// Which store a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Embedded,
    Redis,
}

/// A running server, and the Redis it may use.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) redis: Option<RedisServer>,
    pub(crate) reload: Reload,
    /// What is read when settings are read again.
    configured: Arc<Mutex<Settings>>,
    pub(crate) pulse: Pulse,
    pub(crate) metrics: Metrics,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl TestServer {
    pub(crate) async fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| ()).await
    }

    /// Starts a server whose settings are the defaults, with all channels allowed and with more [patience](patient), as changed
    /// by `adjust`.
    pub(crate) async fn start_with(backend: Backend, adjust: impl FnOnce(&mut Settings)) -> Self {
        let redis = match backend {
            Backend::Embedded => None,
            Backend::Redis => Some(RedisServer::start(&[])),
        };
        Self::start_on(redis, adjust).await
    }

    pub(crate) async fn start_on(redis: Option<RedisServer>, adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address"), redis, adjust).await
    }

    /// On a Redis of its own, of which it notices soon that it is deaf.
    pub(crate) async fn start_noticing_soon() -> Self {
        let redis = RedisServer::start(&[]);
        let mut noticing = patient_redis(&redis.url());
        noticing.probe_interval = Duration::from_millis(200);
        let server =
            Self::start_on(Some(redis), |settings| settings.store = StoreSettings::Redis(noticing)).await;
        server.wait_until_ready().await;
        server
    }

    async fn start_at(
        address: SocketAddr,
        redis: Option<RedisServer>,
        adjust: impl FnOnce(&mut Settings),
    ) -> Self {
        let listener = TcpListener::bind(address).expect("the port is free");
        Self::start_listening(listener, redis, adjust).await
    }

    pub(crate) async fn start_listening(
        listeners: impl Into<Listeners>,
        redis: Option<RedisServer>,
        adjust: impl FnOnce(&mut Settings),
    ) -> Self {
        Self::start_built(listeners, redis, adjust, |builder| builder).await
    }

    /// Starts a server with parts of the test's own.
    pub(crate) async fn start_built(
        listeners: impl Into<Listeners>,
        redis: Option<RedisServer>,
        adjust: impl FnOnce(&mut Settings),
        build: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let mut settings = Settings::default();
        settings.channels = Some("*".parse().expect("a pattern"));
        settings.workers = WORKERS;
        patient(&mut settings.timeouts);
        if let Some(redis) = &redis {
            settings.store = StoreSettings::Redis(patient_redis(&redis.url()));
        }
        adjust(&mut settings);
        let configured = Arc::new(Mutex::new(settings.clone()));
        let server = build(Server::builder(settings)).start(listeners).expect("the server starts");
        let source = Arc::clone(&configured);
        server.read_settings_from(move || Ok(source.lock().expect("nobody panics with it").clone()));
        let (stop, stopped) = oneshot::channel();
        let address =
            server.address().unwrap_or_else(|| "0.0.0.0:0".parse().expect("an address that nobody has"));
        let (reload, pulse, metrics) = (server.reload(), server.pulse(), server.metrics());
        let (store, counters) = (server.store(), server.counters());
        let running = tokio::spawn(async move {
            server.run(async { drop(stopped.await) }).await.expect("the server runs");
        });
        let stop = Some(stop);
        let server =
            Self { address, store, counters, redis, reload, configured, pulse, metrics, stop, running };
        if server.redis.is_some() {
            server.wait_until_ready().await;
        }
        server
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    pub(crate) async fn publish(&self, channel: &str, payload: impl Into<Bytes>) {
        let channel = channel.parse().expect("a channel");
        self.store.publish(&channel, payload.into()).await.expect("the store takes messages");
    }

    pub(crate) async fn put(&self, channel: &str, key: &str, value: impl Into<Bytes>) {
        let channel = channel.parse().expect("a channel");
        self.store.put(&channel, key, value.into()).await.expect("the store takes values");
    }

    /// A client that is subscribed to a channel, for certain.
    pub(crate) async fn subscriber(&self, channel: &str, before: &[&str]) -> Client {
        let mut client = self.client().await;
        for command in before {
            client.send(*command).await;
        }
        client.send(format!("SUB {channel}")).await;
        self.subscribed(&mut client, channel).await;
        client
    }

    /// Publishes until the subscription is in force, and takes everything that came of it.
    pub(crate) async fn subscribed(&self, client: &mut Client, channel: &str) {
        while client.next_within(AGAIN).await.is_none() {
            self.publish(channel, "\"are you there?\"").await;
        }
        self.publish(channel, "\"that is all\"").await;
        while client.next_content().await != "that is all" {}
    }

    /// Changes settings and has them read again. How much could not be read.
    pub(crate) fn reconfigure(&self, adjust: impl FnOnce(&mut Settings)) -> usize {
        adjust(&mut self.configured.lock().expect("nobody panics with it"));
        self.reload.run()
    }

    pub(crate) async fn wait_until_ready(&self) {
        until("the store to be ready", async || self.store.health().await).await;
    }

    pub(crate) fn count(&self, count: Count) -> u64 {
        self.counters.value(count)
    }

    /// Stops the server and waits until it has ended.
    pub(crate) async fn stop(mut self) -> Option<RedisServer> {
        drop(self.stop.take());
        self.running.await.expect("the server ends in order");
        self.redis.take()
    }

    /// Stops the server for a while.
    pub(crate) async fn interrupt(self) -> Interruption {
        let address = self.address;
        let redis = self.stop().await;
        let port = TcpSocket::new_v4().expect("there are sockets");
        port.set_reuseaddr(true).expect("it is not bound yet");
        port.bind(address).expect("nobody took the port since the server ended");
        Interruption { address, redis, _port: port }
    }
}

/// A server that is away and will come back at its address.
pub(crate) struct Interruption {
    address: SocketAddr,
    redis: Option<RedisServer>,
    /// Bound, so that the port is not given to another test, but not listening.
    _port: TcpSocket,
}

impl Interruption {
    /// Starts a new server there, with the same Redis and other settings. What an embedded store held is gone.
    pub(crate) async fn end(self, adjust: impl FnOnce(&mut Settings)) -> TestServer {
        TestServer::start_at(self.address, self.redis, adjust).await
    }
}

/// How many workers there are, whatever the machine has: so that what crosses from one to another is tested everywhere.
const WORKERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// Settings by which Redis is away only when it is.
pub(crate) fn patient_redis(url: &str) -> RedisSettings {
    let mut settings = RedisSettings::new(url.parse().expect("a URL"));
    settings.connect_timeout = PATIENCE;
    settings.command_timeout = PATIENCE;
    settings.probe_interval = LONG;
    settings
}

/// What is there for clients that are gone is not to strike those that wait for their share of a busy machine. A test of one of these
/// sets it. How long an end may take is left as it is: there are clients that never answer.
fn patient(timeouts: &mut Timeouts) {
    timeouts.header = LONG;
    timeouts.request = LONG;
    timeouts.ping = LONG;
    timeouts.pong = LONG;
    timeouts.write = LONG;
    timeouts.hold = LONG;
    timeouts.handler = LONG;
}
