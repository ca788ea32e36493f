use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, error::Elapsed, timeout};

use super::{
    RedisNature, RedisSettings,
    backoff::Backoff,
    commands::Commands,
    connection::Connection,
    disconnected::Disconnected,
    nodes::Nodes,
    shared::{Link, Shared},
};
use crate::{Broker, Count};

/// Keeps a subscriber connection for as long as the store lives.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) settings: RedisSettings,
    pub(super) broker: Arc<Broker>,
    pub(super) nodes: Arc<Nodes>,
    pub(super) commands: Commands,
    pub(super) shared: Arc<Shared>,
    /// Since when there is no live connection, if there was a reason to say so.
    outage: Option<Instant>,
    /// Whether there ever was a live connection.
    was_live: bool,
    backoff: Backoff,
    /// What was said of the Redis, if that is no master.
    remarked: Option<String>,
}

impl Subscriber {
    pub(super) fn new(
        settings: RedisSettings,
        broker: Arc<Broker>,
        nodes: Arc<Nodes>,
        commands: Commands,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            settings,
            broker,
            nodes,
            commands,
            shared,
            outage: None,
            was_live: false,
            backoff: Backoff::default(),
            remarked: None,
        }
    }

    /// Connects, serves, and connects again, for ever.
    pub(super) async fn run(mut self) {
        loop {
            let reason = match self.connect().await {
                Ok(connection) => connection.serve(&mut self).await,
                Err(reason) => reason,
            };
            self.lost(&reason);
            let wait = self.backoff.wait(fastrand::f64());
            tracing::debug!(%reason, ?wait, "no connection to redis");
            // Whoever finds another master meanwhile has it connected to at once.
            let mut news = self.nodes.watch();
            let _either: Result<_, Elapsed> = timeout(wait, news.changed()).await;
        }
    }

    /// Connects to the master, or to one of those of a cluster: what is published on one of them is heard on all.
    async fn connect(&mut self) -> Result<Connection, Disconnected> {
        let watch = self.nodes.watch();
        let known = watch.borrow().clone();
        let topology = self.nodes.look_again(known.as_ref()).await.map_err(Disconnected::Nowhere)?;
        let masters = topology.masters();
        let address = &masters[fastrand::usize(..masters.len())];
        let connection = Connection::open(&self.settings, self.nodes.dialer(), address, watch).await?;
        let nature = self.nodes.nature(address, self.settings.connect_timeout.min(NATURE)).await;
        let remark = nature.as_ref().and_then(|nature| nature.remark(&self.settings.url));
        if let (Some(RedisNature::Sentinel(_)), Some(remark)) = (&nature, &remark) {
            return Err(Disconnected::Elsewhere(address.clone(), remark.clone()));
        }
        // A server that only reads may well use a replica: it hears what is published.
        if remark != self.remarked
            && let Some(remark) = &remark
        {
            let redis = &self.settings.url;
            tracing::warn!(event = "redis_is_replica", %redis, "{remark}");
        }
        self.remarked = remark;
        Ok(connection)
    }

    /// The connection is proven alive, and everything that is wanted is subscribed.
    pub(super) fn live(&mut self) {
        self.backoff.reset();
        self.shared.begin_anew();
        self.shared.set_link(Link::Live);
        if let Some(notices) = &self.shared.notices {
            notices.miss();
        }
        let redis = &self.settings.url;
        match self.outage.take() {
            Some(since) => {
                tracing::info!(event = "redis_back", %redis, away = ?since.elapsed(), "redis is back")
            }
            None => tracing::info!(event = "redis_connected", %redis, "redis is connected"),
        }
        if std::mem::replace(&mut self.was_live, true) {
            self.shared.counters().add(Count::StoreReturned);
            self.deaf_interval_ended();
        }
    }

    /// Whether there ever was a live connection.
    pub(super) fn was_live(&self) -> bool {
        self.was_live
    }

    /// A master of the cluster was replaced, or was away. Its last messages may not have reached us, and its state may not be what it was.
    pub(super) fn replaced(&mut self) {
        if self.was_live {
            self.deaf_interval_ended();
        }
    }

    /// Tells the subscribers of channels that are allowed again that something may have been missed.
    pub(super) fn tell_regained(&self) {
        let regained = self.shared.subscriptions.lock().take_regained();
        if regained.is_empty() {
            return;
        }
        let channels = regained.len();
        tracing::warn!(
            event = "messages_missed",
            channels,
            "messages published while their channels were forbidden were not received"
        );
        if let Some(notices) = &self.shared.notices
            && regained.iter().any(|channel| notices.come_on(channel))
        {
            notices.miss();
        }
        self.broker.missed_on(&regained);
    }

    /// Nothing was heard for a while, and it is over. Here, and nowhere else, the subscribers of all channels are to be
    /// told of the gap once they can be.
    fn deaf_interval_ended(&self) {
        self.broker.missed();
        let channels = self.shared.subscriptions.lock().len();
        if channels > 0 {
            tracing::warn!(
                event = "messages_missed",
                channels,
                "messages published while redis was away were not received"
            );
        }
    }

    /// The connection is gone, or there is none. Said once per outage, however many attempts it takes.
    fn lost(&mut self, reason: &Disconnected) {
        let was_live = matches!(self.shared.link(), Link::Live);
        self.shared.set_link(Link::Away(reason.to_string()));
        self.shared.subscriptions.lock().reset();
        if was_live {
            self.shared.count_interruption();
        }
        if self.outage.is_none() {
            self.outage = Some(Instant::now());
            let redis = &self.settings.url;
            tracing::warn!(event = "redis_away", %redis, %reason, "redis is away; trying again until it is back");
        }
    }
}

/// How long a Redis that can be reached may take to say what it is. It is not needed to go on.
const NATURE: Duration = Duration::from_secs(1);
