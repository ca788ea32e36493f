use std::cell::Cell;

use proptest::prelude::*;

use super::Hub;
use crate::{CohortId, Index, Interest, Refused, Sink, Traffic};

/// Wants multiples of a number, rendered in a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Multiples {
    of: u32,
    base: u32,
}

/// Names no cohort for zero, and all of them for any other number.
#[derive(Debug, Default)]
struct Positive(Vec<CohortId>);

/// A number that remembers how often it was rendered.
struct Number {
    value: u32,
    rendered: Cell<usize>,
}

#[derive(Debug, Default)]
struct Received(Vec<String>);

impl Interest for Multiples {
    type Event = Number;
    type Form = u32;
    type Rendering = String;
    type Withheld = &'static str;
    type Index = Positive;

    const PASSED_OVER: &'static str = "passed over";

    fn decide(&self, event: &Number) -> Result<u32, &'static str> {
        if event.value.is_multiple_of(self.of) { Ok(self.base) } else { Err("no multiple") }
    }

    fn render(event: &Number, base: &u32) -> Result<String, &'static str> {
        event.rendered.set(event.rendered.get() + 1);
        match base {
            10 => Ok(event.value.to_string()),
            16 => Ok(format!("{:x}", event.value)),
            _ => Err("unknown base"),
        }
    }

    fn join(renderings: &[String]) -> String {
        renderings.join(" ")
    }
}

impl Index<Multiples> for Positive {
    fn insert(&mut self, cohort: CohortId, _: &Multiples) {
        self.0.push(cohort);
    }

    fn remove(&mut self, cohort: CohortId, _: &Multiples) {
        let place = self.0.iter().position(|other| *other == cohort).expect("what is removed was inserted");
        self.0.remove(place);
    }

    fn candidates(&self, event: &Number, visit: impl FnMut(CohortId)) {
        self.0.iter().copied().filter(|_| event.value > 0).for_each(visit);
    }
}

impl Sink<String> for Received {
    fn push(&mut self, rendering: &String, _: u32) -> Result<(), Refused> {
        if self.0.len() == 3 {
            return Err(Refused::Full);
        }
        self.0.push(rendering.clone());
        Ok(())
    }
}

fn number(value: u32) -> Number {
    Number { value, rendered: Cell::new(0) }
}

fn dirty<C: Clone + std::fmt::Debug + Eq + std::hash::Hash>(
    hub: &mut Hub<C, Multiples, Received>,
) -> Vec<crate::SubscriberId> {
    let mut ids = Vec::new();
    hub.drain_dirty(|id, _| ids.push(id));
    ids.sort();
    ids
}

#[test]
fn several_events_are_joined_for_a_crowd_and_keep_their_order() {
    let mut hub: Hub<&str, Multiples, Received> = Hub::new();
    let crowd: Vec<_> = (0..5).map(|_| hub.connect(Received::default())).collect();
    for id in &crowd {
        hub.subscribe(*id, &"numbers", Multiples { of: 1, base: 10 });
    }
    let alone = hub.connect(Received::default());
    hub.subscribe(alone, &"numbers", Multiples { of: 2, base: 10 });
    let events = [number(1), number(2), number(0), number(4)];
    let fanout = hub.publish("numbers", &events);
    assert!(events.iter().all(|event| event.rendered.get() <= 1), "both cohorts want the same form");
    assert_eq!((fanout.taken, fanout.refused), (5 * 3 + 2, 0));
    assert_eq!(fanout.withheld, vec![("no multiple", 1), ("passed over", 6)]);
    assert_eq!(fanout.total(), 4 * 6);
    assert_eq!(hub.sink(crowd[0]).map(|sink| sink.0.clone()), Some(vec!["1 2 4".to_owned()]));
    assert_eq!(hub.sink(alone).map(|sink| sink.0.clone()), Some(vec!["2".to_owned(), "4".to_owned()]));
    assert_eq!(dirty(&mut hub).len(), 6);
}

#[test]
fn those_who_stay_keep_their_places_when_others_leave() {
    let mut hub: Hub<&str, Multiples, Received> = Hub::new();
    let ids: Vec<_> = (0..6).map(|_| hub.connect(Received::default())).collect();
    for id in &ids {
        hub.subscribe(*id, &"numbers", Multiples { of: 1, base: 10 });
    }
    hub.unsubscribe(ids[1], "numbers");
    hub.subscribe(ids[0], &"numbers", Multiples { of: 7, base: 10 });
    hub.disconnect(ids[5]);
    hub.unsubscribe(ids[2], "numbers");
    assert_eq!(hub.publish("numbers", [&number(1)]).taken, 2);
    assert_eq!(dirty(&mut hub), vec![ids[3], ids[4]]);
    hub.disconnect(ids[3]);
    assert_eq!(hub.publish("numbers", [&number(7)]).taken, 2);
    assert_eq!(dirty(&mut hub), vec![ids[0], ids[4]]);
}

