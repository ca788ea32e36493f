use std::{
    collections::HashMap,
    hash::Hash,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::{RateLimit, rate::Rate};

/// A rate for each of many, such as addresses, or none for anybody. Who has been quiet is forgotten; when too many are not, those who
/// come then share one rate.
#[derive(Debug)]
pub(crate) struct RateTable<K> {
    /// Whether there is a limit. Where there is none, nobody waits for the lock.
    is_limited: AtomicBool,
    rates: Mutex<Option<Rates<K>>>,
}

#[derive(Debug)]
struct Rates<K> {
    limit: RateLimit,
    known: HashMap<K, Rate>,
    others: Rate,
    swept: Instant,
}

impl<K: Eq + Hash> RateTable<K> {
    pub(crate) fn new(limit: Option<RateLimit>, now: Instant) -> Self {
        Self {
            is_limited: AtomicBool::new(limit.is_some()),
            rates: Mutex::new(limit.map(|limit| Rates::new(limit, now))),
        }
    }

    /// Has another limit hold from now on. If it is another, what has been used is forgotten: all begin anew.
    pub(crate) fn allow(&self, limit: Option<RateLimit>, now: Instant) {
        let mut rates = self.rates.lock();
        if rates.as_ref().map(|rates| rates.limit) != limit {
            *rates = limit.map(|limit| Rates::new(limit, now));
            self.is_limited.store(limit.is_some(), Ordering::Relaxed);
        }
    }

    /// Whether this one may do it once more at this moment.
    pub(crate) fn admits(&self, key: K, now: Instant) -> bool {
        let admits = self.with(key, now, |rate| {
            let admits = rate.resumes(now).is_none();
            if admits {
                rate.spend(now);
            }
            admits
        });
        admits.unwrap_or(true)
    }

    /// Notes that this one does it once more; if that is too fast, when it may go on.
    pub(crate) fn spend(&self, key: K, now: Instant) -> Option<Instant> {
        self.with(key, now, |rate| {
            rate.spend(now);
            rate.resumes(now)
        })
        .flatten()
    }

    /// When this one may go on, if it has been too fast.
    pub(crate) fn resumes(&self, key: K, now: Instant) -> Option<Instant> {
        self.with(key, now, |rate| rate.resumes(now)).flatten()
    }

    fn with<T>(&self, key: K, now: Instant, work: impl FnOnce(&mut Rate) -> T) -> Option<T> {
        if !self.is_limited.load(Ordering::Relaxed) {
            return None;
        }
        self.rates.lock().as_mut().map(|rates| work(rates.of(key, now)))
    }
}

impl<K: Eq + Hash> Rates<K> {
    fn new(limit: RateLimit, now: Instant) -> Self {
        Self { limit, known: HashMap::new(), others: limit.begin(now), swept: now }
    }

    fn of(&mut self, key: K, now: Instant) -> &mut Rate {
        let Self { limit, known, others, swept } = self;
        if known.len() >= MOST && !known.contains_key(&key) {
            if now.saturating_duration_since(*swept) >= SWEEP {
                known.retain(|_, rate| !rate.is_full(now));
                *swept = now;
            }
            if known.len() >= MOST {
                return others;
            }
        }
        known.entry(key).or_insert_with(|| limit.begin(now))
    }
}

/// How many are known at a time: some megabytes.
const MOST: usize = 65_536;

/// How often a full table is searched for those who have been quiet, which takes a millisecond.
const SWEEP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { per_second: 10, burst: 2 };

    #[test]
    fn each_has_a_rate_of_its_own() {
        let start = Instant::now();
        let table = RateTable::new(Some(LIMIT), start);
        for key in ["a", "b"] {
            let admitted: Vec<bool> = (0..3).map(|_| table.admits(key, start)).collect();
            assert_eq!(admitted, [true, true, false], "{key}");
        }
        assert!(table.admits("a", start + Duration::from_millis(100)));
        assert!(!table.admits("a", start + Duration::from_millis(100)));
    }

    #[test]
    fn who_is_too_fast_waits_the_longer_the_more_it_has_taken() {
        let start = Instant::now();
        let table = RateTable::new(Some(LIMIT), start);
        assert_eq!(table.spend("a", start), None);
        assert_eq!(table.spend("a", start), Some(start + Duration::from_millis(100)));
        assert_eq!(table.spend("a", start), Some(start + Duration::from_millis(200)));
    }

    #[test]
    fn a_crowd_takes_no_more_room_and_shares_one_rate_until_others_have_been_quiet() {
        let start = Instant::now();
        let table = RateTable::new(Some(LIMIT), start);
        let admitted = (0..MOST + 100).filter(|key| table.admits(*key, start)).count();
        assert_eq!(admitted, MOST + 2);
        assert_eq!(table.rates.lock().as_ref().unwrap().known.len(), MOST);
        let later = start + SWEEP;
        assert!(table.admits(MOST + 200, later));
        assert_eq!(table.rates.lock().as_ref().unwrap().known.len(), 1);
    }

    #[test]
    fn another_limit_begins_anew_and_the_same_one_does_not() {
        let start = Instant::now();
        let table = RateTable::new(Some(LIMIT), start);
        let admitted = |most: usize| (0..most).filter(|_| table.admits("a", start)).count();
        assert_eq!(admitted(9), 2);
        table.allow(Some(LIMIT), start);
        assert_eq!(admitted(9), 0);
        assert_eq!(table.resumes("a", start), Some(start + Duration::from_millis(100)));
        table.allow(Some(RateLimit { burst: 4, ..LIMIT }), start);
        assert_eq!(table.resumes("a", start), None);
        assert_eq!(admitted(9), 4);
        table.allow(None, start);
        assert_eq!(admitted(99), 99);
        assert_eq!((table.spend("a", start), table.resumes("a", start)), (None, None));
        table.allow(Some(LIMIT), start);
        assert_eq!(admitted(9), 2);
    }
}
