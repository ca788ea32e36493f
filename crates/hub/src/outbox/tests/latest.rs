use bytes::Bytes;
use proptest::prelude::*;

use super::queue;
use crate::{Outbox, Overflow, Refused, Tally};

/// What a part with one byte counts against the bound.
const UNIT: usize = size_of::<super::Part<char>>() + 1;

/// One message of one byte: a lower case letter is a state of that key, a digit an event without a key, a capital letter
/// a reply.
fn push(outbox: &mut Outbox<char>, letter: char) -> Result<(), Refused> {
    let bytes = [Bytes::from(letter.to_string())];
    match letter {
        'A'..='Z' => outbox.push_reply(bytes),
        '0'..='9' => outbox.push_events(bytes, 1, None),
        key => outbox.push_single(Bytes::from(key.to_string()), 1, Some(key)),
    }
}

/// Pushes all letters to an outbox with room for twelve of them, and says what is left and what became of the others.
fn check(overflow: Overflow, pushes: &str, expected: &str, replaced: u64, dropped: u64) {
    let mut outbox = Outbox::new(12 * UNIT, overflow);
    let refused = pushes.chars().filter(|letter| push(&mut outbox, *letter).is_err()).count();
    assert_eq!(refused, 0, "{pushes}");
    assert_eq!(String::from_utf8(queue(&outbox)).expect("letters"), expected, "{pushes}");
    assert_eq!(outbox.take_tally(), Tally { left: 0, replaced, dropped }, "{pushes}");
    assert_eq!(outbox.take_tally(), Tally::default());
}

#[test]
fn a_newer_state_replaces_an_older_one() {
    let check = |pushes, expected, replaced, dropped| {
        check(Overflow::Latest, pushes, expected, replaced, dropped);
    };
    check("aaa", "aaa", 0, 0);
    check("aaab", "ab", 2, 0);
    check("abab", "bab", 1, 0);
    check("123456789", "123456789", 0, 0);
    check("AAAAAAAAAAAA", "AAAAAAAAAAAA", 0, 0);
    check("aAaBaC", "ABaC", 2, 0);
    // Passes are made at 3, then at twice of what was left.
    check("abcabc", "abcabc", 0, 0);
    check("abcabcabc", "abcabc", 3, 0);
    check("abcabcabcabc", "abcabc", 6, 0);
    // Different states above three quarters of the bound make way, and so do the oldest events, but no replies.
    check("abcdefghijklm", "defghijklm", 0, 3);
    check("A123456789BCD", "A456789BCD", 0, 3);
    check("ABCDEFGHIJKabL", "ABCDEFGHIJKL", 0, 2);
}

#[test]
fn the_oldest_pushes_are_dropped_and_replies_are_not() {
    check(Overflow::DropOldest, "aaaaaaaaaaaa", "aaaaaaaaaaaa", 0, 0);
    check(Overflow::DropOldest, "1AB2cdefghijkl", "ABcdefghijkl", 0, 2);
}

#[test]
fn replies_alone_overflow() {
    for overflow in [Overflow::DropOldest, Overflow::Latest, Overflow::Close] {
        let mut outbox = Outbox::new(12 * UNIT, overflow);
        for letter in "ABCDEFGHIJK1".chars() {
            push(&mut outbox, letter).expect("there is room");
        }
        if overflow != Overflow::Close {
            push(&mut outbox, 'L').expect("the event makes room");
            assert_eq!(push(&mut outbox, 'a'), Err(Refused::Full), "{overflow:?}");
            assert!(!outbox.is_closed(), "an event is refused, and that is all");
        }
        assert_eq!(push(&mut outbox, 'M'), Err(Refused::Full), "{overflow:?}");
        assert!(outbox.has_overflowed() && outbox.is_empty());
        assert_eq!(outbox.take_tally().dropped, 1, "{overflow:?}");
    }
}