#[test]
fn each_form_is_rendered_once_and_everybody_is_accounted_for() {
    let mut hub: Hub<&str, Multiples, Received> = Hub::new();
    let ids: Vec<_> = (0..10).map(|_| hub.connect(Received::default())).collect();
    for (position, id) in ids.iter().enumerate() {
        let base = if position < 5 { 10 } else { 16 };
        hub.subscribe(*id, &"numbers", Multiples { of: if position == 0 { 7 } else { 1 }, base });
    }
    let ninth = hub.connect(Received::default());
    hub.subscribe(ninth, &"numbers", Multiples { of: 1, base: 3 });

    let event = number(30);
    let fanout = hub.publish("numbers", [&event]);
    assert_eq!(event.rendered.get(), 3, "decimal, hexadecimal and the base that fails");
    assert_eq!((fanout.taken, fanout.refused), (9, 0));
    assert_eq!(fanout.withheld, vec![("no multiple", 1), ("unknown base", 1)]);
    let mut expected = ids[1..].to_vec();
    expected.sort();
    assert_eq!(dirty(&mut hub), expected);
    assert!(dirty(&mut hub).is_empty());
    assert_eq!(hub.sink(ids[9]).map(|sink| sink.0.clone()), Some(vec!["1e".to_owned()]));
}

#[test]
fn a_full_sink_is_refused_and_the_others_go_on() {
    let mut hub: Hub<&str, Multiples, Received> = Hub::new();
    let full = hub.connect(Received(vec![String::new(); 3]));
    let fresh = hub.connect(Received::default());
    for id in [full, fresh] {
        hub.subscribe(id, &"numbers", Multiples { of: 1, base: 10 });
    }
    let fanout = hub.publish("numbers", [&number(1)]);
    assert_eq!((fanout.taken, fanout.refused), (1, 1));
}

#[test]
fn channels_come_and_go_with_their_subscribers() {
    let mut hub: Hub<String, Multiples, Received> = Hub::new();
    let interest = Multiples { of: 1, base: 10 };
    let (one, two) = (hub.connect(Received::default()), hub.connect(Received::default()));
    assert!(hub.subscribe(one, &"a".to_owned(), interest));
    assert!(!hub.subscribe(two, &"a".to_owned(), interest));
    assert!(!hub.subscribe(two, &"a".to_owned(), interest), "subscribing again replaces the interest");
    assert_eq!(hub.audience("a"), 2);
    assert!(!hub.unsubscribe(one, "a"));
    assert!(!hub.unsubscribe(one, "a"), "a subscription that does not exist ends nothing");
    assert!(hub.unsubscribe(two, "a"));
    assert!(hub.subscribe(two, &"b".to_owned(), interest));
    let (_, silent) = hub.disconnect(two).expect("two is connected");
    assert_eq!(silent, vec!["b".to_owned()]);
    assert!(hub.disconnect(two).is_none());
    assert!(!hub.subscribe(two, &"c".to_owned(), interest));
    assert_eq!(hub.publish("b", [&number(1)]).total(), 0);
}

#[test]
fn a_replay_reaches_one_subscriber_of_the_channel() {
    let mut hub: Hub<&str, Multiples, Received> = Hub::new();
    let (late, other, stranger) = (
        hub.connect(Received::default()),
        hub.connect(Received::default()),
        hub.connect(Received::default()),
    );
    for id in [late, other] {
        hub.subscribe(id, &"numbers", Multiples { of: 2, base: 10 });
    }
    assert_eq!(hub.replay(late, "numbers", &number(4)).taken, 1);
    assert_eq!(hub.replay(late, "numbers", &number(5)).withheld, vec![("no multiple", 1)]);
    assert_eq!(hub.replay(stranger, "numbers", &number(4)).total(), 0);
    assert_eq!(dirty(&mut hub), vec![late]);
}

