use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;
use geocast_protocol::{Channel, Offset, Word, envelope::Timestamp};
use rustc_hash::FxHashMap;

use crate::{
    ChannelRule, HistoryBound,
    store::history::{History, HistoryQuery, KeptMessage, Place},
};

/// The last messages of the channels that have a history, bounded in bytes over all of them: the oldest of all make room.
#[derive(Debug)]
pub(super) struct Rings {
    rules: Vec<ChannelRule<HistoryBound>>,
    limit: usize,
    epoch: Word,
    /// None of them is empty.
    channels: FxHashMap<Channel, Ring>,
    /// The channel of each message, oldest first.
    order: BTreeMap<u64, Channel>,
    /// Messages so far.
    kept: u64,
    bytes: usize,
    /// No message of a channel without a ring has a greater offset.
    floor: u64,
}

/// Consecutive messages of one channel.
#[derive(Debug, Default)]
struct Ring {
    messages: VecDeque<Kept>,
    /// The offset of the last one.
    last: u64,
}

#[derive(Debug)]
struct Kept {
    payload: Bytes,
    published: Timestamp,
    at: Instant,
    /// Its place in the order of all.
    number: u64,
}

impl Rings {
    /// Nothing yet, of the channels that the rules name. `epoch` is no other's.
    pub(super) fn new(rules: Vec<ChannelRule<HistoryBound>>, limit: usize, epoch: Word) -> Self {
        Self {
            rules,
            limit,
            epoch,
            channels: FxHashMap::default(),
            order: BTreeMap::new(),
            kept: 0,
            bytes: 0,
            floor: 0,
        }
    }

    /// Bytes of all that is kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The name of all of these histories.
    pub(super) fn epoch(&self) -> &Word {
        &self.epoch
    }

    /// Keeps a message, if its channel has a history, and says where it stands.
    pub(super) fn append(
        &mut self,
        channel: &Channel,
        payload: &Bytes,
        published: Timestamp,
        at: Instant,
    ) -> Option<Place> {
        let bound = *ChannelRule::find(&self.rules, channel)?;
        let floor = self.floor;
        let new = || Ring { last: floor, ..Ring::default() };
        let ring = self.channels.entry(channel.clone()).or_insert_with(new);
        self.kept += 1;
        ring.last += 1;
        let offset = Offset::Number(ring.last);
        ring.messages.push_back(Kept { payload: payload.clone(), published, at, number: self.kept });
        self.order.insert(self.kept, channel.clone());
        self.bytes += cost(channel, payload);
        while ring.messages.len() > bound.messages.unwrap_or(usize::MAX).max(1)
            || ring.messages.front().is_some_and(|oldest| is_over(oldest, bound.age, at))
        {
            let Some(oldest) = ring.messages.pop_front() else { break };
            self.order.remove(&oldest.number);
            self.bytes -= cost(channel, &oldest.payload);
        }
        while self.bytes > self.limit {
            let Some((_, channel)) = self.order.pop_first() else { break };
            self.give_up(&channel);
        }
        Some(Place { offset, published })
    }

    /// Gives up the oldest message of a channel.
    fn give_up(&mut self, channel: &Channel) {
        let Some(ring) = self.channels.get_mut(channel) else { return };
        if let Some(oldest) = ring.messages.pop_front() {
            self.bytes -= cost(channel, &oldest.payload);
        }
        if ring.messages.is_empty() {
            // Where a later ring of the channel goes on, nothing has been before.
            self.floor = self.floor.max(ring.last);
            self.channels.remove(channel);
        }
    }

    /// Reads a part of a channel's history, if it has one.
    pub(super) fn read(&self, channel: &Channel, query: &HistoryQuery, now: Instant) -> Option<History> {
        let bound = ChannelRule::find(&self.rules, channel)?;
        let nothing = Ring { last: self.floor, ..Ring::default() };
        let ring = self.channels.get(channel).unwrap_or(&nothing);
        let messages = &ring.messages;
        let expired = messages.iter().take_while(|kept| is_over(kept, bound.age, now)).count();
        let before = |index: usize| ring.last - (messages.len() - index) as u64;
        let (start, end) = (before(expired), ring.last);
        let (from, is_whole) = match query.offset(&self.epoch) {
            Ok(None) => (end - (query.most as u64).min(end - start), true),
            Ok(Some(Offset::Number(since))) if (start..=end).contains(&since) => (since, true),
            _ => (start, false),
        };
        let mut offset = from;
        let mut bytes = 0;
        let behind = messages.len() - (end - from) as usize;
        let mut read = Vec::new();
        for kept in messages.iter().skip(behind).take(query.most) {
            bytes += cost(channel, &kept.payload);
            if bytes > query.bytes && !read.is_empty() {
                break;
            }
            offset += 1;
            let place = Place { offset: Offset::Number(offset), published: kept.published };
            read.push(KeptMessage { place, payload: kept.payload.clone() });
        }
        let (offset, end) = (Offset::Number(offset), Offset::Number(end));
        Some(History { messages: read, offset, end, epoch: self.epoch.clone(), is_whole })
    }
}

fn is_over(kept: &Kept, age: Option<Duration>, now: Instant) -> bool {
    age.is_some_and(|age| now.saturating_duration_since(kept.at) > age)
}

/// What a message counts against the bound, with its place in the order.
fn cost(channel: &Channel, payload: &Bytes) -> usize {
    payload.len() + channel.as_str().len() + 192
}

#[cfg(test)]
mod tests;
