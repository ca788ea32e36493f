use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::*;

fn channel(number: u8) -> Channel {
    format!("c{number}").parse().unwrap()
}

fn address(number: u16) -> Address {
    Address::Tcp { host: "h".to_owned(), port: number }
}

/// Two masters, of which the first has the slots below the bound.
fn halves(bound: u16) -> Arc<Topology> {
    let claims = vec![(0, bound - 1, address(1)), (bound, 16383, address(2))];
    Arc::new(Topology::cluster(claims).unwrap())
}

/// The channels that are to be subscribed at an address.
fn asked(placements: &mut Placements, at: u16) -> Vec<Channel> {
    let id = placements.masters.at(&address(at));
    placements.take_changes(id, 99).subscribe
}

/// A channel that is in force with the first of two masters.
fn heard() -> (Placements, Channel, ShardId) {
    let (mut placements, a) = (Placements::default(), channel(1));
    placements.locate(&halves(topology_slot(&a) + 1));
    let standing = placements.want(&a);
    assert_eq!(asked(&mut placements, 1), std::slice::from_ref(&a));
    let id = placements.masters.at(&address(1));
    placements.subscribed(id, &a);
    assert_eq!(*standing.borrow(), Standing::InForce);
    (placements, a, id)
}

fn topology_slot(channel: &Channel) -> u16 {
    crate::store::redis::topology::slot(channel)
}

#[test]
fn channels_wait_until_it_is_known_who_has_them() {
    let (mut placements, a, b) = (Placements::default(), channel(1), channel(2));
    drop((placements.want(&a), placements.want(&b)));
    assert!(placements.is_any_nowhere() && placements.to_open(|_| false).is_empty());
    placements.locate(&halves(8000));
    placements.retry();
    assert!(!placements.is_any_nowhere());
    let mut channels = [asked(&mut placements, 1), asked(&mut placements, 2)].concat();
    channels.sort();
    assert_eq!(channels, [a, b]);
}

#[test]
fn a_new_subscription_is_no_gap_and_a_lost_one_is() {
    let (mut placements, a, id) = heard();
    assert_eq!((placements.take_regained(), placements.trouble()), (vec![], None));
    placements.lost(id, "gone".to_owned());
    assert!(placements.trouble().unwrap().contains("gone"));
    placements.retry();
    assert_eq!(asked(&mut placements, 1), std::slice::from_ref(&a));
    placements.live(id, None);
    assert_eq!(placements.trouble().unwrap(), "nothing is heard of the shards of 1 channels");
    placements.subscribed(id, &a);
    assert_eq!((placements.take_regained(), placements.trouble()), (vec![a], None));
    assert!(placements.take_regained().is_empty());
}

#[test]
fn nobody_is_told_of_what_was_given_up_meanwhile() {
    let (mut placements, a, id) = heard();
    placements.lost(id, "gone".to_owned());
    placements.release(&a);
    placements.live(id, None);
    placements.retry();
    assert_eq!((asked(&mut placements, 1), placements.trouble()), (vec![], None));
    drop(placements.want(&a));
    assert_eq!(asked(&mut placements, 1), std::slice::from_ref(&a));
    placements.subscribed(id, &a);
    assert!(placements.take_regained().is_empty());
}

#[test]
fn a_replaced_master_is_left() {
    let (mut placements, a, id) = heard();
    let others = Topology::cluster(vec![(0, 16383, address(3))]).unwrap();
    assert_eq!(placements.locate(&Arc::new(others)), [id]);
    placements.retry();
    assert_eq!(asked(&mut placements, 3), std::slice::from_ref(&a));
    assert_eq!(placements.to_open(|_| false).len(), 1);
    let id = placements.masters.at(&address(3));
    placements.subscribed(id, &a);
    assert_eq!(placements.take_regained(), [a]);
}

#[test]
fn one_who_does_not_know_that_it_lost_a_slot_is_left_in_the_end() {
    let (mut placements, a, id) = heard();
    placements.locate(&halves(topology_slot(&a)));
    placements.check();
    assert!(placements.take_changes(id, 9).unsubscribe.is_empty(), "it may have been told a moment ago");
    // Then the others were wrong.
    placements.locate(&halves(topology_slot(&a) + 1));
    placements.check();
    placements.locate(&halves(topology_slot(&a)));
    placements.check();
    assert!(placements.take_changes(id, 9).unsubscribe.is_empty());
    placements.check();
    assert_eq!(placements.take_changes(id, 9).unsubscribe, std::slice::from_ref(&a));
    assert!(placements.trouble().is_some());
    placements.left(id, &a);
    assert_eq!(asked(&mut placements, 2), std::slice::from_ref(&a));
    let id = placements.masters.at(&address(2));
    placements.subscribed(id, &a);
    assert_eq!((placements.take_regained(), placements.trouble()), (vec![a], None));
}

