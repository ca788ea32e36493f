//! Nodes that come and go, on a store that loses things.

mod node;
mod shelf;
mod volume;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use geocast_protocol::{Channel, Person};
use proptest::{collection::vec, prelude::*};

use self::{node::Node, shelf::Shelf};
use super::roster::Bounds;

/// Whatever may happen.
#[derive(Debug, Clone)]
enum Event {
    Join {
        node: usize,
        channel: usize,
        person: usize,
    },
    Leave {
        node: usize,
        seat: usize,
    },
    /// A client is on another node before it has gone from this one, or a moment later.
    Move {
        from: usize,
        to: usize,
        seat: usize,
    },
    /// It ends without a word, and another one takes its place.
    Death {
        node: usize,
    },
    Pause {
        node: usize,
        turns: u32,
    },
    Cut {
        node: usize,
        turns: u32,
    },
    Wipe,
    /// The store is as it was at the last `Snapshot`.
    GoBack,
    Snapshot,
    Trim {
        left: usize,
    },
    Pass {
        turns: u32,
    },
}

/// All nodes and their store.
struct World {
    shelf: Shelf,
    snapshot: Shelf,
    nodes: Vec<Node>,
    born: u64,
    bounds: Bounds,
}

impl World {
    fn new(nodes: usize, most: usize, grace: Duration) -> Self {
        let bounds = Bounds { most, grace, patience: Duration::from_secs(15) };
        let (shelf, snapshot) = (Shelf::default(), Shelf::default());
        let mut world = Self { shelf, snapshot, nodes: Vec::new(), born: 0, bounds };
        (0..nodes).for_each(|_| {
            let node = world.birth();
            world.nodes.push(node);
        });
        world
    }

    fn birth(&mut self) -> Node {
        self.born += 1;
        // Clocks that are up to a twentieth too fast or too slow.
        Node::start(self.born, self.bounds, 950 + (self.born * 37 % 100) as u32)
    }

    fn pass(&mut self, turns: u32) {
        for _ in 0..turns {
            self.shelf.clock += u64::from(TICK);
            self.nodes.iter_mut().for_each(|node| node.turn(&mut self.shelf, TICK));
        }
    }

    fn happen(&mut self, event: &Event) {
        let count = self.nodes.len();
        match *event {
            Event::Join { node, channel, person } => {
                self.nodes[node % count].join(&channels()[channel % 2], people()[person % 4].clone());
            }
            Event::Leave { node, seat } => self.nodes[node % count].leave(seat),
            Event::Move { from, to, seat } => {
                let seats = &self.nodes[from % count].seats;
                let Some((channel, person)) = seats.get(seat % seats.len().max(1)).cloned() else { return };
                self.nodes[to % count].join(&channel, person);
                self.nodes[from % count].leave(seat);
            }
            Event::Death { node } => self.nodes[node % count] = self.birth(),
            Event::Pause { node, turns } => self.nodes[node % count].paused = turns,
            Event::Cut { node, turns } => self.nodes[node % count].cut = turns,
            Event::Wipe => self.shelf.wipe(),
            Event::Snapshot => self.snapshot = self.shelf.clone(),
            Event::GoBack => self.shelf.go_back(&self.snapshot),
            Event::Trim { left } => self.shelf.trim(left),
            Event::Pass { turns } => self.pass(turns),
        }
    }

    fn heal(&mut self) {
        self.nodes.iter_mut().for_each(|node| (node.paused, node.cut) = (0, 0));
    }

