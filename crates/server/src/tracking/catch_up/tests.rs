use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use geocast_geo_filter::{AxisOrder, Catalogue, Limits};
use geocast_protocol::{ChangeFormat, text::Members};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    AbsentClientReference, Event,
    dialect::{AnyDialect, Text},
    hashing::HashSet,
    interest::{Tracking, Window},
    session::{Naming, Viewport},
    store::deletion_notice,
    tracking::versions::{Memory, Versions},
};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load().expect("a catalogue"));

/// A channel and somebody who is behind on it, or falls behind again as soon as it is up to date.
struct Scene {
    channel: Channel,
    mirror: Mirror,
    expired: HashSet<TrackKey>,
    behind: Behind,
    dialect: AnyDialect,
    /// What the subscriber has, as its map says: numbers of rounds by key.
    map: BTreeMap<u64, u64>,
    round: u64,
}

impl Scene {
    fn new() -> Self {
        let dialect = AnyDialect::new(Text::new(AbsentClientReference::Null));
        let nothing = Versions::new(&Rc::new(Memory::default()));
        Self {
            channel: "map".parse().expect("a channel"),
            mirror: Mirror::default(),
            expired: HashSet::default(),
            behind: Behind::new(nothing, sight(&dialect, None)),
            dialect,
            map: BTreeMap::new(),
            round: 0,
        }
    }

    fn put(&mut self, key: u64, x: i16) {
        self.round += 1;
        let round = self.round;
        self.publish(format!(
            r#"{{"type":"Feature","id":{key},"geometry":{{"type":"Point","coordinates":[{x},5]}},"properties":{{"round":{round}}}}}"#
        ));
    }

    fn delete(&mut self, key: u64) {
        let notice = deletion_notice(&key.to_string());
        self.publish(String::from_utf8(notice.to_vec()).expect("text"));
    }

    fn publish(&mut self, payload: String) {
        let event = Event::new(self.channel.clone(), payload.into(), 1, &Limits::default());
        let event = Arc::new(event);
        self.mirror.apply(&event, event.tracked(None).expect("a key"), Instant::now());
    }

    fn look(&mut self, bbox: Option<[f64; 4]>) {
        self.behind.look(sight(&self.dialect, bbox));
    }

    /// Takes up what so many bytes tell, strictly. Returns the changes, and whether it is up to date.
    fn catch_up(&mut self, room: usize) -> (Vec<&'static str>, bool) {
        let Self { channel, mirror, expired, .. } = self;
        let (frames, is_all) = self.behind.catch_up(Source { channel, mirror, expired }, room);
        let changes = frames.iter().flat_map(|frame| frame.payloads().collect::<Vec<_>>());
        let changes = changes.map(|payload| {
            let envelope: Value = serde_json::from_slice(&payload).expect("an envelope");
            let content = &envelope["content"];
            let key = content["key"].as_u64().expect("a key");
            let round = content["feature"]["properties"]["round"].as_u64();
            match content["change"].as_str() {
                Some("enter") => {
                    assert_eq!(self.map.insert(key, round.expect("a round")), None, "it has {key}");
                    "enter"
                }
                Some("update") => {
                    let before = self.map.insert(key, round.expect("a round")).expect("it has it");
                    assert!(Some(before) <= round, "{key}: {before} before {round:?}");
                    "update"
                }
                Some("leave") => {
                    assert!(self.map.remove(&key).is_some(), "it does not have {key}");
                    "leave"
                }
                _ => panic!("{envelope}"),
            }
        });
        let changes = changes.collect();
        if is_all {
            let sight = self.behind.sight.clone();
            let mut has = Versions::new(&Rc::new(Memory::default()));
            self.mirror.visit(sight.bounds(), |entry| {
                if sight.shows(&entry.event).is_ok() {
                    has.insert(entry.key.clone(), entry.version);
                }
            });
            self.behind = Behind::with(Rc::new(has), sight);
        }
        (changes, is_all)
    }
}

