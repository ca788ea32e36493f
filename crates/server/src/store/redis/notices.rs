use std::collections::VecDeque;

use geocast_protocol::Channel;
use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use tokio::sync::Notify;

use super::event_flags;
use crate::Patterns;

/// Which watched hashes may have changed, as far as nobody has looked yet.
///
/// Between the connection on which Redis tells it and the task that reads the hashes. A hash that changes often is told
/// once; where more wait than may, all are to be read again.
#[derive(Debug)]
pub(super) struct Notices {
    patterns: Patterns,
    channels: FxHashSet<Channel>,
    waiting: Mutex<Waiting>,
    changed: Notify,
}

/// What is to be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Everything, because it is not known what has changed.
    pub(super) everything: bool,
    /// These, in the order in which they were told first.
    pub(super) hashes: VecDeque<Channel>,
    told: FxHashSet<Channel>,
}

impl Notices {
    /// Nothing yet, of the hashes whose names match in the database of this number.
    pub(super) fn new(patterns: Patterns, database: u32) -> Self {
        let channels = event_flags::channels(database);
        let channels = channels.map(|name| name.parse().expect("letters, digits and signs are a channel"));
        Self { patterns, channels: channels.collect(), waiting: Mutex::default(), changed: Notify::new() }
    }

    /// The channels on which Redis tells it.
    pub(super) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter()
    }

    /// Whether what is published on this channel is a notice.
    pub(super) fn come_on(&self, channel: &Channel) -> bool {
        self.channels.contains(channel)
    }

    /// The same of a channel of this name.
    pub(super) fn come_on_name(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.channels.contains(name))
    }

    /// The hash of that name, if it is watched.
    pub(super) fn watched(&self, name: &[u8]) -> Option<Channel> {
        let name = std::str::from_utf8(name).ok().filter(|name| self.patterns.matches(name))?;
        name.parse().ok()
    }

    /// Takes a notice.
    pub(super) fn take(&self, name: &[u8]) {
        let Some(hash) = self.watched(name) else { return };
        let mut waiting = self.waiting.lock();
        if waiting.everything || !waiting.told.insert(hash.clone()) {
            return;
        }
        if waiting.told.len() > MOST_WAITING {
            *waiting = Waiting { everything: true, ..Waiting::default() };
        } else {
            waiting.hashes.push_back(hash);
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Has everything read again: notices may have been missed.
    pub(super) fn miss(&self) {
        *self.waiting.lock() = Waiting { everything: true, ..Waiting::default() };
        self.changed.notify_one();
    }

    /// What is to be read by now.
    pub(super) fn told(&self) -> Waiting {
        std::mem::take(&mut *self.waiting.lock())
    }

    /// What is to be read, as soon as there is something.
    pub(super) async fn next(&self) -> Waiting {
        loop {
            let waiting = self.told();
            if waiting != Waiting::default() {
                return waiting;
            }
            self.changed.notified().await;
        }
    }
}

/// More hashes than this are not worth being told one by one.
const MOST_WAITING: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn notices() -> Notices {
        Notices::new("a:*,b".parse().unwrap(), 3)
    }

    #[tokio::test]
    async fn what_is_watched_is_told_once() {
        let notices = notices();
        for name in ["a:1", "c", "b", "a:1", "a:b c", "a:2"] {
            notices.take(name.as_bytes());
        }
        notices.take(b"a:\xff");
        let waiting = notices.next().await;
        assert!(!waiting.everything);
        assert_eq!(waiting.hashes, ["a:1", "b", "a:2"].map(|name| name.parse().unwrap()));
        notices.take(b"b");
        assert_eq!(notices.next().await.hashes.len(), 1, "again after it has been taken");
    }

    #[tokio::test]
    async fn too_many_are_everything() {
        let notices = notices();
        for number in 0..=MOST_WAITING {
            notices.take(format!("a:{number}").as_bytes());
        }
        notices.take(b"b");
        let waiting = notices.next().await;
        assert!(waiting.everything && waiting.hashes.is_empty());
        notices.miss();
        assert!(notices.next().await.everything);
    }

    #[test]
    fn notices_come_on_the_channels_of_the_database() {
        let notices = notices();
        assert!(notices.come_on(&"__keyevent@3__:hset".parse().unwrap()));
        assert!(!notices.come_on(&"__keyevent@0__:hset".parse().unwrap()));
    }
}
