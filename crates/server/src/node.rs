use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use geocast_geo_filter::{Catalogue, KnownCrs, Transform, TransformError, Transforms};
use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::Semaphore};

use crate::{
    Access, Broker, Count, Counters, Limits, Settings, Site, Store,
    access::Identity,
    admission::{AddressSeat, Budget, Door},
    clock,
    endpoint::Endpoints,
    metrics::{Dialects, Histogram},
    presence::Presence,
    reading::Readings,
    reload::LastReload,
    runtime,
    session::Rules,
    state_room::StateRoom,
};

/// What all workers of a server share.
#[derive(Debug)]
pub(crate) struct Node {
    /// As at the start: what of them is followed stands in the other fields.
    pub(crate) settings: Arc<Settings>,
    pub(crate) access: Arc<Access>,
    pub(crate) door: Door,
    pub(crate) rules: Arc<Rules>,
    pub(crate) endpoints: Endpoints,
    pub(crate) transforms: Arc<Transforms>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) counters: Arc<Counters>,
    /// Who is on channels, where that may be known.
    pub(crate) presence: Option<Arc<Presence>>,
    pub(crate) readings: Readings,
    /// For answers that are made of state, until sockets have them. What has been read has room of its own, which is given back when the
    /// answers are made: it waits for them, and they do not wait for it.
    pub(crate) answers: StateRoom,
    /// For working on a large state for one client.
    pub(crate) showing: Arc<Semaphore>,
    /// WebSockets that there may be.
    most_connections: AtomicUsize,
    connections: AtomicUsize,
    leaving: AtomicBool,
    draining: AtomicBool,
    /// When somebody last asked whether the server is ready.
    asked: Mutex<Option<Instant>>,
    /// What is shown to browsers.
    pub(crate) site: Site,
    /// For those who ask what became of it.
    pub(crate) last_reload: LastReload,
    /// Who speaks how.
    pub(crate) dialects: Dialects,
    /// How long events took until they were written, by worker.
    pub(crate) rounds: Box<[Histogram]>,
}

/// One of the connections that are allowed at the same time; freed when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    node: Arc<Node>,
    _address: Option<Box<AddressSeat>>,
}

impl Node {
    /// Must be called within the runtime of the server, on which state is read.
    pub(crate) fn new(
        settings: Arc<Settings>,
        access: Arc<Access>,
        endpoints: Endpoints,
        catalogue: Arc<Catalogue>,
        broker: Arc<Broker>,
        store: Arc<dyn Store>,
        presence: Option<Arc<Presence>>,
    ) -> Self {
        let budget = Budget::new(&settings.limits, settings.workers.get());
        let door = Door::new(&settings.limits, settings.trusted_proxies.clone(), budget.plain, clock::now());
        let rules = Rules::new(Arc::clone(&access), catalogue, Arc::clone(&settings));
        let counters = Arc::clone(broker.counters());
        let (from, to) = (Arc::clone(&store), Arc::clone(&broker));
        let readings = Readings::new(from, to, Arc::clone(&settings), &Handle::current());
        Self {
            dialects: Dialects::new(endpoints.names()),
            rounds: (0..settings.workers.get()).map(|_| Histogram::default()).collect(),
            endpoints,
            transforms: Arc::new(Transforms::new(settings.limits.transforms)),
            rules: Arc::new(rules),
            readings,
            answers: StateRoom::new(),
            showing: Arc::new(Semaphore::new(SHOWN * settings.workers.get())),
            door,
            most_connections: AtomicUsize::new(budget.connections),
            connections: AtomicUsize::new(0),
            leaving: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            asked: Mutex::default(),
            site: Site::default(),
            last_reload: LastReload::default(),
            settings,
            access,
            broker,
            store,
            counters,
            presence,
        }
    }

    /// The same, and says what became of reading again.
    pub(crate) fn telling_of(self, last_reload: LastReload) -> Self {
        Self { last_reload, ..self }
    }

    /// The same, with this to show to browsers.
    pub(crate) fn showing(self, site: Site) -> Self {
        Self { site, ..self }
    }

