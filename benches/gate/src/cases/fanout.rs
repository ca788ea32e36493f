//! From messages that have been read to the outboxes of their subscribers, and out of them again.

use std::slice;

use geocast_benches::{Shared, elsewhere, point_at, scattered, viewports};

use super::warm_then_counted;

/// Messages one at a time to so many subscribers without a viewport.
pub(super) fn everybody(count: usize) {
    let left = one_at_a_time(&vec![None; count]);
    assert_eq!(left % count, 0, "all get the same");
    assert!(left > MESSAGES * count * SHORTEST, "{left} bytes are less than the messages");
}

/// Messages one at a time, of which each subscriber gets those in its 10 by 10 degrees: few.
pub(super) fn few_in_view() {
    let windows: Vec<_> = viewports(1_000).into_iter().map(Some).collect();
    let left = one_at_a_time(&windows);
    assert!((SHORTEST..10 * MESSAGES * SHORTEST).contains(&left), "{left} bytes");
}

/// Messages one at a time to subscribers who all look elsewhere.
pub(super) fn nobody() {
    let windows: Vec<_> = elsewhere(10_000).into_iter().map(Some).collect();
    assert_eq!(one_at_a_time(&windows), 0);
}

/// 100 messages at once to 100 subscribers, who share one copy that is laid end to end.
pub(super) fn burst() {
    let mut subscribers = subscribers(&[None; 100]);
    let messages = subscribers.read(messages(100));
    let mut left = 0;
    warm_then_counted(|| {
        subscribers.publish(&messages);
        left = subscribers.drain();
    });
    assert!(left > 100 * 100 * SHORTEST, "{left} bytes are less than the messages");
}

/// The bytes that left.
fn one_at_a_time(windows: &[Option<[f64; 4]>]) -> usize {
    let mut subscribers = subscribers(windows);
    let messages = subscribers.read(messages(MESSAGES));
    let mut left = 0;
    warm_then_counted(|| {
        left = 0;
        for message in &messages {
            subscribers.publish(slice::from_ref(message));
            left += subscribers.drain();
        }
    });
    left
}

fn subscribers(windows: &[Option<[f64; 4]>]) -> Shared {
    Shared::new("vehicles".parse().expect("a channel"), windows)
}

fn messages(count: usize) -> impl Iterator<Item = String> {
    scattered(count).into_iter().map(point_at)
}

/// Enough for places to differ, and few enough for a process of less than a second.
const MESSAGES: usize = 64;

/// No message is shorter, in bytes.
const SHORTEST: usize = 400;