fn sight(dialect: &AnyDialect, bbox: Option<[f64; 4]>) -> Sight {
    let window = bbox.map(|corners| {
        let crs = CATALOGUE.crs(4326).expect("it is known");
        let region = CATALOGUE.region(crs, AxisOrder::Xy, corners).expect("a box");
        Arc::new(Window::new(
            Viewport { corners, region, crs, members: Members::Whole, zoom: None, naming: Naming::next() },
            None,
        ))
    });
    let tracking = Some(Tracking::Following(ChangeFormat::default()));
    Sight { window, tracking, ..Sight::of_everything(dialect.clone()) }
}

#[derive(Debug, Clone)]
enum Step {
    Put(u64, i16),
    Delete(u64),
    Look(Option<i16>),
    Tell(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..20_u64;
    let step = prop_oneof![
        8 => (key.clone(), 0..40_i16).prop_map(|(key, x)| Step::Put(key, x)),
        3 => key.prop_map(Step::Delete),
        1 => proptest::option::weighted(0.8, 0..30_i16).prop_map(Step::Look),
        3 => (1..2_000_usize).prop_map(Step::Tell),
    ];
    proptest::collection::vec(step, 0..80)
}

proptest! {
    #[test]
    fn whoever_catches_up_has_what_is_in_sight(steps in steps()) {
        let mut scene = Scene::new();
        let (mut model, mut seen) = (BTreeMap::<u64, (i16, u64)>::new(), None::<i16>);
        let tell = |scene: &mut Scene, room| {
            let (changes, _) = scene.catch_up(room);
            assert!(changes.len() <= 1 + room / 100, "{} in {room} bytes", changes.len());
        };
        for step in steps {
            match step {
                Step::Put(key, x) => {
                    scene.put(key, x);
                    model.insert(key, (x, scene.round));
                }
                Step::Delete(key) => {
                    scene.delete(key);
                    model.remove(&key);
                }
                Step::Look(left) => {
                    seen = left;
                    scene.look(left.map(|left| [left.into(), 0.0, f64::from(left) + 10.0, 10.0]));
                }
                Step::Tell(room) => tell(&mut scene, room),
            }
        }
        while !scene.catch_up(500).1 {}
        model.retain(|_, (x, _)| seen.is_none_or(|left| (left..=left + 10).contains(x)));
        let expected: BTreeMap<u64, u64> = model.into_iter().map(|(key, (_, round))| (key, round)).collect();
        prop_assert_eq!(&scene.map, &expected);
    }
}

#[test]
fn a_large_state_is_told_in_parts_without_going_through_it_for_each() {
    let (mut scene, keys) = (Scene::new(), 30_000);
    let start = Instant::now();
    (0..keys).for_each(|key| scene.put(key, 5));
    // What this machine takes at this time to go through it once.
    let once = start.elapsed();
    let start = Instant::now();
    let mut parts = 0;
    loop {
        let (changes, is_all) = scene.catch_up(1_000);
        assert!(changes.len() < 10);
        if is_all {
            break;
        }
        parts += 1;
        // It changes all the while.
        scene.put(parts % 100, 6);
    }
    assert_eq!(scene.map.len(), keys as usize);
    assert!(parts > 5_000, "{parts} parts");
    // Going through it for each part took more than a minute here, in a debug build.
    let most = Duration::from_secs(20).max(50 * once);
    assert!(start.elapsed() < most, "{:?}, of {most:?} at most", start.elapsed());
}

#[test]
fn what_leaves_comes_first() {
    let mut scene = Scene::new();
    (0..3_000).for_each(|key| scene.put(key, 5));
    while !scene.catch_up(100_000).1 {}
    (0..2_900).for_each(|key| scene.put(key, 6));
    (2_900..3_000).for_each(|key| scene.delete(key));
    let mut told = Vec::new();
    loop {
        let (changes, is_all) = scene.catch_up(10_000);
        told.extend(changes);
        if is_all {
            break;
        }
    }
    assert_eq!(told.len(), 3_000);
    assert!(told[..100].iter().all(|change| *change == "leave") && !told[100..].contains(&"leave"));
}
