use std::{collections::VecDeque, sync::Arc, time::Instant};

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

#[derive(Debug)]
struct Held {
    events: VecDeque<(u64, Arc<Event>)>,
    bytes: usize,
    until: Instant,
}

impl Holds {
    /// Begins to hold a channel, or goes on for longer: then false.
    pub(crate) fn begin(&mut self, channel: &Channel, until: Instant) -> bool {
        if let Some(held) = self.channels.get_mut(channel) {
            held.until = held.until.max(until);
            return false;
        }
        self.channels.insert(channel.clone(), Held { events: VecDeque::new(), bytes: 0, until });
        true
    }

    /// The place in the sequence of everything that the next event will have.
    pub(crate) fn mark(&self) -> u64 {
        self.next
    }

    pub(crate) fn contains(&self, channel: &Channel) -> bool {
        self.channels.contains_key(channel)
    }

    pub(crate) fn record(&mut self, event: &Arc<Event>) {
        let place = self.next;
        self.next += 1;
        let Some(held) = self.channels.get_mut(event.channel()) else { return };
        let size = event.payload().len() + size_of::<Event>();
        while held.bytes + size > CHANNEL_BYTES || self.bytes + size > TOTAL_BYTES {
            let Some((_, oldest)) = held.events.pop_front() else { return };
            let freed = oldest.payload().len() + size_of::<Event>();
            held.bytes -= freed;
            self.bytes -= freed;
        }
        held.bytes += size;
        self.bytes += size;
        held.events.push_back((place, Arc::clone(event)));
    }

    /// What was published on a channel at the mark or after it, oldest first.
    pub(crate) fn since(&self, channel: &Channel, mark: u64) -> impl Iterator<Item = &Arc<Event>> {
        let held = self.channels.get(channel).into_iter();
        held.flat_map(|held| &held.events).filter(move |(place, _)| *place >= mark).map(|(_, event)| event)
    }

    /// Ends the holds whose time is over and names their channels.
    pub(crate) fn release(&mut self, now: Instant) -> Vec<Channel> {
        let released: Vec<(Channel, Held)> = self.channels.extract_if(|_, held| held.until <= now).collect();
        for (_, held) in &released {
            self.bytes -= held.bytes;
        }
        released.into_iter().map(|(channel, _)| channel).collect()
    }
}

/// Bytes held for one channel: more than is published on a busy one between a GET and the SUB behind it.
const CHANNEL_BYTES: usize = 1024 * 1024;

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
        Arc::new(Event::new(channel, Bytes::from(payload), &Limits::default()))
    }

    #[test]
    fn what_is_published_after_the_mark_is_kept_until_its_time_is_over() {
        let (a, b) = ("a".parse().expect("a channel"), "b".parse().expect("a channel"));
        let now = Instant::now();
        let mut holds = Holds::default();
        assert!(holds.begin(&a, now + Duration::from_secs(1)));
        holds.record(&event("a", b"1".to_vec()));
        let mark = holds.mark();
        assert!(!holds.begin(&a, now + Duration::from_secs(2)));
        for (channel, payload) in [("a", "2"), ("b", "3"), ("a", "4")] {
            holds.record(&event(channel, payload.as_bytes().to_vec()));
        }
        let payloads: Vec<&[u8]> = holds.since(&a, mark).map(|event| event.payload().as_ref()).collect();
        assert_eq!(payloads, [b"2", b"4"]);
        assert_eq!(holds.since(&b, 0).count(), 0);
        assert!(holds.release(now + Duration::from_secs(1)).is_empty());
        assert_eq!(holds.release(now + Duration::from_secs(2)), vec![a.clone()]);
        assert!(!holds.contains(&a));
        assert_eq!(holds.bytes, 0);
    }

    #[test]
    fn the_oldest_make_room() {
        let a = "a".parse().expect("a channel");
        let mut holds = Holds::default();
        holds.begin(&a, Instant::now());
        for _ in 0..10 {
            holds.record(&event("a", vec![b'x'; 200 * 1024]));
        }
        assert_eq!(holds.since(&a, 0).count(), 5);
        assert!(holds.bytes <= CHANNEL_BYTES);
        holds.record(&event("a", vec![b'x'; 2 * CHANNEL_BYTES]));
        assert_eq!((holds.since(&a, 0).count(), holds.bytes), (0, 0));
    }
}
