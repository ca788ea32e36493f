use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::{RateLimit, rate::Rate};

/// A rate for each of many, such as addresses. Who has been quiet is forgotten; when too many are not, those who come then
/// share one rate.
#[derive(Debug)]
pub(crate) struct RateTable<K> {
    limit: RateLimit,
    rates: Mutex<Rates<K>>,
}

#[derive(Debug)]
struct Rates<K> {
    known: HashMap<K, Rate>,
    others: Rate,
    swept: Instant,
}

impl<K: Eq + Hash> RateTable<K> {
    pub(crate) fn new(limit: RateLimit, now: Instant) -> Self {
        let others = limit.begin(now);
        Self { limit, rates: Mutex::new(Rates { known: HashMap::new(), others, swept: now }) }
    }

    /// Whether this one may do it once more at this moment.
    pub(crate) fn admits(&self, key: K, now: Instant) -> bool {
        self.with(key, now, |rate| {
            let admits = rate.resumes(now).is_none();
            if admits {
                rate.spend(now);
            }
            admits
        })
    }

    /// Notes that this one does it once more; if that is too fast, when it may go on.
    pub(crate) fn spend(&self, key: K, now: Instant) -> Option<Instant> {
        self.with(key, now, |rate| {
            rate.spend(now);
            rate.resumes(now)
        })
    }

    fn with<T>(&self, key: K, now: Instant, work: impl FnOnce(&mut Rate) -> T) -> T {
        let mut rates = self.rates.lock();
        let Rates { known, others, swept } = &mut *rates;
        if let Some(rate) = known.get_mut(&key) {
            return work(rate);
        }
        if known.len() >= MOST && now.saturating_duration_since(*swept) >= SWEEP {
            known.retain(|_, rate| !rate.is_full(now));
            *swept = now;
        }
        if known.len() >= MOST {
            return work(others);
        }
        work(known.entry(key).or_insert_with(|| self.limit.begin(now)))
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
        let table = RateTable::new(LIMIT, start);
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
        let table = RateTable::new(LIMIT, start);
        assert_eq!(table.spend("a", start), None);
        assert_eq!(table.spend("a", start), Some(start + Duration::from_millis(100)));
        assert_eq!(table.spend("a", start), Some(start + Duration::from_millis(200)));
    }

    #[test]
    fn a_crowd_takes_no_more_room_and_shares_one_rate_until_others_have_been_quiet() {
        let start = Instant::now();
        let table = RateTable::new(LIMIT, start);
        let admitted = (0..MOST + 100).filter(|key| table.admits(*key, start)).count();
        assert_eq!(admitted, MOST + 2);
        assert_eq!(table.rates.lock().known.len(), MOST);
        let later = start + SWEEP;
        assert!(table.admits(MOST + 200, later));
        assert_eq!(table.rates.lock().known.len(), 1);
    }
}
