//! What goes wrong, and when.

use std::time::Duration;

use turmoil::Sim;

use crate::{
    node::{self, Node},
    redis::Redis,
    world::Shared,
};

/// Something that goes wrong for a while.
#[derive(Debug, Clone, PartialEq)]
enum Fault {
    /// What is sent between two hosts is lost. Connections that lose something never recover, as there are no repetitions.
    Cut(String, String),
    /// The same in one direction.
    CutOneWay(String, String),
    /// What is sent between two hosts waits.
    Hold(String, String),
    /// Redis is killed, and comes back with what it had, or with nothing.
    KillRedis { loses: bool },
    /// Redis is stopped, and goes on.
    StopRedis,
    /// The connections of subscribers are closed.
    KillSubscribers,
    /// Subscribers are connected and not told of anything.
    Deafen,
    /// Subscribers are told late, those that come as well; everybody else is answered as ever. Those that there are may be cut off
    /// first, so that state is read while messages are late.
    Lag { cuts: bool },
    /// Subscribers may be behind by a few bytes only.
    CutOutput,
    /// A node is killed, and started again.
    KillNode(usize),
    /// A node is told to stop, and started again.
    StopNode(usize),
}

/// When it begins and ends.
#[derive(Debug)]
struct Window {
    from: Duration,
    to: Duration,
    fault: Fault,
}

/// All that goes wrong in a run.
#[derive(Debug)]
pub(crate) struct Plan {
    windows: Vec<Window>,
    /// Those that have begun.
    begun: usize,
    ongoing: Vec<Window>,
}

impl Plan {
    /// Chooses what goes wrong until `end`. Each host and each link has one fault at a time.
    pub(crate) fn new(nodes: usize, clients: &[String], end: Duration) -> Self {
        let mut windows = Vec::new();
        let rarely = |seconds: u64| fastrand::u64(..seconds * 1000);
        timeline(
            &mut windows,
            end,
            || rarely(9),
            || match fastrand::u8(..9) {
                0 => Fault::KillRedis { loses: false },
                1 => Fault::KillRedis { loses: true },
                2 => Fault::StopRedis,
                3 => Fault::KillSubscribers,
                4 => Fault::CutOutput,
                5 | 6 => Fault::Lag { cuts: fastrand::bool() },
                _ => Fault::Deafen,
            },
        );
        for index in 0..nodes {
            let link = (node::name(index), "redis".to_owned());
            timeline(&mut windows, end, || rarely(25), || cut(&link));
            timeline(
                &mut windows,
                end,
                || rarely(40),
                || match fastrand::bool() {
                    true => Fault::KillNode(index),
                    false => Fault::StopNode(index),
                },
            );
            for client in clients {
                let link = (node::name(index), client.clone());
                timeline(&mut windows, end, || rarely(50), || cut(&link));
            }
        }
        windows.sort_by_key(|window| window.from);
        Self { windows, begun: 0, ongoing: Vec::new() }
    }

    /// Does what is due.
    pub(crate) fn apply(&mut self, sim: &mut Sim<'_>, redis: &Redis, nodes: &[Node], world: &Shared) {
        let now = sim.elapsed();
        while self.ongoing.first().is_some_and(|window| window.to <= now) {
            let Window { fault, .. } = self.ongoing.remove(0);
            fault.end(sim, redis, world);
        }
        while let Some(window) = self.windows.get(self.begun).filter(|window| window.from <= now) {
            window.fault.begin(sim, redis, nodes, world);
            let (from, to, fault) = (window.from, window.to, window.fault.clone());
            let place = self.ongoing.partition_point(|ongoing| ongoing.to <= to);
            self.ongoing.insert(place, Window { from, to, fault });
            self.begun += 1;
        }
    }
}

