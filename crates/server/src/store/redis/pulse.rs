use std::time::Duration;

use tokio::time::Instant;

/// When a subscriber connection is to be probed, and when it has been silent for too long after that.
#[derive(Debug)]
pub(super) struct Pulse {
    interval: Duration,
    patience: Duration,
    next_probe: Instant,
    /// When all that had been heard was dealt with. Time spent in waiting for the broker is not Redis's silence.
    heard: Instant,
    /// When an unanswered PING is to be overtaken.
    overdue: Instant,
}

/// What there is to do when the time has come, and when to look again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Wait(Instant),
    Probe(Instant),
    /// The PING has gone unanswered for long, although something came.
    Overtake(Instant),
    /// Nothing came for too long.
    Silent,
}

impl Pulse {
    /// A probe every `interval`. What answers it may take `patience`.
    pub(super) fn new(interval: Duration, patience: Duration, now: Instant) -> Self {
        let overdue = now + interval.max(patience);
        Self { interval, patience, next_probe: now + interval, heard: now, overdue }
    }

    /// When to look for the first time.
    pub(super) fn first(&self) -> Instant {
        self.heard + self.patience.min(self.interval)
    }

    /// Something came, and was dealt with.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Looks, at the time that was said. Whether a probe `is_outstanding` is for the caller to know.
    pub(super) fn beat(&mut self, is_outstanding: bool, now: Instant) -> Beat {
        if is_outstanding {
            let end = self.heard + self.patience;
            if now >= end {
                return Beat::Silent;
            }
            if now < self.overdue {
                return Beat::Wait(end.min(self.overdue));
            }
            self.overdue = now + self.interval.max(self.patience);
            return Beat::Overtake(end.min(self.overdue));
        }
        if now < self.next_probe {
            return Beat::Wait(self.next_probe);
        }
        self.next_probe = now + self.interval;
        // The PING is written a moment later, and silence is counted from it.
        self.heard = now;
        self.overdue = now + self.interval.max(self.patience);
        Beat::Probe(now + self.patience.min(self.interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_from_the_probe() {
        let (begin, second) = (Instant::now(), Duration::from_secs(1));
        let mut pulse = Pulse::new(5 * second, 2 * second, begin);
        assert_eq!(pulse.first(), begin + 2 * second);
        pulse.heard(begin + second);
        assert_eq!(pulse.beat(true, begin + 2 * second), Beat::Wait(begin + 3 * second));
        assert_eq!(pulse.beat(false, begin + 3 * second), Beat::Wait(begin + 5 * second));
        assert_eq!(pulse.beat(false, begin + 6 * second), Beat::Probe(begin + 8 * second));
        pulse.heard(begin + 7 * second);
        assert_eq!(pulse.beat(true, begin + 8 * second), Beat::Wait(begin + 9 * second));
        assert_eq!(pulse.beat(true, begin + 9 * second), Beat::Silent);
        assert_eq!(pulse.beat(false, begin + 9 * second), Beat::Wait(begin + 11 * second));
    }

    #[test]
    fn what_comes_does_not_answer_for_a_probe() {
        for (interval, patience) in [(5, 2), (2, 5)] {
            let (begin, second) = (Instant::now(), Duration::from_secs(1));
            let mut pulse = Pulse::new(interval * second, patience * second, begin);
            let probed = begin + interval * second;
            assert!(matches!(pulse.beat(false, probed), Beat::Probe(_)));
            for passed in 1..5 {
                let now = probed + passed * second;
                pulse.heard(now);
                assert!(matches!(pulse.beat(true, now), Beat::Wait(_)), "{passed} s");
            }
            let late = probed + 5 * second;
            pulse.heard(late);
            assert_eq!(pulse.beat(true, late), Beat::Overtake(late + patience * second));
            assert!(matches!(pulse.beat(true, late), Beat::Wait(_)), "once");
        }
    }
}