    /// Whether every node knows of all clients of all nodes, and so do those who were only told of changes.
    fn check(&self) {
        for channel in channels() {
            let seats = self.nodes.iter().flat_map(|node| &node.seats).filter(|seat| seat.0 == channel);
            let mut clients = 0;
            let mut entries: BTreeMap<Arc<Person>, u64> = BTreeMap::new();
            for (_, person) in seats {
                clients += 1;
                person.iter().for_each(|person| *entries.entry(Arc::clone(person)).or_default() += 1);
            }
            for node in &self.nodes {
                let roll = node.roll(&channel);
                assert!(!roll.is_stale && !roll.is_truncated, "{roll:?}");
                assert_eq!(roll.clients, clients, "{channel} on {}", node.id);
                assert_eq!(
                    roll.entries.into_iter().collect::<BTreeMap<_, _>>(),
                    entries,
                    "{channel} on {}",
                    node.id
                );
                let told = node.told(&channel);
                assert_eq!(
                    told,
                    (clients, entries.keys().cloned().collect()),
                    "{channel} told on {}",
                    node.id
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// However nodes, their clients, their ways to the store and the store itself come and go: half a minute after the last of it,
    /// every node knows who is there.
    #[test]
    fn in_the_end_every_node_knows_who_is_there(events in vec(event(3), 1..60)) {
        let mut world = World::new(3, 1000, GRACE);
        for event in &events {
            world.happen(event);
        }
        world.heal();
        world.pass(30_000 / TICK);
        world.check();
    }

    /// Somebody on a node that lives and reaches its store is never said to have left, whatever the others and the store
    /// do, as long as it can be reached, and does not go back so far that the last sign of life of that node is too old in it. A
    /// moment of grace is enough for that.
    #[test]
    fn who_stays_is_never_said_to_have_left(events in vec(event(3), 1..60)) {
        let mut world = World::new(3, 1000, Duration::from_secs(1));
        let steady = person("steady");
        world.nodes[0].join(&channels()[0], Some(Arc::clone(&steady)));
        world.pass(4);
        for event in &events {
            let concerns_first = match event {
                Event::Death { node } | Event::Pause { node, .. } | Event::Cut { node, .. } => node % 3 == 0,
                Event::Leave { node, .. } => node % 3 == 0,
                Event::Move { from, .. } => from % 3 == 0,
                Event::GoBack => world.shelf.clock - world.snapshot.clock > LITTLE,
                _ => false,
            };
            if !concerns_first {
                world.happen(event);
            }
            // Its word gets through before the others have waited for long.
            world.pass(1);
        }
        world.heal();
        world.pass(30_000 / TICK);
        world.check();
        for node in &world.nodes {
            assert!(!node.left.contains(&steady), "told on {}", node.id);
        }
    }
}

#[test]
fn a_node_that_dies_is_gone_within_half_a_minute() {
    for turn in 0..40 {
        let mut world = World::new(3, 1000, GRACE);
        world.nodes[0].join(&channels()[0], Some(person("ada")));
        world.pass(turn + 4);
        assert_eq!(world.nodes[1].roll(&channels()[0]).clients, 1);
        world.nodes.remove(0);
        world.pass(22_000 / TICK);
        world.check();
        assert_eq!(world.nodes[1].left, [person("ada")], "after {turn} turns");
    }
}

#[test]
fn what_has_no_room_is_read_when_there_is() {
    let mut world = World::new(2, 4, GRACE);
    for name in 0..8 {
        world.nodes[0].join(&channels()[0], Some(person(&name.to_string())));
    }
    world.pass(8);
    // Four have a name, and the others are counted.
    let roll = world.nodes[1].roll(&channels()[0]);
    assert_eq!((roll.clients, roll.entries.len()), (8, 4));
    world.nodes[1].join(&channels()[1], Some(person("late")));
    assert_eq!(world.nodes[1].seats[0].1, None);
    (0..8).for_each(|_| world.nodes[0].leave(0));
    world.nodes[1].leave(0);
    world.pass(30_000 / TICK);
    world.nodes[1].join(&channels()[1], Some(person("late")));
    world.pass(8);
    world.check();
}

fn event(nodes: usize) -> impl Strategy<Value = Event> {
    let node = 0..nodes;
    prop_oneof![
        6 => (node.clone(), 0..2_usize, 0..4_usize).prop_map(|(node, channel, person)| Event::Join { node, channel, person }),
        4 => (node.clone(), 0..8_usize).prop_map(|(node, seat)| Event::Leave { node, seat }),
        2 => (node.clone(), node.clone(), 0..8_usize).prop_map(|(from, to, seat)| Event::Move { from, to, seat }),
        1 => node.clone().prop_map(|node| Event::Death { node }),
        1 => (node.clone(), 1..120_u32).prop_map(|(node, turns)| Event::Pause { node, turns }),
        2 => (node, 1..120_u32).prop_map(|(node, turns)| Event::Cut { node, turns }),
        1 => Just(Event::Wipe),
        1 => Just(Event::GoBack),
        1 => Just(Event::Snapshot),
        1 => (0..5_usize).prop_map(|left| Event::Trim { left }),
        6 => (1..100_u32).prop_map(|turns| Event::Pass { turns }),
    ]
}

fn channels() -> [Channel; 2] {
    ["room".parse().unwrap(), "hall".parse().unwrap()]
}

fn people() -> [Option<Arc<Person>>; 4] {
    [None, Some(person("ada")), Some(person("bob")), Some(person("cyd"))]
}

fn person(name: &str) -> Arc<Person> {
    Arc::new(Person::new(Some(name), None).unwrap())
}

const GRACE: Duration = Duration::from_secs(5);

/// So many milliseconds a replica may be behind: a node is given up after 15 s, and gives a sign of life every 5 s by its clock.
const LITTLE: u64 = 9_000;

/// Milliseconds between two turns.
const TICK: u32 = 250;