/// Fills the time with faults that follow each other.
fn timeline(windows: &mut Vec<Window>, end: Duration, pause: impl Fn() -> u64, fault: impl Fn() -> Fault) {
    let mut from = Duration::from_millis(1000 + pause());
    while from < end {
        // Most are short, some are longer than whatever is waited for.
        let longest = if fastrand::u8(..4) == 0 { 9000 } else { 1500 };
        let to = (from + Duration::from_millis(fastrand::u64(20..longest))).min(end);
        windows.push(Window { from, to, fault: fault() });
        from = to + Duration::from_millis(500 + pause());
    }
}

fn cut((one, other): &(String, String)) -> Fault {
    match fastrand::u8(..5) {
        0 => Fault::CutOneWay(one.clone(), other.clone()),
        1 => Fault::CutOneWay(other.clone(), one.clone()),
        2 => Fault::Cut(one.clone(), other.clone()),
        _ => Fault::Hold(one.clone(), other.clone()),
    }
}

impl Fault {
    fn begin(&self, sim: &mut Sim<'_>, redis: &Redis, nodes: &[Node], world: &Shared) {
        world.borrow_mut().note("fault", &format!("begins: {self:?}"));
        match self {
            Self::Cut(one, other) => sim.partition(one.as_str(), other.as_str()),
            Self::CutOneWay(from, to) => sim.partition_oneway(from.as_str(), to.as_str()),
            Self::Hold(one, other) => sim.hold(one.as_str(), other.as_str()),
            Self::KillRedis { loses } => {
                sim.crash("redis");
                redis.data.borrow_mut().end();
                if *loses {
                    redis.data.borrow_mut().lose();
                }
            }
            Self::StopRedis => redis.stop(true),
            Self::KillSubscribers => redis.data.borrow_mut().kill_subscribers(),
            Self::Deafen => redis.data.borrow_mut().deafen(),
            Self::Lag { cuts } => {
                if *cuts {
                    redis.data.borrow_mut().kill_subscribers();
                }
                redis.data.borrow_mut().lag(true);
            }
            Self::CutOutput => redis.data.borrow_mut().output_limit = 300,
            Self::KillNode(index) => sim.crash(node::name(*index)),
            Self::StopNode(index) => nodes[*index].stop.notify_one(),
        }
        self.touch(world, true);
    }

    fn end(&self, sim: &mut Sim<'_>, redis: &Redis, world: &Shared) {
        world.borrow_mut().note("fault", &format!("ends: {self:?}"));
        match self {
            Self::Cut(one, other) => sim.repair(one.as_str(), other.as_str()),
            Self::CutOneWay(from, to) => sim.repair_oneway(from.as_str(), to.as_str()),
            Self::Hold(one, other) => sim.release(one.as_str(), other.as_str()),
            Self::KillRedis { .. } => sim.bounce("redis"),
            Self::StopRedis => redis.stop(false),
            Self::KillSubscribers | Self::Deafen => {}
            Self::Lag { .. } => redis.data.borrow_mut().lag(false),
            Self::CutOutput => redis.data.borrow_mut().output_limit = 64 * 1024,
            Self::KillNode(index) | Self::StopNode(index) => sim.bounce(node::name(*index)),
        }
        self.touch(world, false);
    }

    /// Says whose connections may suffer, and who loses its Redis.
    fn touch(&self, world: &Shared, begins: bool) {
        let mut world = world.borrow_mut();
        match self {
            Self::Cut(one, other) | Self::CutOneWay(one, other) | Self::Hold(one, other) => {
                world.trouble(one, other);
                if [one, other].contains(&&"redis".to_owned()) {
                    let node = if one == "redis" { other } else { one };
                    world.lose(node, "link", begins);
                }
            }
            Self::KillRedis { .. } | Self::StopRedis => world.lose_all("process", begins),
            Self::KillNode(index) => world.restart(&node::name(*index)),
            Self::StopNode(index) => {
                world.restart(&node::name(*index));
                world.stop(&node::name(*index), begins);
            }
            Self::KillSubscribers | Self::Deafen | Self::Lag { .. } | Self::CutOutput => {}
        }
    }
}
