use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

fn names(channels: &[Channel]) -> Vec<&str> {
    channels.iter().map(Channel::as_str).collect()
}

/// Takes what is to be said and expects it to be this.
#[track_caller]
fn expect(subscriptions: &mut Subscriptions, subscribe: &[&str], unsubscribe: &[&str]) {
    let changes = subscriptions.take_changes(usize::MAX);
    assert_eq!(
        (names(&changes.subscribe), names(&changes.unsubscribe)),
        (subscribe.to_vec(), unsubscribe.to_vec())
    );
}

#[test]
fn subscribes_once_for_many() {
    let (mut s, a) = (Subscriptions::default(), channel("a"));
    let (first, second) = (s.want(&a), s.want(&a));
    expect(&mut s, &["a"], &[]);
    expect(&mut s, &[], &[]);
    let third = s.want(&a);
    expect(&mut s, &[], &[]);
    assert_eq!((s.in_flight(), first.borrow().clone()), (1, Standing::Pending));
    s.subscribed(&a);
    for standing in [first, second, third, s.want(&a)] {
        assert_eq!(*standing.borrow(), Standing::InForce);
    }
    assert_eq!(s.in_flight(), 0);
    for _ in 0..3 {
        s.release(&a);
        expect(&mut s, &[], &[]);
    }
    s.release(&a);
    expect(&mut s, &[], &["a"]);
    s.unsubscribed(&a);
    assert_eq!((s.len(), s.in_flight(), s.is_queue_empty()), (0, 0, true));
}

#[test]
fn waits_for_the_answer_before_the_opposite() {
    let (mut s, a) = (Subscriptions::default(), channel("a"));
    s.want(&a);
    expect(&mut s, &["a"], &[]);
    s.release(&a);
    expect(&mut s, &[], &[]);
    s.subscribed(&a);
    expect(&mut s, &[], &["a"]);
    let again = s.want(&a);
    expect(&mut s, &[], &[]);
    s.unsubscribed(&a);
    expect(&mut s, &["a"], &[]);
    assert_eq!(*again.borrow(), Standing::Pending);
    s.subscribed(&a);
    assert_eq!(*again.borrow(), Standing::InForce);
}

#[test]
fn says_nothing_of_what_was_only_considered() {
    let (mut s, a) = (Subscriptions::default(), channel("a"));
    s.want(&a);
    s.release(&a);
    expect(&mut s, &[], &[]);
    assert_eq!(s.len(), 0);
    s.want(&a);
    expect(&mut s, &["a"], &[]);
    s.subscribed(&a);
    s.release(&a);
    assert_eq!(*s.want(&a).borrow(), Standing::InForce, "it has never been given up");
    expect(&mut s, &[], &[]);
}

#[test]
fn too_many_releases_change_nothing() {
    let (mut s, a) = (Subscriptions::default(), channel("a"));
    s.release(&a);
    s.want(&a);
    expect(&mut s, &["a"], &[]);
    s.release(&a);
    s.release(&a);
    s.want(&a);
    s.subscribed(&a);
    expect(&mut s, &[], &[]);
}

#[test]
fn asks_again_alone_after_a_refused_batch() {
    let mut s = Subscriptions::default();
    let [a, b, c] = ["a", "b", "c"].map(channel);
    let standing = [&a, &b, &c].map(|channel| s.want(channel));
    expect(&mut s, &["a", "b", "c"], &[]);
    s.refused(&[a.clone(), b.clone(), c.clone()], "NOPERM");
    for name in ["a", "b", "c"] {
        expect(&mut s, &[name], &[]);
    }
    s.subscribed(&a);
    s.refused(std::slice::from_ref(&b), "NOPERM b");
    s.subscribed(&c);
    let found = standing.map(|standing| standing.borrow().clone());
    assert_eq!(found, [Standing::InForce, Standing::Refused("NOPERM b".to_owned()), Standing::InForce]);
    let again = s.want(&b);
    expect(&mut s, &["b"], &[]);
    s.refused(std::slice::from_ref(&b), "NOPERM again");
    assert_eq!(*again.borrow(), Standing::Refused("NOPERM again".to_owned()));
    s.release(&b);
    s.release(&b);
    assert_eq!(s.len(), 2);
}

