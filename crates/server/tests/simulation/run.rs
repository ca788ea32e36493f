//! One run: a seed decides everything in it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    panic,
    rc::Rc,
    sync::Once,
    time::{Duration, UNIX_EPOCH},
};

use crate::{
    client,
    faults::Plan,
    node::{self, Node},
    redis::{Planted, Redis, SILENT},
    world::{Phase, Shared, World, stepped},
};

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) trace: Vec<String>,
    pub(crate) violations: Vec<String>,
    pub(crate) tally: BTreeMap<&'static str, u64>,
}

/// Runs a seed. With something planted, it is to fail.
pub(crate) fn run(seed: u64, planted: Option<Planted>) -> Outcome {
    watch_for_panics();
    PANICS.set(Vec::new());
    fastrand::seed(seed);
    let world: Shared = Rc::new(RefCell::new(World::default()));
    world.borrow_mut().is_calm = fastrand::bool();
    let mut builder = turmoil::Builder::new();
    builder
        .rng_seed(seed)
        .epoch(UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        .simulation_duration(END * 2)
        .tick_duration(TICK)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(fastrand::u64(5..80)))
        // Also how many may wait to be accepted, of which turmoil takes one too many for a fault of the simulation.
        .tcp_capacity(fastrand::usize(64..256))
        .enable_random_order();
    let mut sim = builder.build();
    stepped(Duration::ZERO);
    let redis = Redis::new(&world);
    redis.data.borrow_mut().planted = planted;
    let nodes: Vec<Node> = (0..fastrand::usize(1..=2)).map(|_| Node::new()).collect();
    let clients: Vec<String> = (0..fastrand::usize(3..=5)).map(|index| format!("client{index}")).collect();
    {
        let (redis, world) = (redis.clone(), Rc::clone(&world));
        sim.host("redis", move || redis.clone().serve(Rc::clone(&world)));
    }
    for (index, node) in nodes.iter().enumerate() {
        let node = node.clone();
        sim.host(node::name(index), move || node.clone().serve());
    }
    for (name, silent) in clients.iter().zip(SILENT) {
        let (name, nodes, world) = (name.clone(), nodes.len(), Rc::clone(&world));
        sim.host(name.clone(), move || client::run(name.clone(), silent, nodes, Rc::clone(&world)));
    }
    {
        let (nodes, world) = (nodes.len(), Rc::clone(&world));
        sim.host("monitor", move || node::watch(nodes, Rc::clone(&world)));
    }
    let mut plan = Plan::new(nodes.len(), &clients, HEAL);
    while sim.elapsed() < END {
        stepped(sim.elapsed());
        plan.apply(&mut sim, &redis, &nodes, &world);
        world.borrow_mut().phase = phase(sim.elapsed());
        if let Err(error) = sim.step() {
            world.borrow_mut().violate("host", &error.to_string());
            break;
        }
        let panics = PANICS.take();
        panics.iter().for_each(|panic| world.borrow_mut().violate("host", &format!("panicked: {panic}")));
        if !world.borrow().violations.is_empty() {
            break;
        }
    }
    world.borrow_mut().check_publications();
    drop(sim);
    let World { trace, violations, tally, .. } = world.take();
    Outcome { trace, violations, tally }
}

fn phase(elapsed: Duration) -> Phase {
    match elapsed {
        elapsed if elapsed < HEAL => Phase::Troubled,
        elapsed if elapsed < QUIET => Phase::Healed,
        elapsed if elapsed < SETTLED => Phase::Quiet,
        _ => Phase::Settled,
    }
}

/// Has panics noted for the run of their thread: a task that panics ends alone, and nobody need notice.
fn watch_for_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let mut panics = PANICS.take();
            panics.push(panic.to_string());
            PANICS.set(panics);
            usual(panic);
        }));
    });
}

thread_local! {
    static PANICS: Cell<Vec<String>> = const { Cell::new(Vec::new()) };
}

/// When the last fault is over.
const HEAL: Duration = Duration::from_secs(25);
/// When nothing is published any more.
const QUIET: Duration = Duration::from_secs(40);
/// When everything has to be as it is in the store.
const SETTLED: Duration = Duration::from_secs(45);
const END: Duration = Duration::from_secs(47);
/// A step: what is sent arrives between two of them.
const TICK: Duration = Duration::from_millis(10);
