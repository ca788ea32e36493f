use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use geocast_geo_filter::{Catalogue, CatalogueError};
use geocast_protocol::Crs;
use socket2::SockRef;
use thiserror::Error;
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    Access, Broker, Counters, PathProjection, Settings, Store, StoreSettings,
    accept::accept,
    access::Exposure,
    http,
    node::Node,
    store::{EmbeddedStore, RedisStartError, RedisStore},
    worker::{self, WorkerMessage},
};

/// A gateway: bound to a listener, ready to [`run`](Self::run).
#[derive(Debug)]
pub struct Server {
    node: Arc<Node>,
    listener: TcpListener,
    address: SocketAddr,
    workers: Vec<UnboundedSender<WorkerMessage>>,
    threads: Vec<JoinHandle<()>>,
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
    /// The Redis store could not be set up. That Redis is away is no reason.
    #[error(transparent)]
    Redis(#[from] RedisStartError),
    /// A path is to be served in a coordinate system that PROJ's database does not know.
    #[error("coordinate reference system `{0}` of a path is not known here")]
    UnknownCrs(Crs),
    /// There are too many workers.
    #[error("{0} workers are more than the {max} there can be", max = Broker::MAX_WORKERS)]
    TooManyWorkers(usize),
}

impl Server {
    /// Sets everything up and starts the workers, but accepts nobody yet. Must be called within a tokio runtime, on
    /// which the store and the accepting of connections run.
    ///
    /// # Errors
    /// [`StartError`]; a store that cannot be reached is none, it is waited for.
    pub fn start(listener: TcpListener, settings: Settings) -> Result<Self, StartError> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        // Accepted sockets inherit it. Frames are small and sent the moment they are due.
        SockRef::from(&listener).set_tcp_nodelay(true)?;
        let count = settings.workers.get();
        if count > Broker::MAX_WORKERS {
            return Err(StartError::TooManyWorkers(count));
        }
        let settings = Arc::new(settings);
        let counters = Arc::new(Counters::default());
        let limits = &settings.limits;
        let broker = Arc::new(Broker::new(limits.payload(), limits.in_flight, Arc::clone(&counters)));
        let store: Arc<dyn Store> = match &settings.store {
            StoreSettings::Embedded => {
                Arc::new(EmbeddedStore::new(Arc::clone(&broker), limits.embedded_state))
            }
            StoreSettings::Redis(redis) => Arc::new(RedisStore::start(redis.clone(), Arc::clone(&broker))?),
        };
        let access = Arc::new(Access::new(&settings, Exposure::from(address.ip())));
        let catalogue = Arc::new(Catalogue::load()?);
        let mut systems = settings.path_projections.iter().map(PathProjection::crs);
        if let Some(unknown) = systems.find(|crs| catalogue.crs(crs.code()).is_none()) {
            return Err(StartError::UnknownCrs(unknown));
        }
        let node = Arc::new(Node::new(settings, access, catalogue, Arc::clone(&broker), store, counters));
        let router = http::router(Arc::clone(&node));
        let (mut workers, mut threads) = (Vec::new(), Vec::new());
        for index in 0..count {
            let (inbox, messages) = worker::inbox();
            threads.push(worker::spawn(index, Arc::clone(&node), messages, router.clone())?);
            workers.push(inbox);
        }
        broker.attach(workers.clone());
        Ok(Self { node, listener, address, workers, threads })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The store, for publishers in this process.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.node.store)
    }

    /// What has been counted.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.node.counters)
    }

    /// What to tell an operator whose settings let nobody in.
    pub fn advice(&self) -> Option<&'static str> {
        self.node.access.advice()
    }

    /// Accepts and serves until `shutdown` ends; then closes all connections and returns when they are closed or the
    /// time for that is over.
    ///
    /// # Errors
    /// The listener is broken.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        tokio::select! {
            () = shutdown => {}
            () = accept(&listener, &self.workers) => {}
        }
        drop(listener);
        self.node.drain();
        let spread = drain_spread(&self.node);
        for worker in &self.workers {
            // A worker whose thread has ended has nothing left to close.
            let _ended: Result<(), _> = worker.send(WorkerMessage::Drain(spread));
        }
        let threads = self.threads;
        tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())))
            .await
            .map_err(io::Error::other)
    }
}

/// Closes are spread so that clients do not all connect elsewhere at once; a few clients need no spreading.
fn drain_spread(node: &Node) -> Duration {
    let connections = u32::try_from(node.connections()).unwrap_or(u32::MAX);
    (CLOSE_INTERVAL * connections.min(1_000_000)).min(node.settings.timeouts.drain_spread)
}

/// Time between two closes of a stopping server, if there are few enough connections.
const CLOSE_INTERVAL: Duration = Duration::from_millis(1);