#[test]
fn takes_everything_up_again_on_a_new_connection() {
    let mut s = Subscriptions::default();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(channel);
    [&a, &b, &c].into_iter().for_each(|channel| drop(s.want(channel)));
    expect(&mut s, &["a", "b", "c"], &[]);
    s.subscribed(&a);
    s.subscribed(&b);
    s.release(&b);
    let waiting = s.want(&d);
    s.reset();
    assert_eq!((s.len(), s.in_flight(), s.is_resumed()), (3, 0, false));
    let mut again = s.take_changes(usize::MAX);
    again.subscribe.sort();
    assert_eq!((names(&again.subscribe), names(&again.unsubscribe)), (vec!["a", "c", "d"], vec![]));
    s.subscribed(&a);
    s.subscribed(&b);
    s.subscribed(&c);
    s.want(&b);
    assert!(!s.is_resumed());
    s.subscribed(&d);
    assert!(s.is_resumed(), "what came later does not count");
    assert_eq!(*waiting.borrow(), Standing::InForce);
    assert_eq!((s.in_flight(), s.len()), (0, 4));
}

#[test]
fn what_is_given_up_or_refused_is_not_owed() {
    let mut s = Subscriptions::default();
    let [a, b, c] = ["a", "b", "c"].map(channel);
    [&a, &b, &c].into_iter().for_each(|channel| drop(s.want(channel)));
    s.reset();
    s.release(&a);
    let asked = s.take_changes(usize::MAX).subscribe;
    assert_eq!(asked.len(), 2);
    s.refused(&asked, "NOPERM");
    assert!(!s.is_resumed());
    s.release(&b);
    while !s.take_changes(usize::MAX).subscribe.is_empty() {}
    s.refused(&[c], "NOPERM");
    assert!(s.is_resumed());
}

#[test]
fn what_is_forbidden_for_a_while_is_asked_for_again_and_told() {
    let mut s = Subscriptions::default();
    let [a, b] = ["a", "b"].map(channel);
    drop((s.want(&a), s.want(&b)));
    expect(&mut s, &["a", "b"], &[]);
    s.subscribed(&a);
    s.subscribed(&b);
    s.release(&b);
    expect(&mut s, &[], &["b"]);
    s.unsubscribed(&b);
    drop(s.want(&b));
    expect(&mut s, &["b"], &[]);
    s.refused(std::slice::from_ref(&b), "NOPERM");
    assert_eq!(s.trouble(), None, "nobody who wants it has ever had it");
    s.reset();
    while !s.take_changes(1).subscribe.is_empty() {}
    s.refused(std::slice::from_ref(&a), "NOPERM");
    s.refused(std::slice::from_ref(&b), "NOPERM");
    assert!(s.is_resumed() && s.take_regained().is_empty());
    for _ in 0..2 {
        assert_eq!(s.trouble().unwrap(), "redis forbids 1 channels that were heard");
        expect(&mut s, &[], &[]);
        s.ask_again();
        let mut asked = [s.take_changes(99).subscribe, s.take_changes(99).subscribe].concat();
        asked.sort();
        assert_eq!(names(&asked), ["a", "b"], "each by itself");
        s.refused(std::slice::from_ref(&a), "NOPERM");
        s.refused(std::slice::from_ref(&b), "NOPERM");
    }
    s.ask_again();
    while !s.take_changes(1).subscribe.is_empty() {}
    s.subscribed(&a);
    s.subscribed(&b);
    assert_eq!((names(&s.take_regained()), s.trouble()), (vec!["a", "b"], None));
    assert!(s.take_regained().is_empty());
    s.reset();
    while !s.take_changes(1).subscribe.is_empty() {}
    s.refused(std::slice::from_ref(&a), "NOPERM");
    s.release(&a);
    assert_eq!(s.trouble(), None, "nobody wants it any more");
}

