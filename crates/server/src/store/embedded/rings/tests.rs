use geocast_protocol::Since;
use proptest::{collection::vec, prelude::*};

use super::*;

const LIMIT: usize = 4000;

fn rings(bound: HistoryBound) -> Rings {
    let rule = ChannelRule::parse("*=x", |_| Ok::<_, String>(bound)).unwrap();
    Rings::new(vec![rule], LIMIT, "e1".parse().unwrap())
}

fn query(since: Option<u64>, most: usize) -> HistoryQuery {
    let since = since.map(|offset| Since { offset: Some(Offset::Number(offset)), epoch: None });
    HistoryQuery { since, most, bytes: usize::MAX }
}

fn number(offset: Offset) -> u64 {
    let Offset::Number(number) = offset else { panic!("{offset} is no number") };
    number
}

fn published() -> Timestamp {
    Timestamp::since_epoch(Duration::ZERO)
}

proptest! {
    /// What is said to be whole is all that a list of everything has behind that place, and everything has its bounds.
    #[test]
    fn a_ring_is_the_end_of_the_list_of_everything(
        most in 1_usize..8,
        messages in vec((0_usize..4, 0_usize..1500), 0..60),
        asked in vec((0_usize..4, 0_u64..80, 0_usize..10), 8),
    ) {
        let channels: Vec<Channel> = ["a", "b", "c", "d"].map(|name| name.parse().unwrap()).into();
        let mut rings = rings(HistoryBound { messages: Some(most), age: None });
        let mut everything: Vec<Vec<(u64, usize)>> = vec![Vec::new(); channels.len()];
        let now = Instant::now();
        for (channel, size) in messages {
            let payload = Bytes::from(vec![b'x'; size]);
            let place = rings.append(&channels[channel], &payload, published(), now).unwrap();
            let offset = number(place.offset);
            prop_assert!(everything[channel].last().is_none_or(|(last, _)| *last < offset), "offsets rise");
            everything[channel].push((offset, size));
            prop_assert!(rings.bytes <= LIMIT);
            let total: usize = rings.channels.iter().map(|(channel, ring)| {
                ring.messages.iter().map(|kept| cost(channel, &kept.payload)).sum::<usize>()
            }).sum();
            prop_assert_eq!(total, rings.bytes);
            prop_assert!(rings.channels.values().all(|ring| (1..=most).contains(&ring.messages.len())));
        }
        for (channel, since, limit) in asked {
            let history = rings.read(&channels[channel], &query(Some(since), limit), now).unwrap();
            let found: Vec<(u64, usize)> =
                history.messages.iter().map(|kept| (number(kept.place.offset), kept.payload.len())).collect();
            if history.is_whole {
                let behind = everything[channel].iter().filter(|(offset, _)| *offset > since);
                let expected: Vec<(u64, usize)> = behind.take(limit).copied().collect();
                prop_assert_eq!(&found, &expected);
            }
            prop_assert!(everything[channel].ends_with(&found) || found.len() == limit);
            let last = everything[channel].last().map(|(offset, _)| *offset);
            prop_assert!(last.is_none_or(|last| last <= number(history.end)));
        }
    }
}

#[test]
fn what_is_asked_for_begins_where_it_is_said() {
    let a: Channel = "a".parse().unwrap();
    let mut rings = rings(HistoryBound { messages: Some(3), age: None });
    let now = Instant::now();
    for number in 1..=5 {
        rings.append(&a, &Bytes::from(number.to_string()), published(), now);
    }
    let check = |since, most, whole, payloads: &[&str], reached| {
        let history = rings.read(&a, &query(since, most), now).unwrap();
        let found: Vec<_> = history.messages.iter().map(|kept| &kept.payload[..]).collect();
        let expected: Vec<_> = payloads.iter().map(|payload| payload.as_bytes()).collect();
        assert_eq!((history.is_whole, found), (whole, expected), "{since:?}");
        assert_eq!((history.offset, history.end), (Offset::Number(reached), Offset::Number(5)), "{since:?}");
    };
    check(None, 0, true, &[], 5);
    check(None, 2, true, &["4", "5"], 5);
    check(None, 9, true, &["3", "4", "5"], 5);
    check(Some(2), 9, true, &["3", "4", "5"], 5);
    check(Some(2), 1, true, &["3"], 3);
    check(Some(5), 9, true, &[], 5);
    check(Some(1), 9, false, &["3", "4", "5"], 5);
    check(Some(6), 9, false, &["3", "4", "5"], 5);
    let other = Some(Since { offset: Some(Offset::Number(2)), epoch: Some("e2".parse().unwrap()) });
    assert!(!rings.read(&a, &HistoryQuery { since: other, most: 9, bytes: 999 }, now).unwrap().is_whole);
    let entry = Some(Since { offset: Some(Offset::Entry(2, 0)), epoch: None });
    assert!(!rings.read(&a, &HistoryQuery { since: entry, most: 9, bytes: 999 }, now).unwrap().is_whole);
    let few = HistoryQuery { bytes: 1, ..query(Some(2), 9) };
    assert_eq!(rings.read(&a, &few, now).unwrap().messages.len(), 1, "one at least");
}

#[test]
fn what_is_too_old_is_gone() {
    let a: Channel = "a".parse().unwrap();
    let second = Duration::from_secs(1);
    let mut rings = rings(HistoryBound { messages: None, age: Some(10 * second) });
    let now = Instant::now();
    for at in [0, 4, 8] {
        rings.append(&a, &Bytes::from(at.to_string()), published(), now + at * second);
    }
    let at = |at| rings.read(&a, &query(Some(0), 9), now + at * second).unwrap();
    assert!(at(10).is_whole && at(10).messages.len() == 3);
    assert!(!at(11).is_whole && at(11).messages.len() == 2);
    assert!(at(99).messages.is_empty() && at(99).end == Offset::Number(3));
    rings.append(&a, &Bytes::new(), published(), now + 13 * second);
    assert_eq!(rings.channels[&a].messages.len(), 3);
}