proptest! {
    /// Against a plain table of who wants what: the same deliveries, and nobody counted twice or not at all.
    #[test]
    fn fanout_equals_the_naive_table(
        steps in prop::collection::vec((0_usize..8, 0_u32..4, 1_u32..5, 0_u32..4), 1..80),
    ) {
        let mut hub: Hub<u32, Multiples, Received> = Hub::new();
        let ids: Vec<_> = (0..8).map(|_| hub.connect(Received::default())).collect();
        let mut table = std::collections::BTreeMap::new();
        let mut traffic = std::collections::BTreeMap::<u32, Traffic>::new();
        for (who, channel, of, action) in steps {
            match action {
                0 => {
                    hub.unsubscribe(ids[who], &channel);
                    table.remove(&(channel, who));
                }
                1 => {
                    let fanout = hub.publish(&channel, [&number(12 + of)]);
                    let audience = table.range((channel, 0)..(channel + 1, 0));
                    let wanted = audience.clone().filter(|(_, multiple)| (12 + of).is_multiple_of(**multiple));
                    prop_assert_eq!(fanout.total(), audience.count() as u64);
                    let granted = wanted.count() as u64;
                    prop_assert_eq!(fanout.taken + fanout.refused, granted);
                    let so_far = traffic.entry(channel).or_default();
                    so_far.events += 1;
                    so_far.granted += granted;
                }
                _ => {
                    hub.subscribe(ids[who], &channel, Multiples { of, base: 10 });
                    table.insert((channel, who), of);
                }
            }
            // What a channel has had is forgotten with its last subscriber.
            traffic.retain(|channel, _| table.range((*channel, 0)..(*channel + 1, 0)).next().is_some());
            for channel in 0..4 {
                let known = table.range((channel, 0)..(channel + 1, 0)).next();
                let expected = known.map(|_| traffic.get(&channel).copied().unwrap_or_default());
                prop_assert_eq!(hub.traffic(&channel), expected);
            }
        }
    }
}

#[test]
fn a_subscription_knows_what_became_of_its_events() {
    let mut hub: Hub<&str, Multiples, Received> = Hub::new();
    let early = hub.connect(Received::default());
    hub.subscribe(early, &"numbers", Multiples { of: 2, base: 10 });
    hub.publish(&"numbers", [&number(0), &number(1), &number(2)]);
    let late = hub.connect(Received::default());
    hub.subscribe(late, &"numbers", Multiples { of: 2, base: 10 });
    hub.publish(&"numbers", [&number(4)]);
    hub.subscribe(early, &"numbers", Multiples { of: 5, base: 10 });
    hub.publish(&"numbers", [&number(5), &number(6), &number(0)]);
    let account = |id| {
        let account = hub.account(id, &"numbers").unwrap();
        (account.granted, account.withheld)
    };
    assert_eq!(account(early), (3, vec![("no multiple", 2), ("passed over", 2)]));
    assert_eq!(account(late), (2, vec![("no multiple", 1), ("passed over", 1)]));
    assert_eq!(hub.account(late, &"letters"), None);
    assert_eq!(hub.account(early, &"numbers").unwrap().events, 7);
    assert!(hub.is_subscribed(late, &"numbers") && !hub.is_subscribed(late, &"letters"));
}

#[test]
fn replays_and_refusals_are_in_the_account_of_whom_they_concern() {
    let mut hub: Hub<&str, Multiples, Received> = Hub::new();
    let (slow, other) = (hub.connect(Received::default()), hub.connect(Received::default()));
    for id in [slow, other] {
        hub.subscribe(id, &"numbers", Multiples { of: 2, base: 10 });
    }
    for value in [2, 3] {
        hub.replay(slow, "numbers", &number(value));
    }
    hub.publish("numbers", &[number(4), number(6), number(7)]);
    let fanout = hub.publish("numbers", &[number(8), number(10)]);
    assert_eq!(fanout.refusing, vec![(slow, 1), (slow, 1), (other, 1)]);
    for (id, events) in fanout.refusing {
        hub.note_refused(id, "numbers", "full", events);
    }
    let account = |id| {
        let account = hub.account(id, "numbers").unwrap();
        (account.events, account.granted, account.withheld)
    };
    assert_eq!(
        hub.traffic("numbers"),
        Some(Traffic { events: 5, granted: 3 + 3 }),
        "a replay is to one alone"
    );
    let expected = (7, 3, vec![("no multiple", 2), ("full", 2)]);
    assert_eq!(account(slow), expected);
    assert_eq!(account(other), (5, 3, vec![("no multiple", 1), ("full", 1)]));
    // It goes with the subscriber into another cohort.
    hub.subscribe(slow, &"numbers", Multiples { of: 3, base: 10 });
    assert_eq!(hub.account(slow, "numbers").map(|account| (account.events, account.granted)), Some((7, 3)));
}
