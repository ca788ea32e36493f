use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use geocast_geo_filter::{Catalogue, CatalogueError, TransformError};
use geocast_protocol::Crs;
use thiserror::Error;
use tokio::{
    runtime::{Handle, TryCurrentError},
    sync::mpsc::UnboundedSender,
    task::JoinSet,
};

use crate::{
    Access, Broker, Builder, Counters, DataError, KeyError, ListenAddress, Listener, Listeners, Metrics,
    PathProjection, Prepared, Pulse, Reload, ReloadError, Settings, Store, StoreSettings, Tls,
    accept::accept,
    access::{Exposure, OwnScheme},
    builder::{Parts, StoreMaker},
    endpoint::Endpoints,
    handler::{Handlers, HandlersError},
    http::{self, MetricsPlace, Readable},
    intake::{Intake, IntakeError},
    node::Node,
    operator::Desk,
    pipeline::Consumer,
    presence::{Keeper, Presence},
    renewal::{Renewal, note_tls},
    runtime::{Working, select},
    store::{EmbeddedStore, RedisStartError, RedisStore},
    transport::Accepting,
    worker::{self, WorkerMessage},
};

/// A gateway: bound to its listeners, ready to [`run`](Self::run).
#[derive(Debug)]
pub struct Server {
    node: Arc<Node>,
    listeners: Vec<Listener>,
    addresses: Vec<ListenAddress>,
    reload: Reload,
    renewal: Arc<Renewal>,
    workers: Vec<UnboundedSender<WorkerMessage>>,
    working: Vec<Working>,
    /// Ends with the server.
    consumer: Option<Consumer>,
    /// Ends with the server.
    keeper: Option<Keeper>,
    metrics: Metrics,
    /// Where they are read, if that is a port of their own.
    metrics_listener: Option<TcpListener>,
}

/// Why a server could not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The listener or a thread could not be set up.
    #[error("the system refused: {0}")]
    Io(#[from] io::Error),
    /// PROJ's database could not be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The keys of tokens could not be read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// State cannot be kept in the folder that is to keep it.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The Redis store could not be set up. That Redis is away is no reason.
    #[error(transparent)]
    Redis(#[from] RedisStartError),
    /// A path is to be served in a coordinate system that PROJ's database does not know.
    #[error("coordinate reference system `{0}` of a path is not known here")]
    UnknownCrs(Crs),
    /// The payloads of a channel are to come in a coordinate system that PROJ's database does not know.
    #[error("coordinate reference system `{0}` of a channel is not known here")]
    UnknownChannelCrs(Crs),
    /// The payloads of a channel are to come in a coordinate system that there is no way from.
    #[error(transparent)]
    ChannelCrs(TransformError),
    /// There is no tokio runtime to run on.
    #[error("the server needs a tokio runtime")]
    Runtime(#[from] TryCurrentError),
    /// The request handlers exclude each other.
    #[error(transparent)]
    Handlers(#[from] HandlersError),
    /// There are too many workers.
    #[error("{0} workers are more than the {max} there can be", max = Broker::MAX_WORKERS)]
    TooManyWorkers(usize),
}

impl From<IntakeError> for StartError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Unknown(crs) => Self::UnknownChannelCrs(crs),
            IntakeError::Transform(error) => Self::ChannelCrs(error),
        }
    }
}

impl Server {
    /// Sets everything up and starts the workers, but accepts nobody yet. Must be called within a tokio runtime, on
    /// which the store and the accepting of connections run.
    ///
    /// # Errors
    /// [`StartError`]; a store that cannot be reached is none, it is waited for.
    pub fn start(listeners: impl Into<Listeners>, settings: Settings) -> Result<Self, StartError> {
        Self::builder(settings).start(listeners)
    }

    /// For programs that bring parts of their own: commands, dialects, a store, an access policy.
    pub fn builder(settings: Settings) -> Builder {
        Builder::new(settings)
    }

