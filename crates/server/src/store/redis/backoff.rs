use std::time::Duration;

/// How long to wait before the next attempt to connect, or to read what could not be read.
///
/// Full jitter: each wait, the first one too, is drawn evenly between a moment and a bound that doubles with every failure, so that
/// many gateways do not come back in step. The bound stops at 1.5 s because messages have to flow again within two
/// seconds of Redis being back, which leaves half a second to connect and to subscribe.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait. `random` is evenly spread over 0 ≤ random < 1.
    pub(super) fn wait(&mut self, random: f64) -> Duration {
        let bound = FIRST_BOUND.saturating_mul(1 << self.failures.min(8)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        SHORTEST + (bound - SHORTEST).mul_f64(random)
    }

    /// Begins again with short waits.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// What refuses at once is not asked again at once, however the lot falls.
const SHORTEST: Duration = Duration::from_millis(20);
const FIRST_BOUND: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_millis(1500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_bound() {
        let mut backoff = Backoff::default();
        let longest: Vec<_> = (0..7).map(|_| backoff.wait(1.0).as_millis()).collect();
        assert_eq!(longest, [100, 200, 400, 800, 1500, 1500, 1500]);
        assert_eq!(backoff.wait(0.0).as_millis(), 20);
        backoff.reset();
        assert_eq!(backoff.wait(1.0).as_millis(), 100);
    }

    #[test]
    fn survives_years_of_failures() {
        let mut backoff = Backoff { failures: u32::MAX - 1 };
        assert_eq!(backoff.wait(1.0), LONGEST);
        assert_eq!(backoff.wait(0.5).as_millis(), 760);
    }

    /// They have lost the same Redis at the same moment.
    #[test]
    fn gateways_do_not_even_come_back_together_at_first() {
        let first = |seed| Backoff::default().wait(fastrand::Rng::with_seed(seed).f64());
        let mut waits: Vec<Duration> = (0..50).map(first).collect();
        assert_ne!(waits[0], waits[1]);
        waits.sort();
        waits.dedup();
        assert!(waits.len() > 40, "{waits:?}");
        assert!(waits.is_sorted_by(|one, next| *next - *one < Duration::from_millis(20)), "{waits:?}");
    }
}