#[test]
fn a_channel_is_sent_on_once() {
    let (mut placements, a, id) = heard();
    placements.ended(id, &a);
    assert_eq!(asked(&mut placements, 1), std::slice::from_ref(&a), "who has lost it knows who has it");
    placements.turned_away(id, &a, Some(&address(2)));
    assert!(placements.take_doubt() && !placements.is_any_nowhere());
    assert_eq!(asked(&mut placements, 2), std::slice::from_ref(&a));
    let other = placements.masters.at(&address(2));
    placements.turned_away(other, &a, Some(&address(1)));
    assert!(placements.is_any_nowhere(), "they contradict each other");
    placements.retry();
    assert_eq!(asked(&mut placements, 1), std::slice::from_ref(&a));
    placements.turned_away(id, &a, Some(&address(3)));
    assert!(placements.is_any_nowhere(), "of whom nobody has told");
    placements.retry();
    asked(&mut placements, 1);
    placements.subscribed(id, &a);
    assert_eq!(placements.take_regained(), [a]);
}

#[test]
fn a_subscription_that_has_to_wait_for_its_master_comes_with_a_gap() {
    let (mut placements, a, id) = heard();
    placements.release(&a);
    placements.lost(id, "gone".to_owned());
    drop(placements.want(&a));
    placements.retry();
    placements.live(id, None);
    for _ in 0..2 {
        // It breaks once more while the answer is on its way.
        assert_eq!(asked(&mut placements, 1), std::slice::from_ref(&a));
        assert_eq!(placements.trouble().unwrap(), "nothing is heard of the shards of 1 channels");
        placements.lost(id, "gone".to_owned());
        placements.retry();
        placements.live(id, None);
    }
    asked(&mut placements, 1);
    placements.subscribed(id, &a);
    assert_eq!((placements.take_regained(), placements.trouble()), (vec![a], None));
}

#[test]
fn a_subscription_under_way_when_its_master_goes_comes_with_a_gap() {
    let (mut placements, a, id) = heard();
    placements.release(&a);
    placements.take_changes(id, 9);
    placements.left(id, &a);
    drop(placements.want(&a));
    asked(&mut placements, 1);
    placements.lost(id, "gone".to_owned());
    placements.retry();
    asked(&mut placements, 1);
    placements.live(id, None);
    placements.subscribed(id, &a);
    assert_eq!((placements.take_regained(), placements.trouble()), (vec![a], None));
}

#[test]
fn a_right_that_is_given_back_is_noticed() {
    for was_heard in [true, false] {
        let (mut placements, a, id) = heard();
        if !was_heard {
            placements.release(&a);
            placements.take_changes(id, 9);
            placements.left(id, &a);
            drop(placements.want(&a));
        } else {
            placements.lost(id, "killed".to_owned());
            placements.retry();
            placements.live(id, None);
        }
        for _ in 0..3 {
            assert_eq!(asked(&mut placements, 1), std::slice::from_ref(&a));
            placements.refused(id, &a, "NOPERM");
            assert_eq!(placements.trouble().is_some(), was_heard, "only what was heard is missing");
            assert!(asked(&mut placements, 1).is_empty(), "it is asked for with the probes");
            placements.check();
        }
        asked(&mut placements, 1);
        placements.subscribed(id, &a);
        assert_eq!((placements.take_regained(), placements.trouble()), (vec![a], None));
    }
}

#[test]
fn what_cannot_be_is_given_up() {
    let (mut placements, a, b) = (Placements::default(), channel(1), channel(2));
    let waiting = placements.want(&a);
    placements.give_up("no");
    assert_eq!(placements.given_up(), Some("no"));
    for standing in [waiting, placements.want(&b)] {
        assert_eq!(*standing.borrow(), Standing::Refused("no".to_owned()));
    }
    placements.release(&a);
    placements.locate(&halves(8000));
    assert_eq!((placements.trouble(), placements.to_open(|_| false).len()), (None, 0));
    assert!(!placements.is_any_nowhere() && !placements.is_proven());
    placements.take_up();
    assert_eq!(placements.given_up(), None);
    let at = [1, 2].into_iter().find(|at| asked(&mut placements, *at) == std::slice::from_ref(&b));
    let id = placements.masters.at(&address(at.unwrap()));
    placements.subscribed(id, &b);
    assert_eq!((placements.take_regained(), placements.is_proven()), (vec![b], true));
}

/// One step of a run.
#[derive(Debug, Clone)]
enum Step {
    Want(u8),
    Release(u8),
    /// A master hears a batch.
    Hear(u16, usize),
    /// A master answers what it heard first.
    Answer(u16),
    /// Slots go over from one to the other, of which we hear or not.
    Move(u16, bool),
    /// A connection breaks.
    Lose(u16),
    Retry,
    Check,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..6_u8).prop_map(Step::Want),
        5 => (0..6_u8).prop_map(Step::Release),
        4 => (1..3_u16, 1..5_usize).prop_map(|(at, limit)| Step::Hear(at, limit)),
        6 => (1..3_u16).prop_map(Step::Answer),
        2 => (1..16383_u16, any::<bool>()).prop_map(|(bound, told)| Step::Move(bound, told)),
        1 => (1..3_u16).prop_map(Step::Lose),
        2 => Just(Step::Retry),
        1 => Just(Step::Check),
    ]
}

