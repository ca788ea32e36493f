use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// How often something took how long. Whoever observes never waits; whoever reads may see an observation in part.
#[derive(Debug)]
pub(crate) struct Histogram {
    /// How many were within a bound and above the one before it; the last are above all of them.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// What a histogram said at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// How many took at most so many seconds, as they are written.
    pub(super) within: Vec<(&'static str, u64)>,
    pub(super) count: u64,
    pub(super) sum: Duration,
}

impl Histogram {
    pub(crate) fn observe(&self, time: Duration) {
        let bucket = BOUNDS.partition_point(|(bound, _)| *bound < time);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        // Five centuries fit.
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Reading {
        let mut count = 0;
        let mut within = Vec::with_capacity(BOUNDS.len());
        for (bucket, (_, written)) in self.buckets.iter().zip(BOUNDS) {
            count += bucket.load(Ordering::Relaxed);
            within.push((written, count));
        }
        count += self.buckets[BOUNDS.len()].load(Ordering::Relaxed);
        Reading { within, count, sum: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)) }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BOUNDS.len() + 1], nanoseconds: AtomicU64::new(0) }
    }
}

/// From what nobody notices to what everybody does, and the same in seconds.
const BOUNDS: [(Duration, &str); 15] = [
    (Duration::from_micros(100), "0.0001"),
    (Duration::from_micros(250), "0.00025"),
    (Duration::from_micros(500), "0.0005"),
    (Duration::from_millis(1), "0.001"),
    (Duration::from_micros(2_500), "0.0025"),
    (Duration::from_millis(5), "0.005"),
    (Duration::from_millis(10), "0.01"),
    (Duration::from_millis(25), "0.025"),
    (Duration::from_millis(50), "0.05"),
    (Duration::from_millis(100), "0.1"),
    (Duration::from_millis(250), "0.25"),
    (Duration::from_millis(500), "0.5"),
    (Duration::from_secs(1), "1.0"),
    (Duration::from_millis(2_500), "2.5"),
    (Duration::from_secs(10), "10.0"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_as_they_are_written_and_rise() {
        for (bound, written) in BOUNDS {
            assert_eq!(written.parse(), Ok(bound.as_secs_f64()));
        }
        assert!(BOUNDS.is_sorted_by(|one, other| one.0 < other.0));
    }

    #[test]
    fn what_is_on_a_bound_is_within_it() {
        let histogram = Histogram::default();
        for microseconds in [0, 100, 101, 1_000, 11_000_000] {
            histogram.observe(Duration::from_micros(microseconds));
        }
        let reading = histogram.read();
        let within = |bound| reading.within.iter().find(|(written, _)| *written == bound).unwrap().1;
        assert_eq!(
            [within("0.0001"), within("0.00025"), within("0.001"), within("10.0"), reading.count],
            [2, 3, 4, 4, 5]
        );
        assert_eq!(reading.sum, Duration::from_micros(11_001_201));
    }
}
