use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use deadpool_redis::{PoolError, Runtime, redis::RedisError};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::time::{Instant, timeout};

use super::{
    RedisNature, RedisSettings, RedisStartError,
    address::Address,
    cluster::Cluster,
    dialer::Dialer,
    opener::{Identity, Line, Opener, Role},
    sentinel::Sentinels,
    topology::Topology,
    url::Place,
};
use crate::runtime::watch;

/// Knows where Redis is, and keeps connections to it.
///
/// A Redis of its own is where it was said to be. The master of a service, and the masters of a cluster, have to be asked
/// for: at the start, when something fails, and now and then. Whoever finds them elsewhere tells everybody here; what
/// connections there were to those who are no masters any more are dropped.
#[derive(Debug)]
pub(super) struct Nodes {
    guide: Guide,
    dialer: Dialer,
    identity: Identity,
    pool_size: NonZeroUsize,
    patience: Duration,
    pools: Mutex<FxHashMap<Address, Pool>>,
    topology: watch::Sender<Option<Arc<Topology>>>,
    /// Held by who looks for the masters: one at a time, and the others take what it finds.
    search: tokio::sync::Mutex<Search>,
}

/// Connections for commands.
pub(super) type Pool = deadpool::managed::Pool<Opener>;
/// One of them, until it is dropped.
pub(super) type Borrowed = deadpool::managed::Object<Opener>;

/// Who knows where Redis is.
#[derive(Debug)]
enum Guide {
    /// Whoever wrote the settings.
    Fixed,
    Sentinels(Sentinels),
    Cluster(Cluster),
}

/// How the last search ended.
#[derive(Debug, Default)]
struct Search {
    ended: Option<Instant>,
    failure: Option<String>,
}

impl Nodes {
    /// Connects to nothing.
    pub(super) fn new(settings: &RedisSettings) -> Result<Self, RedisStartError> {
        let url = &settings.url;
        let dialer = Dialer::new(settings.tls()?, settings.connect_timeout);
        let identity = Identity::new(url.credentials.as_ref(), url.database);
        let (guide, topology) = match &url.place {
            Place::Single(address) => (Guide::Fixed, Some(Arc::new(Topology::single(address.clone())))),
            Place::Sentinel(service) => (Guide::Sentinels(Sentinels::new(service, dialer.clone())), None),
            Place::Cluster(seeds) => {
                (Guide::Cluster(Cluster::new(seeds.clone(), identity.clone(), dialer.clone())), None)
            }
        };
        Ok(Self {
            guide,
            dialer,
            identity,
            pool_size: settings.pool_size,
            patience: settings.command_timeout,
            pools: Mutex::default(),
            topology: watch::Sender::new(topology),
            search: tokio::sync::Mutex::default(),
        })
    }

    /// What opens connections.
    pub(super) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Tells when the masters are found elsewhere.
    pub(super) fn watch(&self) -> watch::Receiver<Option<Arc<Topology>>> {
        self.topology.subscribe()
    }

    /// Where the masters were found last, or are found now; or why they are not.
    pub(super) async fn topology(&self) -> Result<Arc<Topology>, String> {
        let known = self.topology.borrow().clone();
        match known {
            Some(known) => Ok(known),
            None => self.look_again(None).await,
        }
    }

    /// Looks where the masters are now, unless somebody has found them elsewhere than `known` meanwhile.
    pub(super) async fn look_again(&self, known: Option<&Arc<Topology>>) -> Result<Arc<Topology>, String> {
        let current = || self.topology.borrow().clone();
        if let (Guide::Fixed, Some(topology)) = (&self.guide, current()) {
            return Ok(topology);
        }
        let mut search = self.search.lock().await;
        let is_fresh = search.ended.is_some_and(|ended| ended.elapsed() < FRESH);
        match (current(), &search.failure) {
            (Some(current), _) if known.is_none_or(|known| !Arc::ptr_eq(known, &current)) => {
                return Ok(current);
            }
            (_, Some(failure)) if is_fresh => return Err(failure.clone()),
            (Some(current), None) if is_fresh => return Ok(current),
            _ => {}
        }
        let found = self.search(current().as_deref()).await;
        search.ended = Some(Instant::now());
        search.failure = found.as_ref().err().cloned();
        Ok(self.found(found?))
    }