/// Two masters, as they are.
struct Cluster {
    bound: u16,
    heard: BTreeMap<u16, VecDeque<(Channel, bool)>>,
    subscribed: BTreeMap<u16, BTreeSet<Channel>>,
}

impl Cluster {
    fn has(&self, at: u16, channel: &Channel) -> bool {
        (topology_slot(channel) < self.bound) == (at == 1)
    }

    fn hear(&mut self, at: u16, changes: Changes) -> bool {
        let Changes { subscribe, unsubscribe } = changes;
        let any = !subscribe.is_empty() || !unsubscribe.is_empty();
        let heard = self.heard.entry(at).or_default();
        heard.extend(unsubscribe.into_iter().map(|channel| (channel, false)));
        heard.extend(subscribe.into_iter().map(|channel| (channel, true)));
        any
    }

    fn answer(&mut self, at: u16, placements: &mut Placements) -> bool {
        let Some((channel, on)) = self.heard.entry(at).or_default().pop_front() else { return false };
        let id = placements.masters.at(&address(at));
        let has = self.has(at, &channel);
        let subscribed = self.subscribed.entry(at).or_default();
        match (on, has) {
            (true, true) => {
                assert!(subscribed.insert(channel.clone()), "{channel} was subscribed twice");
                placements.subscribed(id, &channel);
            }
            (true, false) => placements.turned_away(id, &channel, Some(&address(3 - at))),
            (false, _) => {
                subscribed.remove(&channel);
                placements.left(id, &channel);
            }
        }
        true
    }

    fn move_to(&mut self, bound: u16, placements: &mut Placements) {
        self.bound = bound;
        for at in [1, 2] {
            let id = placements.masters.at(&address(at));
            let lost: Vec<Channel> = self.subscribed.entry(at).or_default().iter().cloned().collect();
            for channel in lost {
                if self.has(at, &channel) {
                    continue;
                }
                self.subscribed.entry(at).or_default().remove(&channel);
                placements.ended(id, &channel);
            }
        }
    }
}

proptest! {
    #[test]
    fn ends_with_what_is_wanted_where_it_is(steps in prop::collection::vec(step(), 0..150)) {
        let mut placements = Placements::default();
        let mut cluster = Cluster { bound: 8000, heard: BTreeMap::new(), subscribed: BTreeMap::new() };
        placements.locate(&halves(8000));
        let mut wanted = BTreeMap::new();
        for step in steps {
            match step {
                Step::Want(number) => {
                    placements.want(&channel(number));
                    *wanted.entry(channel(number)).or_insert(0) += 1;
                }
                Step::Release(number) => {
                    placements.release(&channel(number));
                    let count = wanted.entry(channel(number)).or_insert(0_u32);
                    *count = count.saturating_sub(1);
                }
                Step::Hear(at, limit) => {
                    let id = placements.masters.at(&address(at));
                    let changes = placements.take_changes(id, limit);
                    cluster.hear(at, changes);
                }
                Step::Answer(at) => drop(cluster.answer(at, &mut placements)),
                Step::Move(bound, told) => {
                    cluster.move_to(bound, &mut placements);
                    if told {
                        placements.locate(&halves(bound));
                    }
                }
                Step::Lose(at) => {
                    let id = placements.masters.at(&address(at));
                    cluster.heard.remove(&at);
                    cluster.subscribed.remove(&at);
                    placements.lost(id, "lost".to_owned());
                }
                Step::Retry => placements.retry(),
                Step::Check => placements.check(),
            }
            for at in [1, 2] {
                let id = placements.masters.at(&address(at));
                prop_assert_eq!(placements.in_flight(id), cluster.heard.get(&at).map_or(0, VecDeque::len));
            }
        }
        placements.locate(&halves(cluster.bound));
        for _ in 0..4 {
            placements.retry();
            placements.check();
            loop {
                let mut any = false;
                for at in [1, 2] {
                    let id = placements.masters.at(&address(at));
                    placements.live(id, None);
                    let changes = placements.take_changes(id, 2);
                    any |= cluster.hear(at, changes) | cluster.answer(at, &mut placements);
                }
                if !any { break; }
            }
        }
        let wanted: BTreeSet<Channel> =
            wanted.into_iter().filter(|(_, count)| *count > 0).map(|(channel, _)| channel).collect();
        let heard: BTreeSet<Channel> = cluster.subscribed.values().flatten().cloned().collect();
        prop_assert_eq!(&heard, &wanted);
        for (at, channels) in &cluster.subscribed {
            prop_assert!(channels.iter().all(|channel| cluster.has(*at, channel)));
        }
        prop_assert_eq!((placements.trouble(), placements.is_any_nowhere()), (None, false));
        prop_assert_eq!(placements.entries.len(), wanted.len(), "nothing is left of what is not wanted");
    }
}