    pub(crate) fn start_with(
        listeners: Listeners,
        settings: Settings,
        parts: Parts,
    ) -> Result<Self, StartError> {
        let listeners = listeners.into_vec();
        listeners.iter().try_for_each(Listener::prepare)?;
        let addresses = listeners.iter().map(Listener::address).collect::<io::Result<Vec<_>>>()?;
        let exposure = if addresses.iter().all(ListenAddress::is_local) {
            Exposure::Loopback
        } else {
            Exposure::Network
        };
        let count = settings.workers.get();
        if count + usize::from(!settings.filters.is_empty()) > Broker::MAX_WORKERS {
            return Err(StartError::TooManyWorkers(count));
        }
        let mut settings = settings;
        let redis = note_tls(&mut settings).map_err(RedisStartError::Tls)?;
        let settings = Arc::new(settings);
        let counters = Arc::new(Counters::default());
        let limits = &settings.limits;
        let catalogue = Arc::new(Catalogue::load()?);
        let intake = Intake::new(limits.payload(), &settings.channel_crs, settings.axis_order, &catalogue)?;
        let broker = Arc::new(Broker::new(intake, limits.in_flight, counters));
        let (most, limit) = (limits.handled, settings.timeouts.handler);
        let handlers = Handlers::new(&settings.request_handlers, most, limit, Handle::try_current()?)?;
        let endpoints = Endpoints::new(&settings, parts.dialects, parts.commands, handlers);
        let kept = |store: EmbeddedStore| {
            store.watching(settings.watch.clone()).keeping(settings.history.clone(), limits.history)
        };
        let mut presence_log = None;
        let store: Arc<dyn Store> = match (parts.store, &settings.store) {
            (Some(StoreMaker(make)), _) => make(Arc::clone(&broker)),
            (None, StoreSettings::Embedded) => {
                let store = EmbeddedStore::new(Arc::clone(&broker), limits.embedded_state);
                Arc::new(kept(store))
            }
            (None, StoreSettings::Kept(data)) => {
                let store = EmbeddedStore::open(Arc::clone(&broker), limits.embedded_state, data.clone())?;
                Arc::new(kept(store))
            }
            (None, StoreSettings::Redis(redis)) => {
                let (watch, history) = (settings.watch.clone(), settings.history.clone());
                let store = RedisStore::start_watching(redis.clone(), Arc::clone(&broker), watch, history)?;
                presence_log = Some(store.presence());
                Arc::new(store)
            }
        };
        let is_plain = |listener: &Listener| listener.certificate().is_none();
        let own_scheme = if listeners.iter().any(is_plain) { OwnScheme::Any } else { OwnScheme::Https };
        let access = Access::new(&settings, exposure)
            .asking(parts.policy)
            .reached_by(own_scheme)
            .counting(Arc::clone(broker.counters()));
        let access = Arc::new(access);
        access.replace(access.prepare(&settings)?);
        let mut systems = settings.path_projections.iter().map(PathProjection::crs);
        if let Some(unknown) = systems.find(|crs| catalogue.crs(crs.code()).is_none()) {
            return Err(StartError::UnknownCrs(unknown));
        }
        let reload = Reload::default();
        let presence = Presence::new(&settings, presence_log.is_some());
        let (shared, present) = (Arc::clone(&broker), presence.clone());
        let node = Node::new(settings, access, endpoints, catalogue, shared, store, present);
        let node = Arc::new(node.telling_of(reload.watched()).showing(parts.site));
        let metrics = Metrics::new(Arc::clone(&node), shown_certificates(&listeners, &addresses));
        if let Some(listener) = &parts.metrics {
            listener.set_nonblocking(true)?;
        }
        let readable = parts.metrics.is_none().then(|| Readable {
            node: Arc::clone(&node),
            metrics: metrics.clone(),
            place: MetricsPlace::Clients,
        });
        let desk = Desk::new(Arc::clone(&node), parts.troubles);
        let router = http::router(Arc::clone(&node), readable, desk);
        let (mut workers, mut working) = (Vec::new(), Vec::new());
        for index in 0..count {
            let (inbox, messages) = worker::inbox();
            working.push(worker::spawn(index, Arc::clone(&node), messages, router.clone())?);
            workers.push(inbox);
        }
        let consumer = Consumer::start(&node, count)?;
        broker.attach(workers.iter().cloned().chain(consumer.as_ref().map(Consumer::inbox)).collect());
        let renewal = Arc::new(Renewal::new(&node, redis));
        certificates(&reload, &listeners, &addresses);
        let renewing = Arc::clone(&renewal);
        reload.add("settings, keys and scripts", move || renewing.prepare());
        let judging = workers.clone();
        reload.afterwards(move || {
            for worker in &judging {
                // A worker that has ended has nobody to judge.
                let _ended: Result<(), _> = worker.send(WorkerMessage::Judge);
            }
        });
        let keeper = presence.map(|presence| Keeper::start(presence, broker, presence_log));
        let metrics_listener = parts.metrics;
        Ok(Self {
            node,
            listeners,
            addresses,
            reload,
            renewal,
            workers,
            working,
            consumer,
            keeper,
            metrics,
            metrics_listener,
        })
    }

    /// Where the server listens, in the order of its listeners.
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    /// Address and port of the first listener that has them; with port 0, this is how the port becomes known.
    pub fn address(&self) -> Option<SocketAddr> {
        self.addresses.iter().find_map(ListenAddress::socket_address)
    }

