use std::time::{Duration, Instant};

/// How long filters may still work on what comes from channels.
///
/// What waits for them is held against the bound of what is in flight, so if they were always late, the messages of all
/// clients would be.
#[derive(Debug)]
pub(super) struct Budget {
    left: Duration,
    /// By how much it is overdrawn.
    owed: Duration,
    at: Instant,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        Self { left: MOST, owed: Duration::ZERO, at: now }
    }

    /// Whether there is something left.
    pub(super) fn is_left(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.at).mul_f64(SHARE);
        self.at = now;
        self.left = (self.left + earned.saturating_sub(self.owed)).min(MOST);
        self.owed = self.owed.saturating_sub(earned);
        !self.left.is_zero()
    }

    pub(super) fn spend(&mut self, taken: Duration) {
        self.owed += taken.saturating_sub(self.left);
        self.left = self.left.saturating_sub(taken);
    }
}

/// Of a thread.
const SHARE: f64 = 0.9;

/// Lasts for five seconds without a pause, which is how late an item can come to be.
const MOST: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_overdrawn_is_earned_again() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        assert!(budget.is_left(start));
        budget.spend(MOST + Duration::from_millis(90));
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        assert!(!budget.is_left(start));
        assert!(!budget.is_left(after(99)));
        assert!(budget.is_left(after(200)));
        assert!(budget.is_left(after(100_000)));
        budget.spend(MOST);
        assert!(!budget.is_left(after(100_000)), "no more is saved up than that");
    }
}
