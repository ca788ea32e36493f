use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_protocol::Channel;
use rustc_hash::FxHashMap;

use crate::Event;

/// What was published lately on channels whose state was read, so that a subscription that follows misses nothing.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    channels: FxHashMap<Channel, Held>,
    /// Counts what was published, over all channels.
    next: u64,
    /// Bytes of all events held.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Held {
    events: VecDeque<Kept>,
    bytes: usize,
    /// The place of the last event that was dropped before its time, or missed.
    lost: Option<u64>,
    /// Reads of the state that are under way.
    reads: usize,
    until: Option<Instant>,
}

#[derive(Debug)]
struct Kept {
    place: u64,
    since: Instant,
    event: Arc<Event>,
}

impl Holds {
    /// Begins to hold a channel while its state is read, or goes on: then false.
    pub(crate) fn begin(&mut self, channel: &Channel) -> bool {
        let new = !self.channels.contains_key(channel);
        let held = self.channels.entry(channel.clone()).or_default();
        held.reads += 1;
        new
    }

    /// Ends one read of the state: from then on the hold lasts until the given time.
    pub(crate) fn end(&mut self, channel: &Channel, until: Instant) {
        if let Some(held) = self.channels.get_mut(channel) {
            held.reads = held.reads.saturating_sub(1);
            held.until = held.until.max(Some(until));
        }
    }

    /// The place in the sequence of everything that the next event will have.
    pub(crate) fn mark(&self) -> u64 {
        self.next
    }

    pub(crate) fn contains(&self, channel: &Channel) -> bool {
        self.channels.contains_key(channel)
    }

    /// Keeps an event if its channel is held, and says how many had to be dropped for it.
    pub(crate) fn record(&mut self, event: &Arc<Event>, now: Instant) -> u64 {
        let place = self.next;
        self.next += 1;
        let Some(held) = self.channels.get_mut(event.channel()) else { return 0 };
        let size = cost(event);
        let mut dropped = 0;
        while held.bytes + size > CHANNEL_BYTES || self.bytes + size > TOTAL_BYTES {
            // The newest is kept even if it is larger than the bound: it is what a subscriber can least do without.
            let oldest = held.events.front().map(|kept| kept.place);
            let Some(freed) = held.pop() else { break };
            held.lost = held.lost.max(oldest);
            self.bytes -= freed;
            dropped += 1;
        }
        if self.bytes + size > TOTAL_BYTES {
            held.lost = Some(place);
            return dropped + 1;
        }
        held.bytes += size;
        self.bytes += size;
        held.events.push_back(Kept { place, since: now, event: Arc::clone(event) });
        dropped
    }

    /// Notes that events may have been missed at this place, on these channels or, without any named, on all.
    pub(crate) fn miss(&mut self, channels: Option<&[Channel]>) {
        let place = self.next;
        // It takes a place of its own: what is marked from here on has missed nothing.
        self.next += 1;
        match channels {
            Some(channels) => {
                for channel in channels {
                    if let Some(held) = self.channels.get_mut(channel) {
                        held.lost = Some(place);
                    }
                }
            }
            None => self.channels.values_mut().for_each(|held| held.lost = Some(place)),
        }
    }

    /// Whether everything is there that was published on a channel at the mark or after it.
    pub(crate) fn is_whole(&self, channel: &Channel, mark: u64) -> bool {
        self.channels.get(channel).is_some_and(|held| held.lost.is_none_or(|lost| lost < mark))
    }

    /// What was published on a channel at the mark or after it, oldest first.
    pub(crate) fn since(&self, channel: &Channel, mark: u64) -> impl Iterator<Item = &Arc<Event>> {
        let held = self.channels.get(channel).into_iter().flat_map(|held| &held.events);
        held.filter(move |kept| kept.place >= mark).map(|kept| &kept.event)
    }

    /// Ends the holds whose time is over and names their channels. What is older than `longest` is forgotten where no state
    /// is being read: no mark reaches that far back.
    pub(crate) fn release(&mut self, now: Instant, longest: Duration) -> Vec<Channel> {
        let is_over = |held: &Held| held.reads == 0 && held.until.is_none_or(|until| until <= now);
        let released: Vec<(Channel, Held)> = self.channels.extract_if(|_, held| is_over(held)).collect();
        for (_, held) in &released {
            self.bytes -= held.bytes;
        }
        for held in self.channels.values_mut().filter(|held| held.reads == 0) {
            while held.events.front().is_some_and(|kept| kept.since + longest < now) {
                self.bytes -= held.pop().unwrap_or(0);
            }
        }
        released.into_iter().map(|(channel, _)| channel).collect()
    }
}

