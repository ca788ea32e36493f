//! A node: the server, as it is, on a host of the simulated network.

use std::{net::Ipv4Addr, num::NonZeroUsize, rc::Rc, time::Duration};

use geocast_server::{Listener, RedisSettings, Secret, Server, Settings, StoreSettings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
    time::{sleep, timeout},
};
use turmoil::net::{TcpListener, TcpStream};

use crate::{
    redis,
    world::{Phase, Shared, now},
};

/// What a node is started with, and told to stop by.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    settings: Settings,
    pub(crate) stop: Rc<Notify>,
}

impl Node {
    /// Settings in the bounds of what an operator might choose, but with less patience, so that more happens in less time.
    pub(crate) fn new() -> Self {
        let mut redis = RedisSettings::new(format!("redis://redis:{}", redis::PORT).parse().expect("a URL"));
        redis.probe_interval = Duration::from_secs(1);
        redis.command_timeout = Duration::from_secs(1);
        redis.connect_timeout = Duration::from_millis(500);
        let mut settings = Settings::default();
        settings.store = StoreSettings::Redis(redis);
        settings.channels = Some("*".parse().expect("a pattern"));
        settings.publish_key = Some(Secret::new(KEY));
        settings.workers = NonZeroUsize::MIN.saturating_add(fastrand::usize(..2));
        settings.limits.outbox = [8, 64, 1024][fastrand::usize(..3)] * 1024;
        settings.timeouts.ping = Duration::from_secs(4);
        settings.timeouts.pong = Duration::from_secs(3);
        settings.timeouts.write = Duration::from_secs(3);
        settings.timeouts.drain = Duration::from_secs(3);
        settings.timeouts.drain_spread = Duration::from_secs(1);
        Self { settings, stop: Rc::new(Notify::new()) }
    }

    /// Serves until it is told to stop.
    pub(crate) async fn serve(self) -> turmoil::Result {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
        let server = Server::start(Listener::simulated(listener.into()), self.settings)?;
        server.run(async move { self.stop.notified().await }).await?;
        Ok(())
    }
}

/// Asks all nodes whether they are ready, and holds them to it.
pub(crate) async fn watch(nodes: usize, world: Shared) -> turmoil::Result {
    loop {
        for node in (0..nodes).map(name) {
            let lost = |world: &Shared| world.borrow().lost_since(&node);
            let before = lost(&world).is_some_and(|since| now() - since > NOTICED);
            let is_settled = world.borrow().phase == Phase::Settled;
            let answer = timeout(Duration::from_secs(3), ready(&node)).await;
            let is_ready = matches!(&answer, Ok(Ok(status)) if status == "200");
            let mut world = world.borrow_mut();
            world.count("readiness");
            if before && is_ready && world.lost_since(&node).is_some() {
                world.violate("monitor", &format!("{node} is ready, and its redis has been away for long"));
            }
            if is_settled && !is_ready {
                world.violate("monitor", &format!("{node} is not ready again: {answer:?}"));
            }
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// The status of `/ready`.
async fn ready(node: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut http = TcpStream::connect((node, PORT)).await?;
    let request = format!("GET /ready HTTP/1.1\r\nHost: {node}\r\nConnection: close\r\n\r\n");
    http.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    http.read_to_string(&mut answer).await?;
    Ok(answer.split(' ').nth(1).ok_or("no status line")?.to_owned())
}

pub(crate) fn name(index: usize) -> String {
    format!("node{index}")
}

pub(crate) const PORT: u16 = 8080;
/// What clients publish with.
pub(crate) const KEY: &str = "key";
/// How long a Redis may be away without being missed: a probe, its answer, and as much again for a run in slow motion.
const NOTICED: Duration = Duration::from_secs(4);