    /// What can be read again while the server runs: the certificates of its listeners; the keys of tokens and the scripts that
    /// its settings name; the settings themselves, if it is known [from where](Self::read_settings_from); and what is added to
    /// it. When all has been taken up, everybody who is connected is judged by it.
    pub fn reload(&self) -> Reload {
        self.reload.clone()
    }

    /// Has settings be read by `read` when everything is read [again](Self::reload). These are taken up: `channels`,
    /// `publish_key`, `operator_token`, `tokens`, `origins`, `trusted_proxies`; of `limits`, those on who is let in and those on one client;
    /// and `tls` of Redis. The last two count for connections that are made from then on. All others stay as they were at the start.
    pub fn read_settings_from(
        &self,
        read: impl Fn() -> Result<Settings, ReloadError> + Send + Sync + 'static,
    ) {
        self.read_settings_and_more_from(move || Ok((read()?, Prepared::nothing())));
    }

    /// The same, where something else is read with them: it is taken up when they are, or not at all.
    pub fn read_settings_and_more_from(
        &self,
        read: impl Fn() -> Result<(Settings, Prepared), ReloadError> + Send + Sync + 'static,
    ) {
        self.renewal.read_from(read);
    }

    /// Whether its workers live, for a watchdog.
    pub fn pulse(&self) -> Pulse {
        let consumer = self.consumer.as_ref().map(Consumer::inbox);
        Pulse::new(self.workers.iter().cloned().chain(consumer).collect())
    }

    /// The store, for publishers in this process.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.node.store)
    }

    /// What has been counted.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.node.counters)
    }

    /// What the server tells of itself, for programs that show it in a way of their own.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Address and port at which [metrics](Builder::metrics) are read, if they have one of their own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_listener.as_ref()?.local_addr().ok()
    }

    /// What to tell an operator whose settings let nobody in.
    pub fn advice(&self) -> Option<&'static str> {
        self.node.access.advice()
    }

    /// Accepts and serves until `shutdown` ends, and for [a while](crate::Timeouts::drain_delay) longer if a balancer is to notice that;
    /// then closes all connections and returns when they are closed or the time for that is over.
    ///
    /// # Errors
    /// The listener is broken, or state could not be kept at the end.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let listeners =
            self.listeners.into_iter().map(Listener::open).collect::<io::Result<Vec<Accepting>>>()?;
        // Ends when this does: until then it can be seen how connections are closed.
        let mut aside = JoinSet::new();
        if let Some(listener) = self.metrics_listener {
            let (node, metrics) = (Arc::clone(&self.node), self.metrics);
            let readable = Readable { node, metrics, place: MetricsPlace::OwnPort };
            aside.spawn(http::serve_metrics(listener, readable));
        }
        let node = Arc::clone(&self.node);
        let stopping = async move {
            shutdown.await;
            let delay = node.leave();
            if !delay.is_zero() {
                tracing::info!(
                    event = "not_ready",
                    ?delay,
                    "not ready any more; connections are closed in {delay:?}, for which those who ask have time to notice"
                );
                tokio::time::sleep(delay).await;
            }
        };
        select! {
            () = stopping => {}
            () = accept(&self.node, &listeners, &self.workers) => {}
        }
        drop(listeners);
        self.node.drain();
        let (connections, spread) = (self.node.connections(), self.node.close_spread());
        tracing::info!(event = "connections_closing", connections, ?spread, "closing connections");
        for worker in &self.workers {
            // A worker whose thread has ended has nothing left to close.
            let _ended: Result<(), _> = worker.send(WorkerMessage::Drain(spread));
        }
        Working::ended(self.working).await?;
        if let Some(keeper) = self.keeper {
            keeper.stop().await;
        }
        self.node.store.flush().await.map_err(io::Error::other)
    }
}

/// Adds the certificates that can be read again.
fn certificates(reload: &Reload, listeners: &[Listener], addresses: &[ListenAddress]) {
    for (listener, address) in listeners.iter().zip(addresses) {
        if let Some(tls) = listener.certificate().filter(|tls| tls.has_files()).cloned() {
            let name = format!("certificate and key of {address}");
            reload.add(name, move || Ok(Prepared::new(tls.prepare()?)));
        }
    }
}

/// The certificates of listeners, and where they are shown.
fn shown_certificates(listeners: &[Listener], addresses: &[ListenAddress]) -> Vec<(String, Tls)> {
    let shown = listeners.iter().zip(addresses);
    shown
        .filter_map(|(listener, address)| Some((address.to_string(), listener.certificate()?.clone())))
        .collect()
}
