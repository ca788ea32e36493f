use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use geocast_geo_filter::{Bbox, Limits};
use proptest::prelude::*;

use super::*;
use crate::store::deletion_notice;

const BOUND: Bound = Bound { keys: 1_000, bytes: 1 << 20 };

fn event(payload: impl Into<Bytes>) -> Arc<Event> {
    Arc::new(Event::new("map".parse().expect("a channel"), payload.into(), 1, &Limits::default()))
}

fn point(key: u8, place: Option<i16>) -> Arc<Event> {
    let located = |x: i16| format!(r#"{{"type":"Point","coordinates":[{x},5]}}"#);
    let geometry = place.map_or_else(|| "null".to_owned(), located);
    event(format!(r#"{{"type":"Feature","id":{key},"geometry":{geometry}}}"#))
}

fn apply(mirror: &mut Mirror, event: &Arc<Event>, now: Instant) {
    mirror.apply(event, event.tracked(None).expect("a key"), now);
}

fn absorb(mirror: &mut Mirror, state: &[Arc<Event>], bound: Bound) -> usize {
    let keyed = state.iter().map(|event| (event, event.tracked(None).expect("a key")));
    mirror.absorb(keyed, bound, Instant::now())
}

/// The keys that a visit finds, each once.
fn visited(mirror: &Mirror, boxes: Option<&[Bbox]>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let bounds = boxes.map(|boxes| Bounds { boxes, for_points_alone: false });
    mirror.visit(bounds, |entry| {
        assert!(keys.insert(entry.key.json().into_owned()), "{:?} twice", entry.key);
    });
    keys
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8, Option<i16>),
    Delete(u8),
    BeginReading,
    /// The state as it was read: so many keys, all at this place.
    Read(BTreeSet<u8>, i16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..20_u8;
    let step = prop_oneof![
        6 => (key.clone(), proptest::option::weighted(0.9, -170..170_i16)).prop_map(|(key, place)| Step::Put(key, place)),
        2 => key.clone().prop_map(Step::Delete),
        1 => Just(Step::BeginReading),
        1 => (proptest::collection::btree_set(key, 0..10), -170..170_i16).prop_map(|(keys, x)| Step::Read(keys, x)),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn a_mirror_is_what_was_heard_and_read(steps in steps(), left in -180..180_i16, width in 0..90_i16) {
        let (mut mirror, now) = (Mirror::default(), Instant::now());
        let (mut model, mut heard) = (BTreeMap::<u8, Option<i16>>::new(), None::<BTreeSet<u8>>);
        for step in steps {
            match step {
                Step::Put(key, place) => {
                    apply(&mut mirror, &point(key, place), now);
                    model.insert(key, place);
                    heard.iter_mut().for_each(|heard| heard.extend([key]));
                }
                Step::Delete(key) => {
                    apply(&mut mirror, &event(deletion_notice(&key.to_string())), now);
                    model.remove(&key);
                    heard.iter_mut().for_each(|heard| heard.extend([key]));
                }
                Step::BeginReading => {
                    mirror.begin_reading();
                    heard = Some(BTreeSet::new());
                }
                Step::Read(keys, x) => {
                    let state: Vec<Arc<Event>> = keys.iter().map(|key| point(*key, Some(x))).collect();
                    prop_assert_eq!(absorb(&mut mirror, &state, BOUND), 0);
                    let newer = heard.take().unwrap_or_default();
                    model.retain(|key, _| newer.contains(key));
                    model.extend(keys.difference(&newer).map(|key| (*key, Some(x))));
                }
            }
        }
        let all: BTreeSet<String> = model.keys().map(u8::to_string).collect();
        prop_assert_eq!(visited(&mirror, None), all);
        let bbox = |left: i16, right: i16| {
            Bbox::try_from([f64::from(left), 0.0, f64::from(right), 10.0]).expect("a box")
        };
        // Two boxes that overlap.
        let boxes = [bbox(left, left + width), bbox(left + width / 2, left + width + 5)];
        let inside = model.iter().filter(|(_, place)| place.is_none_or(|x| (left..=left + width + 5).contains(&x)));
        let inside: BTreeSet<String> = inside.map(|(key, _)| key.to_string()).collect();
        prop_assert_eq!(visited(&mirror, Some(&boxes)), inside);
        let bytes: usize = mirror.entries.values().map(|entry| cost(&entry.event)).sum();
        prop_assert_eq!(mirror.bytes, bytes);
        prop_assert_eq!(mirror.places.size() + mirror.placeless.len(), model.len());
        prop_assert!(mirror.ages.len() <= 64 + 2 * 20 + 1);
    }
}

#[test]
fn a_deletion_that_stands_in_the_state_is_one() {
    let mut mirror = Mirror::default();
    absorb(&mut mirror, &[point(1, Some(5)), point(2, Some(5))], BOUND);
    absorb(&mut mirror, &[event(deletion_notice("1")), point(2, Some(5))], BOUND);
    assert_eq!(visited(&mirror, None), BTreeSet::from(["2".to_owned()]));
}

#[test]
fn what_was_read_and_comes_again_is_the_same() {
    let mut mirror = Mirror::default();
    mirror.begin_reading();
    absorb(&mut mirror, &[point(1, Some(5)), point(2, Some(5))], BOUND);
    let turn = |mirror: &Mirror, event: &Arc<Event>| mirror.turn(event, event.tracked(None).expect("a key"));
    assert_eq!(turn(&mirror, &point(1, Some(5))).after, After::Same);
    let version = mirror.version();
    apply(&mut mirror, &point(1, Some(5)), Instant::now());
    // Nobody is told of it again.
    assert_eq!(mirror.version(), version);
    // Its publication has come; the next one is news.
    assert_eq!(turn(&mirror, &point(1, Some(5))).after, After::Here);
    assert_eq!(turn(&mirror, &point(2, Some(6))).after, After::Here);
    assert!(turn(&mirror, &point(3, Some(6))).before.is_none());
}

#[test]
fn what_has_no_room_is_not_taken() {
    let mut mirror = Mirror::default();
    let state: Vec<Arc<Event>> = (0..10).map(|key| point(key, Some(5))).collect();
    assert_eq!(absorb(&mut mirror, &state, Bound { keys: 4, ..BOUND }), 6);
    assert_eq!(visited(&mirror, None).len(), 4);
    let bytes = mirror.bytes;
    let known: Vec<u8> = (0..10).filter(|key| visited(&mirror, None).contains(&key.to_string())).collect();
    let room = |event: &Arc<Event>, bound| mirror.has_room(event, event.tracked(None).expect("a key"), bound);
    assert!(room(&point(known[0], Some(6)), Bound { keys: 4, bytes }));
    assert!(!room(&point(99, Some(6)), Bound { keys: 4, bytes: 1 << 20 }));
    assert!(!room(&point(known[0], Some(-160)), Bound { keys: 4, bytes }), "three bytes more");
}

#[test]
fn the_oldest_expires_first_and_only_when_it_is_time() {
    let (mut mirror, start, second) = (Mirror::default(), Instant::now(), Duration::from_secs(1));
    apply(&mut mirror, &point(1, Some(5)), start);
    apply(&mut mirror, &point(2, Some(5)), start + second);
    apply(&mut mirror, &point(1, Some(6)), start + 2 * second);
    let expired = |mirror: &mut Mirror, now| {
        let key = mirror.expired(10 * second, now).map(|entry| entry.key.clone());
        key.map(|key| (mirror.remove(&key), key.json().into_owned()).1)
    };
    assert_eq!(expired(&mut mirror, start + 10 * second), None);
    assert_eq!(expired(&mut mirror, start + 11 * second).as_deref(), Some("2"));
    assert_eq!(expired(&mut mirror, start + 11 * second), None);
    assert_eq!(expired(&mut mirror, start + 12 * second).as_deref(), Some("1"));
    assert_eq!(expired(&mut mirror, start + 99 * second), None);
    assert_eq!(mirror.bytes, 0);
}

#[test]
fn what_is_immeasurably_far_away_has_its_place() {
    let mut mirror = Mirror::default();
    let far = |key: usize, y: &str| {
        let geometry = format!(r#"{{"type":"Point","coordinates":[{},{y}]}}"#, key % 100);
        event(format!(r#"{{"type":"Feature","id":{key},"geometry":{geometry}}}"#))
    };
    for key in 0..300 {
        let y = if key < 150 { "1.7e308" } else { ["-1.7e308", "5"][key % 2] };
        apply(&mut mirror, &far(key, y), Instant::now());
    }
    assert_eq!(visited(&mirror, Some(&[Bbox::EVERYTHING])).len(), 300);
    let near = Bbox::try_from([-180.0, 0.0, 180.0, 10.0]).expect("a box");
    assert_eq!(visited(&mirror, Some(&[near])).len(), 75);
    for key in 0..300 {
        apply(&mut mirror, &event(deletion_notice(&key.to_string())), Instant::now());
    }
    assert_eq!((mirror.places.size(), mirror.bytes), (0, 0));
}

#[test]
fn what_is_read_again_is_as_young_as_what_is_heard_of() {
    let (mut mirror, second) = (Mirror::default(), Duration::from_secs(1));
    let start = Instant::now().checked_sub(9 * second).expect("the machine runs for some time");
    apply(&mut mirror, &point(1, Some(5)), start);
    apply(&mut mirror, &point(2, Some(5)), start);
    let version = mirror.version();
    mirror.begin_reading();
    absorb(&mut mirror, &[point(1, Some(5)), point(2, Some(5))], BOUND);
    assert_eq!(mirror.version(), version, "nothing has changed");
    assert!(mirror.expired(10 * second, start + 12 * second).is_none());
    assert!(mirror.expired(10 * second, Instant::now() + 11 * second).is_some());
}

#[test]
fn what_is_gone_makes_room_and_what_has_none_is_not_shown_as_it_was() {
    let mut mirror = Mirror::default();
    let bound = Bound { keys: 2, ..BOUND };
    absorb(&mut mirror, &[point(1, Some(5)), point(2, Some(5))], bound);
    assert_eq!(absorb(&mut mirror, &[point(3, Some(5)), point(4, Some(5))], bound), 0);
    assert_eq!(visited(&mirror, None), BTreeSet::from(["3".to_owned(), "4".to_owned()]));
    let bound = Bound { bytes: mirror.bytes, ..bound };
    assert_eq!(absorb(&mut mirror, &[point(3, Some(5)), point(4, Some(-160))], bound), 1);
    assert_eq!(visited(&mirror, None), BTreeSet::from(["3".to_owned()]));
}

#[test]
fn what_stands_in_one_place_with_many_others_is_not_searched_for() {
    let bound = Bound { keys: 20_000, bytes: 1 << 30 };
    let state = |round: u8, x: f64| -> Vec<Arc<Event>> {
        let feature = |key: usize| {
            let geometry = format!(r#"{{"type":"Point","coordinates":[{x:?},0]}}"#);
            event(format!(r#"{{"type":"Feature","id":{key},"round":{round},"geometry":{geometry}}}"#))
        };
        (0..20_000).map(feature).collect()
    };
    let mut mirror = Mirror::default();
    let start = Instant::now();
    absorb(&mut mirror, &state(0, 0.0), bound);
    // What this machine takes at this time for one of the seven rounds, of which none has much to search.
    let round = start.elapsed();
    let start = Instant::now();
    absorb(&mut mirror, &state(1, 0.0), bound);
    // They stay where they are, leave together, and are gone.
    for moved in [state(2, 0.0), state(3, 1e-7), state(4, 50.0), state(5, -1e300)] {
        moved.iter().for_each(|event| apply(&mut mirror, event, start));
    }
    assert_eq!(mirror.places.size(), 20_000);
    let gone = (0..20_000).map(|key: usize| event(deletion_notice(&key.to_string())));
    gone.for_each(|event| apply(&mut mirror, &event, start));
    // Each one searched for took more than a minute here, in a debug build.
    let most = Duration::from_secs(20).max(50 * round);
    assert!(start.elapsed() < most, "{:?}, of {most:?} at most", start.elapsed());
    assert_eq!(mirror.places.size(), 0);
}