impl Held {
    /// Drops the oldest event and says what that frees.
    fn pop(&mut self) -> Option<usize> {
        let freed = cost(&self.events.pop_front()?.event);
        self.bytes -= freed;
        Some(freed)
    }
}

fn cost(event: &Event) -> usize {
    event.payload().len() + size_of::<Event>()
}

/// Bytes held for one channel: more than is published on a busy one between a GET and the SUB behind it.
const CHANNEL_BYTES: usize = 4 * 1024 * 1024;

/// Bytes held by one worker.
const TOTAL_BYTES: usize = 32 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bytes::Bytes;
    use geocast_geo_filter::Limits;

    use super::*;

    fn event(channel: &str, payload: Vec<u8>) -> Arc<Event> {
        let channel = channel.parse().expect("a channel");
        Arc::new(Event::new(channel, Bytes::from(payload), 1, &Limits::default()))
    }

    #[test]
    fn what_is_published_after_the_mark_is_kept_until_its_time_is_over() {
        let (a, b) = ("a".parse().expect("a channel"), "b".parse().expect("a channel"));
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut holds = Holds::default();
        assert!(holds.begin(&a));
        holds.record(&event("a", b"1".to_vec()), now);
        let mark = holds.mark();
        assert!(!holds.begin(&a));
        for (channel, payload) in [("a", "2"), ("b", "3"), ("a", "4")] {
            holds.record(&event(channel, payload.as_bytes().to_vec()), now);
        }
        let payloads: Vec<&[u8]> = holds.since(&a, mark).map(|event| event.payload().as_ref()).collect();
        assert_eq!(payloads, [b"2", b"4"]);
        assert_eq!(holds.since(&b, 0).count(), 0);
        holds.end(&a, now + second);
        assert!(holds.release(now + 9 * second, second).is_empty(), "a read is still under way");
        assert_eq!(holds.since(&a, 0).count(), 3);
        holds.end(&a, now + 2 * second);
        assert!(holds.release(now + second, 9 * second).is_empty());
        assert_eq!(holds.release(now + 2 * second, 9 * second), vec![a.clone()]);
        assert!(!holds.contains(&a));
        assert_eq!(holds.bytes, 0);
    }

    #[test]
    fn what_was_missed_is_missing_for_the_marks_before_it_alone() {
        let (a, b) = ("a".parse().expect("a channel"), "b".parse().expect("a channel"));
        let mut holds = Holds::default();
        holds.begin(&a);
        holds.begin(&b);
        let before = holds.mark();
        holds.miss(Some(std::slice::from_ref(&a)));
        let between = holds.mark();
        assert_eq!((holds.is_whole(&a, before), holds.is_whole(&b, before)), (false, true));
        assert_eq!((holds.is_whole(&a, between), holds.is_whole(&b, between)), (true, true));
        holds.miss(None);
        assert_eq!((holds.is_whole(&a, between), holds.is_whole(&b, between)), (false, false));
        assert_eq!((holds.is_whole(&a, holds.mark()), holds.is_whole(&b, holds.mark())), (true, true));
    }

    #[test]
    fn what_no_mark_reaches_is_forgotten() {
        let a = "a".parse().expect("a channel");
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut holds = Holds::default();
        holds.begin(&a);
        holds.record(&event("a", b"old".to_vec()), now);
        holds.record(&event("a", b"new".to_vec()), now + 2 * second);
        holds.end(&a, now + 9 * second);
        assert!(holds.release(now + 3 * second, 2 * second).is_empty());
        let payloads: Vec<&[u8]> = holds.since(&a, 0).map(|event| event.payload().as_ref()).collect();
        assert_eq!(payloads, [b"new"]);
    }

    #[test]
    fn the_oldest_make_room_and_the_newest_is_kept() {
        let (a, now) = ("a".parse().expect("a channel"), Instant::now());
        let mut holds = Holds::default();
        holds.begin(&a);
        let dropped: u64 = (0..10).map(|_| holds.record(&event("a", vec![b'x'; 800 * 1024]), now)).sum();
        assert_eq!((holds.since(&a, 0).count(), dropped), (5, 5));
        assert!(holds.bytes <= CHANNEL_BYTES);
        assert_eq!(holds.record(&event("a", vec![b'x'; 2 * CHANNEL_BYTES]), now), 5);
        assert_eq!(holds.since(&a, 0).count(), 1);
        assert_eq!(holds.record(&event("a", vec![b'x'; 2 * TOTAL_BYTES]), now), 2);
        assert_eq!((holds.since(&a, 0).count(), holds.bytes), (0, 0));
    }
}