    /// A connection to this one that is in no pool, if it is what it has to be.
    pub(super) async fn open(&self, address: &Address) -> Result<Line, RedisError> {
        let opener = self.opener(address);
        let mut line = opener.open().await?;
        opener.check_role(&mut line).await?;
        Ok(line)
    }

    /// What this one says it is, where nobody but whoever wrote the settings says that it is a master. `None`: it does not say it
    /// within `patience`.
    pub(super) async fn nature(&self, address: &Address, patience: Duration) -> Option<RedisNature> {
        if !matches!(self.guide, Guide::Fixed) {
            return None;
        }
        let asking = async {
            let mut line = self.open(address).await.ok()?;
            RedisNature::of(&mut line).await
        };
        timeout(patience, asking).await.ok()?
    }

    /// A connection to this one, from its pool.
    pub(super) async fn borrow(&self, address: &Address) -> Result<Borrowed, RedisError> {
        let pool = self.pool(address).map_err(std::io::Error::other)?;
        pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            error => std::io::Error::other(format!("{address}: {error}")).into(),
        })
    }

    /// The sentinels, if there are any.
    pub(super) fn sentinels(&self) -> Option<&Sentinels> {
        match &self.guide {
            Guide::Sentinels(sentinels) => Some(sentinels),
            Guide::Fixed | Guide::Cluster(_) => None,
        }
    }

    async fn search(&self, known: Option<&Topology>) -> Result<Topology, String> {
        match &self.guide {
            Guide::Fixed => Err("nobody knows where redis is".to_owned()),
            Guide::Sentinels(sentinels) => {
                let master = sentinels.master().await?;
                // A sentinel may not know yet that it is none any more.
                self.check(&master).await.map_err(|error| error.to_string())?;
                Ok(Topology::single(master))
            }
            Guide::Cluster(cluster) => cluster.topology(known.map_or(&[], Topology::masters)).await,
        }
    }

    /// Whether this is a master, at this moment.
    async fn check(&self, address: &Address) -> Result<(), RedisError> {
        let mut line = self.borrow(address).await?;
        self.opener(address).check_role(&mut line).await
    }

    /// Tells everybody where the masters are, if that is news.
    fn found(&self, found: Topology) -> Arc<Topology> {
        let known = self.topology.borrow().clone();
        if let Some(known) = known.as_ref().filter(|known| ***known == found) {
            return Arc::clone(known);
        }
        self.pools.lock().retain(|address, pool| {
            let stays = found.masters().contains(address);
            if !stays {
                pool.close();
            }
            stays
        });
        let is_known = known.is_some_and(|known| known.has_all_of(&found) && found.has_all_of(&known));
        // That slots move is no news.
        if !is_known {
            let masters: Vec<_> = found.masters().iter().map(ToString::to_string).collect();
            tracing::info!(event = "redis_found", masters = masters.join(","), "redis is there");
        }
        let found = Arc::new(found);
        self.topology.send_replace(Some(Arc::clone(&found)));
        found
    }

    fn pool(&self, address: &Address) -> Result<Pool, deadpool_redis::BuildError> {
        let mut pools = self.pools.lock();
        if let Some(pool) = pools.get(address) {
            return Ok(pool.clone());
        }
        if pools.len() >= MOST_POOLS {
            let topology = self.topology.borrow().clone();
            let is_master =
                |address: &Address| topology.as_ref().is_some_and(|known| known.masters().contains(address));
            pools.retain(|address, _| is_master(address));
        }
        let pool = Pool::builder(self.opener(address))
            .max_size(self.pool_size.get())
            .wait_timeout(Some(self.patience))
            // For the connection, and as much again for what is said first.
            .create_timeout(Some(self.dialer.patience() * 2))
            .recycle_timeout(Some(self.dialer.patience()))
            .runtime(Runtime::Tokio1)
            .build()?;
        pools.insert(address.clone(), pool.clone());
        Ok(pool)
    }

    fn opener(&self, address: &Address) -> Opener {
        let role = if matches!(self.guide, Guide::Sentinels(_)) { Role::Master } else { Role::Any };
        Opener::new(self.dialer.clone(), address.clone(), self.identity.clone(), role, self.patience)
    }
}

/// More than any cluster has; beyond it, those of nodes that are no masters any more are dropped.
const MOST_POOLS: usize = 2000;
/// For how long what a search found holds for those who waited for it.
const FRESH: Duration = Duration::from_millis(100);