#[test]
fn a_state_that_has_begun_to_leave_is_not_replaced() {
    let mut outbox = Outbox::new(12 * UNIT, Overflow::Latest);
    outbox.push_events(["ab", "cd"].map(Bytes::from), 1, Some('a')).expect("room");
    outbox.advance(1);
    for _ in 0..20 {
        push(&mut outbox, 'a').expect("older ones make way");
    }
    assert!(queue(&outbox).starts_with(b"bcda"), "{:?}", queue(&outbox));
    outbox.advance(usize::MAX);
    let tally = outbox.take_tally();
    assert_eq!((tally.total(), tally.dropped), (21, 0));
}

/// What a message of the model is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Model {
    Reply,
    Event,
    State(u8),
}

fn message() -> impl Strategy<Value = (Model, usize, usize)> {
    let model = prop_oneof![
        1 => Just(Model::Reply),
        1 => Just(Model::Event),
        6 => (0_u8..12).prop_map(Model::State),
    ];
    (model, 1_usize..4, prop_oneof![4 => Just(0_usize), 1 => 0_usize..900])
}

proptest! {
    /// What leaves is some of what was taken, whole and in order: every reply, and of every key the last state, unless it
    /// had to be dropped for room. The bound is kept, and every event is accounted for.
    #[test]
    fn what_matters_arrives(
        steps in prop::collection::vec(message(), 1..200),
        limit in 1_500_usize..6_000,
    ) {
        let mut outbox = Outbox::new(limit, Overflow::Latest);
        let (mut taken, mut left, mut accounted) = (Vec::new(), Vec::new(), Tally::default());
        for (number, (model, parts, drain)) in steps.iter().enumerate() {
            // Each message is its number, in parts of different lengths, and names its own end.
            let text = format!("{number:04};");
            let bytes: Vec<Bytes> = (0..*parts)
                .map(|part| if part + 1 == *parts { text.clone() } else { "-".repeat(20) })
                .map(Bytes::from)
                .collect();
            let outcome = match model {
                Model::Reply => outbox.push_reply(bytes),
                Model::Event => outbox.push_events(bytes, 1, None),
                Model::State(key) => outbox.push_events(bytes, 1, Some(*key)),
            };
            match outcome {
                Ok(()) => taken.push(number),
                Err(_) if *model == Model::Reply => break,
                Err(_) => {}
            }
            prop_assert!(outbox.queued() <= limit);
            let mut written = (*drain).min(queue(&outbox).len());
            left.extend_from_slice(&queue(&outbox)[..written]);
            while written > 0 {
                let step = written.min(7);
                outbox.advance(step);
                written -= step;
            }
            accounted += outbox.take_tally();
            let events = taken.iter().filter(|number| steps[**number].0 != Model::Reply).count() as u64;
            prop_assert_eq!(accounted.total() + outbox.events(), events);
        }
        prop_assume!(!outbox.has_overflowed());
        while !outbox.is_empty() {
            let waiting = queue(&outbox);
            left.extend_from_slice(&waiting);
            outbox.advance(waiting.len());
        }
        accounted += outbox.take_tally();
        let left = String::from_utf8(left).expect("it was text");
        let mut arrived = Vec::new();
        for whole in left.split_terminator(';') {
            let number: usize = whole.trim_start_matches('-').parse().expect("messages are not cut");
            prop_assert_eq!(whole.len(), 4 + 20 * (steps[number].1 - 1), "{} is whole", number);
            arrived.push(number);
        }
        prop_assert!(arrived.is_sorted() && arrived.iter().all(|number| taken.contains(number)));
        let events = arrived.iter().filter(|number| steps[**number].0 != Model::Reply).count();
        prop_assert_eq!(accounted.left, events as u64);
        let missing = |number: &&usize| !arrived.contains(number);
        prop_assert!(!taken.iter().filter(missing).any(|number| steps[*number].0 == Model::Reply));
        let last_states = taken.iter().filter(missing).filter(|number| {
            let (model, ..) = steps[**number];
            let is_newer = |other: &&usize| *other > *number && steps[**other].0 == model;
            model == Model::Event || !taken.iter().any(|other| is_newer(&other))
        });
        prop_assert!(last_states.count() as u64 <= accounted.dropped);
    }
}