#[test]
fn batches_are_bounded() {
    let mut s = Subscriptions::default();
    for number in 0..1000 {
        s.want(&channel(&number.to_string()));
    }
    for _ in 0..3 {
        assert_eq!(s.take_changes(300).subscribe.len(), 300);
    }
    assert_eq!(s.take_changes(300).subscribe.len(), 100);
    assert_eq!((s.in_flight(), s.is_queue_empty()), (1000, true));
}

/// One step of a run: somebody wants or releases, Redis hears a batch, answers, or goes away.
#[derive(Debug, Clone, Copy)]
enum Step {
    Want(u8),
    Release(u8),
    Hear(usize),
    Answer,
    Refuse,
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..6_u8).prop_map(Step::Want),
        6 => (0..6_u8).prop_map(Step::Release),
        4 => (1..5_usize).prop_map(Step::Hear),
        6 => Just(Step::Answer),
        1 => Just(Step::Refuse),
        1 => Just(Step::Reset),
    ]
}

/// A Redis that carries out commands in order, and answers when told to.
#[derive(Default)]
struct Redis {
    heard: VecDeque<(Vec<Channel>, bool)>,
    subscribed: BTreeMap<Channel, ()>,
}

impl Redis {
    fn hear(&mut self, changes: Changes) -> bool {
        let any = !changes.subscribe.is_empty() || !changes.unsubscribe.is_empty();
        for (channels, on) in [(changes.unsubscribe, false), (changes.subscribe, true)] {
            if !channels.is_empty() {
                self.heard.push_back((channels, on));
            }
        }
        any
    }

    fn answer(&mut self, subscriptions: &mut Subscriptions) -> bool {
        let Some((channels, on)) = self.heard.pop_front() else { return false };
        for channel in channels {
            if on {
                assert!(
                    self.subscribed.insert(channel.clone(), ()).is_none(),
                    "{channel} was subscribed twice"
                );
                subscriptions.subscribed(&channel);
            } else {
                assert!(self.subscribed.remove(&channel).is_some(), "{channel} was not subscribed");
                subscriptions.unsubscribed(&channel);
            }
        }
        true
    }
}

proptest! {
    #[test]
    fn ends_with_what_is_wanted(steps in prop::collection::vec(step(), 0..120)) {
        let (mut subscriptions, mut redis) = (Subscriptions::default(), Redis::default());
        let mut wanted = BTreeMap::new();
        for step in steps {
            match step {
                Step::Want(number) => {
                    let channel = channel(&number.to_string());
                    subscriptions.want(&channel);
                    *wanted.entry(channel).or_insert(0) += 1;
                }
                Step::Release(number) => {
                    let channel = channel(&number.to_string());
                    subscriptions.release(&channel);
                    let count = wanted.entry(channel).or_insert(0_u32);
                    *count = count.saturating_sub(1);
                }
                Step::Hear(limit) => drop(redis.hear(subscriptions.take_changes(limit))),
                Step::Answer => drop(redis.answer(&mut subscriptions)),
                Step::Refuse => {
                    if let Some((channels, true)) = redis.heard.front() {
                        subscriptions.refused(channels, "NOPERM");
                        redis.heard.pop_front();
                    }
                }
                Step::Reset => {
                    subscriptions.reset();
                    redis = Redis::default();
                }
            }
            prop_assert_eq!(subscriptions.in_flight(), redis.heard.iter().map(|(channels, _)| channels.len()).sum::<usize>());
        }
        // A refused channel is asked for again by whoever wants it next.
        let wanted: Vec<_> = wanted.into_iter().filter(|(_, count)| *count > 0).map(|(channel, _)| channel).collect();
        wanted.iter().for_each(|channel| drop(subscriptions.want(channel)));
        while redis.hear(subscriptions.take_changes(2)) || redis.answer(&mut subscriptions) {}
        // One that was on its way to be refused when it was wanted again is decided by then.
        prop_assert!(subscriptions.is_resumed() && subscriptions.is_queue_empty() && subscriptions.in_flight() == 0);
        prop_assert_eq!(subscriptions.len(), wanted.len());
        prop_assert_eq!(redis.subscribed.into_keys().collect::<Vec<_>>(), wanted);
    }
}
