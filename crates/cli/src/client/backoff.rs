use std::time::Duration;

/// How long to wait before connecting again: at random up to a bound that doubles, so that many clients of one server do
/// not come back in step.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The next wait; `chance` is at random from 0 to 1.
    pub(super) fn wait(&mut self, chance: f64) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.attempts.min(10)).min(LONGEST);
        self.attempts += 1;
        bound.mul_f64(chance.clamp(0.0, 1.0))
    }
}

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_a_limit() {
        let mut backoff = Backoff::default();
        let bounds: Vec<_> = (0..40).map(|_| backoff.wait(1.0)).collect();
        assert_eq!(bounds[..5], [200, 400, 800, 1600, 3200].map(Duration::from_millis));
        assert!(bounds[5..].iter().all(|bound| *bound == LONGEST));
        assert_eq!(Backoff::default().wait(0.5), FIRST / 2);
    }
}
