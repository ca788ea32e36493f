//! Many at once.

use std::time::Instant;

use super::*;
use crate::presence::{Line, NodeId, Roster};

fn roster(grace: Duration) -> Roster {
    let bounds = Bounds { most: 200_000, grace, patience: Duration::from_secs(15) };
    Roster::new(NodeId::of(1), bounds, true)
}

fn line(name: u32) -> Line {
    Line { channel: channels()[0].clone(), person: Some(person(&name.to_string())) }
}

#[test]
fn what_cannot_be_said_for_long_takes_bounded_room() {
    let mut roster = roster(Duration::ZERO);
    let (now, [channel, _]) = (Instant::now(), channels());
    for name in ["stays", "goes"] {
        roster.join(&channel, Some(person(name)), now);
    }
    assert_eq!(roster.take_unsaid(10).len(), 2);
    roster.leave(&channel, Some(&person("goes")), now);
    for name in 0..50_000 {
        let person = person(&name.to_string());
        roster.join(&channel, Some(Arc::clone(&person)), now);
        roster.leave(&channel, Some(&person), now);
        if name % 1000 == 0 {
            roster.settle(now);
        }
    }
    assert!(roster.is_lost(), "nothing was given up");
    assert!(roster.take_unsaid(usize::MAX).len() <= 16_384);
    // Everything that is there is said, and that somebody has gone of whom it was said that they are there.
    roster.say_all();
    assert!(!roster.is_lost());
    let mut said = roster.take_unsaid(usize::MAX);
    said.sort_by_key(|(line, _)| line.to_string());
    let said: Vec<(String, u32)> = said.into_iter().map(|(line, count)| (line.to_string(), count)).collect();
    assert_eq!(said, [(r#"room {"user":"goes"}"#.to_owned(), 0), (r#"room {"user":"stays"}"#.to_owned(), 1)]);
}

#[test]
fn as_many_as_there_are_can_be_waiting_to_be_said() {
    let mut roster = roster(Duration::ZERO);
    let (now, [channel, _]) = (Instant::now(), channels());
    for name in 0..30_000 {
        roster.join(&channel, Some(person(&name.to_string())), now);
    }
    // It is said once that there are too many, and not with each that comes then.
    assert!(roster.is_lost());
    roster.say_all();
    roster.join(&channel, Some(person("late")), now);
    assert!(!roster.is_lost());
    assert_eq!(roster.take_unsaid(usize::MAX).len(), 30_001);
}

#[test]
fn much_is_forgotten_piece_by_piece_and_told_at_once() {
    let (mut roster, node) = (roster(Duration::ZERO), NodeId::of(2));
    let now = Instant::now();
    for name in 0..5000 {
        roster.hear(node, &line(name), 1, now);
    }
    let clients = |roster: &Roster| roster.roll(&channels()[0], 0).clients;
    roster.settle(now);
    roster.gone(node, now);
    let mut pieces = Vec::new();
    let mut before = clients(&roster);
    while roster.forget(now, 1000) {
        pieces.push(before - clients(&roster));
        before = clients(&roster);
    }
    assert_eq!((pieces, before), (vec![1000; 5], 0));
    let [(_, change)] = &*roster.settle(now) else { panic!("one channel has changed") };
    assert_eq!((change.clients, change.left.len(), change.is_truncated), (0, 100, true));
}

#[test]
fn what_is_read_again_is_there_all_the_time() {
    let (mut roster, node) = (roster(Duration::ZERO), NodeId::of(2));
    let now = Instant::now();
    for name in 0..10 {
        roster.hear(node, &line(name), 1, now);
    }
    roster.settle(now);
    roster.begins(node, now);
    for name in 0..9 {
        assert!(!roster.forget(now, 1000));
        assert_eq!(roster.roll(&channels()[0], 100).entries.len(), 10);
        roster.hear(node, &line(name), 1, now);
    }
    assert!(roster.settle(now).is_empty());
    // What is not said again is not believed for ever.
    let later = now + Duration::from_secs(15);
    while roster.forget(later, 1000) {}
    let [(_, change)] = &*roster.settle(later) else { panic!("one channel has changed") };
    assert_eq!((change.clients, &change.left), (9, &vec![person("9")]));
}
