use std::cmp::Reverse;

use geocast_protocol::Channel;
use rustc_hash::FxHashMap;
use serde::Serialize;

/// What goes over a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ChannelTraffic {
    pub(crate) name: String,
    /// Subscriptions, to messages or tracked.
    pub(crate) subscribers: usize,
    /// Messages since somebody has listened without a break: it begins at zero again when all have left.
    pub(crate) events: u64,
    /// How often one of them was handed to a subscriber since then.
    pub(crate) deliveries: u64,
}

/// The channels that most subscribe to, and those on which most is delivered.
#[derive(Debug, Default)]
pub(crate) struct Traffics {
    by_channel: FxHashMap<Channel, ChannelTraffic>,
    /// Whether there are more.
    pub(crate) is_truncated: bool,
}

impl ChannelTraffic {
    pub(crate) fn new(channel: &Channel) -> Self {
        Self { name: channel.as_str().to_owned(), subscribers: 0, events: 0, deliveries: 0 }
    }

    /// Adds what somebody else knows of the channel: each hears all of its messages, but counts them from another time on.
    pub(crate) fn add(&mut self, subscribers: usize, events: u64, deliveries: u64) {
        self.subscribers += subscribers;
        self.events = self.events.max(events);
        self.deliveries = self.deliveries.wrapping_add(deliveries);
    }
}

impl Traffics {
    /// Adds what is known of a channel. At most twice as many as are kept at the end are held meanwhile.
    pub(crate) fn add(&mut self, channel: &Channel, subscribers: usize, events: u64, deliveries: u64) {
        let known = self.by_channel.entry(channel.clone());
        known.or_insert_with(|| ChannelTraffic::new(channel)).add(subscribers, events, deliveries);
    }

    /// Adds what another worker has found.
    pub(crate) fn merge(&mut self, other: Self) {
        self.is_truncated |= other.is_truncated;
        for (channel, ChannelTraffic { subscribers, events, deliveries, .. }) in other.by_channel {
            self.add(&channel, subscribers, events, deliveries);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_channel.len()
    }

    /// Keeps at most so many: half of them for their subscribers, the others for their deliveries.
    pub(crate) fn keep(&mut self, most: usize) {
        if self.len() <= most {
            return;
        }
        self.is_truncated = true;
        let mut all: Vec<(Channel, ChannelTraffic)> = self.by_channel.drain().collect();
        all.sort_unstable_by_key(|(_, traffic)| Reverse((traffic.subscribers, traffic.deliveries)));
        let mut rest = all.split_off(most / 2);
        rest.sort_unstable_by_key(|(_, traffic)| Reverse((traffic.deliveries, traffic.events)));
        rest.truncate(most - most / 2);
        self.by_channel.extend(all);
        self.by_channel.extend(rest);
    }

    /// All of them, those with most deliveries first.
    pub(crate) fn into_sorted(self) -> Vec<ChannelTraffic> {
        let mut all: Vec<ChannelTraffic> = self.by_channel.into_values().collect();
        all.sort_unstable_by(|one, other| {
            let busy = |traffic: &ChannelTraffic| Reverse((traffic.deliveries, traffic.subscribers));
            busy(one).cmp(&busy(other)).then_with(|| one.name.cmp(&other.name))
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(number: u64) -> Channel {
        format!("c{number}").parse().unwrap()
    }

    #[test]
    fn what_workers_know_is_added_but_each_hears_all_messages() {
        let (mut one, mut other) = (Traffics::default(), Traffics::default());
        one.add(&channel(1), 2, 10, 20);
        other.add(&channel(1), 1, 7, 7);
        other.add(&channel(2), 1, 1, 1);
        one.merge(other);
        assert!(!one.is_truncated);
        let expected = |name: &str, subscribers, events, deliveries| ChannelTraffic {
            name: name.to_owned(),
            subscribers,
            events,
            deliveries,
        };
        assert_eq!(one.into_sorted(), [expected("c1", 3, 10, 27), expected("c2", 1, 1, 1)]);
    }

    #[test]
    fn those_are_kept_that_most_concern() {
        let mut traffics = Traffics::default();
        for number in 0..100_u32 {
            // Many subscribers have the first, many deliveries the last.
            let number = u64::from(number);
            traffics.add(&channel(number), 100 - number as usize, number, number);
        }
        traffics.keep(4);
        assert!(traffics.is_truncated);
        let names: Vec<String> = traffics.into_sorted().into_iter().map(|channel| channel.name).collect();
        assert_eq!(names, ["c99", "c98", "c1", "c0"]);
    }
}