    /// The transform from the source's system; `None` where nothing is to be transformed. A new one takes up to 30 ms
    /// and is made on a thread that may wait.
    pub(crate) async fn transform(
        self: &Arc<Self>,
        target: KnownCrs,
    ) -> Result<Option<Arc<Transform>>, TransformError> {
        if let Some(known) = self.known_transform(target) {
            return Ok(known);
        }
        let (source, order) = (self.rules.source, self.settings.axis_order);
        let transforms = Arc::clone(&self.transforms);
        runtime::apart(move || transforms.get_or_create(source, target, order))
            .await
            .expect("making a transform does not panic")
            .map(Some)
    }

    /// The same, if it need not be made.
    pub(crate) fn known_transform(&self, target: KnownCrs) -> Option<Option<Arc<Transform>>> {
        let (source, order) = (self.rules.source, self.settings.axis_order);
        if target == source {
            return Some(None);
        }
        self.transforms.get_if_present(source, target, order).map(Some)
    }

    /// The coordinate system in which a session on this path begins.
    pub(crate) fn first_output(&self, path: &str) -> KnownCrs {
        let projection = self.settings.path_projections.iter().find(|entry| entry.matches(path));
        projection.and_then(|entry| self.rules.catalogue.crs(entry.crs().code())).unwrap_or(self.rules.source)
    }

    /// What one payload may cost.
    pub(crate) fn payload_limits(&self) -> geocast_geo_filter::Limits {
        self.settings.limits.payload()
    }

    /// A place for one more connection, unless all are taken.
    ///
    /// # Errors
    /// How many there are.
    pub(crate) fn place(self: &Arc<Self>, address: Option<Box<AddressSeat>>) -> Result<Place, usize> {
        let taken = self.connections.fetch_add(1, Ordering::Relaxed);
        let place = Place { node: Arc::clone(self), _address: address };
        let most = self.most_connections();
        if taken < most { Ok(place) } else { Err(most) }
    }

    /// Whether one more request with this token is not too many; without a token, requests are bounded by connections alone.
    pub(crate) fn keeps_token_rate(&self, identity: &Identity) -> bool {
        identity.token().is_none_or(|token| self.rules.token_rates.admits(token, clock::now()))
    }

    /// Has other limits hold from now on, as far as a running server follows. Nobody has to leave.
    pub(crate) fn follow(&self, wanted: &Limits) {
        let (limits, now) = (self.settings.limits.following(wanted), clock::now());
        let budget = Budget::new(&limits, self.settings.workers.get());
        self.most_connections.store(budget.connections, Ordering::Relaxed);
        self.door.follow(&limits, budget.plain, now);
        self.rules.token_rates.allow(limits.token_rate, now);
        self.rules.limits.replace(limits);
    }

    /// Somebody wants to know whether the server is ready. False once it is about to stop.
    pub(crate) fn is_staying(&self) -> bool {
        *self.asked.lock() = Some(clock::now());
        !self.is_leaving()
    }

    /// Whether the server is about to stop, or stopping.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Says that the server is about to stop. How long it is to go on until then: as long as whoever asks whether it is ready may
    /// take to notice.
    pub(crate) fn leave(&self) -> Duration {
        self.leaving.store(true, Ordering::Relaxed);
        let now = clock::now();
        let asked = *self.asked.lock();
        let is_asked = asked.is_some_and(|asked| now.saturating_duration_since(asked) < ASKED_LATELY);
        if is_asked { self.settings.timeouts.drain_delay } else { Duration::ZERO }
    }

    /// Says that nobody is let in any more.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// WebSocket connections at this moment.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Over which time connections are closed that end for one reason, so that their clients do not all connect elsewhere at once;
    /// a few clients need no spreading.
    pub(crate) fn close_spread(&self) -> Duration {
        let connections = u32::try_from(self.connections()).unwrap_or(u32::MAX);
        (CLOSE_INTERVAL * connections.min(1_000_000)).min(self.settings.timeouts.drain_spread)
    }

    /// WebSocket connections that there may be.
    pub(crate) fn most_connections(&self) -> usize {
        self.most_connections.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, count: Count) {
        self.counters.add(count);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.node.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Large states that are worked on at the same time for each worker, of which there is one for each core: more would only take threads, and with
/// fewer a very large one would keep the others waiting.
const SHOWN: usize = 4;

/// Balancers ask more often than that.
const ASKED_LATELY: Duration = Duration::from_secs(60);

/// Time between two such closes, if there are few enough connections.
const CLOSE_INTERVAL: Duration = Duration::from_millis(1);
