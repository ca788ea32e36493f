use std::io::IoSlice;

use bytes::Bytes;
use proptest::prelude::*;

use super::{Outbox, Overflow, Part, Refused};

mod latest;

const PART: usize = size_of::<Part<()>>();

fn queue<K: Eq + std::hash::Hash>(outbox: &Outbox<K>) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 64];
    let filled = outbox.fill(&mut slices);
    slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect()
}

fn check(overflow: Overflow, room_for: usize, written: usize, pushes: &[&str], expected: &str) {
    let mut outbox = Outbox::<()>::new(room_for * (PART + 1), overflow);
    outbox.push_events([Bytes::from_static(b"x")], 1, None).expect("an empty outbox has room");
    outbox.advance(written);
    for push in pushes {
        let parts: Vec<Bytes> = push.chars().map(|letter| Bytes::from(letter.to_string())).collect();
        let _refused = outbox.push_events(parts, 1, None);
    }
    assert_eq!(String::from_utf8(queue(&outbox)).expect("letters"), expected, "{pushes:?}");
}

#[test]
fn what_is_kept_is_not_discarded_for_others() {
    let mut outbox = Outbox::<()>::new(3 * (PART + 1), Overflow::DropOldest);
    let letter = |letter: &'static str| Bytes::from_static(letter.as_bytes());
    outbox.push_kept([letter("k")], 1).expect("an empty outbox has room");
    for spare in ["a", "b", "c", "d"] {
        outbox.push_single(letter(spare), 1, None).expect("older ones make room");
    }
    assert_eq!(queue(&outbox), b"kcd");
    outbox.push_kept([letter("l")], 1).expect("older ones make room");
    outbox.push_kept([letter("m")], 1).expect("older ones make room");
    assert_eq!(outbox.push_single(letter("e"), 1, None), Err(Refused::Full));
    assert_eq!(queue(&outbox), b"klm");
    assert!(!outbox.has_overflowed());
    assert_eq!(outbox.take_tally().dropped, 4);
    assert_eq!(outbox.push_kept([letter("n")], 1), Err(Refused::Full));
    assert!(outbox.has_overflowed());
}

#[test]
fn the_bound_is_kept_by_policy() {
    check(Overflow::DropOldest, 3, 0, &["a", "b"], "xab");
    check(Overflow::DropOldest, 3, 0, &["a", "b", "c"], "abc");
    check(Overflow::DropOldest, 3, 1, &["ab", "c", "d"], "cd");
    check(Overflow::DropOldest, 3, 1, &["abcd"], "abcd");
    check(Overflow::DropOldest, 3, 1, &["a", "bcde", "f"], "f");
    check(Overflow::DropOldest, 4, 1, &["a", "b", "c", "defgh"], "bcdefgh");
    check(Overflow::Close, 3, 1, &["abcd"], "abcd");
    check(Overflow::Close, 3, 1, &["a", "bcde"], "abcde");
    check(Overflow::Close, 3, 1, &["a", "b", "cdef"], "");
    check(Overflow::Close, 3, 0, &["a", "b", "c", "d"], "");
}

#[test]
fn a_message_that_has_begun_to_leave_is_finished() {
    let mut outbox = Outbox::<()>::new(4 * (PART + 1), Overflow::DropOldest);
    outbox.push_reply([Bytes::from_static(b"h"), Bytes::from_static(b"t")]).expect("room");
    outbox.advance(1);
    for letter in ["a", "b", "c", "d"] {
        outbox.push_events([Bytes::from(letter)], 1, None).expect("the oldest make room");
    }
    assert_eq!(queue(&outbox), b"tbcd");
}

#[test]
fn who_is_given_up_gets_what_has_begun_and_nothing_more() {
    let mut outbox = Outbox::<()>::new(1_000, Overflow::DropOldest);
    outbox.push_events(["on", "e"].map(Bytes::from), 1, None).expect("room");
    outbox.push_events([Bytes::from_static(b"two")], 1, None).expect("room");
    outbox.advance(1);
    outbox.give_up();
    assert!(outbox.has_overflowed());
    assert_eq!((queue(&outbox), outbox.take_tally().dropped), (b"ne".to_vec(), 1));
    assert_eq!(outbox.push_reply([Bytes::from_static(b"three")]), Err(Refused::Closed));
    outbox.close(Bytes::from_static(b"bye"));
    outbox.give_up();
    assert!(!outbox.has_overflowed());
    assert_eq!(queue(&outbox), b"nebye");
}

#[test]
fn overflow_closes_once_and_for_all() {
    let mut outbox = Outbox::<()>::new(PART + 4, Overflow::Close);
    outbox.push_events([Bytes::from_static(b"1234")], 1, None).expect("room");
    assert_eq!(outbox.push_events([Bytes::from_static(b"5")], 1, None), Err(Refused::Full));
    assert!(outbox.has_overflowed());
    assert_eq!(outbox.push_events([Bytes::new()], 1, None), Err(Refused::Closed));
    outbox.close(Bytes::from_static(b"bye"));
    assert_eq!(queue(&outbox), b"bye");
    assert_eq!(outbox.push_events([Bytes::from_static(b"late")], 1, None), Err(Refused::Closed));
    assert_eq!(queue(&outbox), b"bye");
}

proptest! {
    /// Whatever is pushed and however it is drained: bytes leave in order, whole messages, and never above the bound.
    #[test]
    fn drained_bytes_are_the_pushed_ones(
        steps in prop::collection::vec((prop::collection::vec(0_usize..40, 1..4), 0_usize..120), 1..60),
    ) {
        let limit = 4_000;
        let mut outbox = Outbox::<()>::new(limit, Overflow::Close);
        let (mut pushed, mut left) = (Vec::new(), Vec::new());
        for (number, (sizes, drain)) in steps.into_iter().enumerate() {
            let parts: Vec<Bytes> =
                sizes.iter().map(|size| Bytes::from(vec![u8::try_from(number).unwrap_or(0); *size])).collect();
            if outbox.push_events(parts.clone(), 1, None).is_ok() {
                pushed.extend(parts.iter().flatten().copied());
            } else {
                break;
            }
            prop_assert!(outbox.queued() <= limit);
            let waiting = queue(&outbox);
            let written = drain.min(waiting.len());
            left.extend_from_slice(&waiting[..written]);
            outbox.advance(written);
        }
        if !outbox.has_overflowed() {
            left.extend(queue(&outbox));
            prop_assert_eq!(left, pushed);
        }
    }
}

#[test]
fn what_follows_a_large_message_has_the_limit_for_itself() {
    let mut outbox = Outbox::<()>::new(8 * (PART + 1), Overflow::Close);
    outbox.push_reply([Bytes::from(vec![b'L'; 100 * PART])]).expect("nothing is before it");
    outbox.advance(10);
    for letter in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        outbox.push_events([Bytes::from_static(letter.as_bytes())], 1, None).expect("it leaves");
    }
    assert!(!outbox.has_overflowed());
    assert!(outbox.push_events([Bytes::from_static(b"i")], 1, None).is_err(), "the limit holds behind it");
}
