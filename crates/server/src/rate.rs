use std::time::{Duration, Instant};

/// A token bucket that may be overdrawn by what has already been read; then its owner stops reading.
///
/// Nothing a client sends is thrown away for being fast: it waits in the client's own socket.
#[derive(Debug)]
pub(crate) struct Rate {
    /// When the bucket will be, or was, full.
    full_at: Instant,
    /// Nanoseconds until a token comes in, a second at most. Every connection has a rate, so it is short.
    interval: u32,
    burst: u32,
}

impl Rate {
    pub(crate) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { full_at: now, interval: 1_000_000_000 / per_second.max(1), burst: burst.max(1) }
    }

    /// Takes one token.
    pub(crate) fn spend(&mut self, now: Instant) {
        self.occupy(now, self.interval());
    }

    /// Takes as much as comes in in so long a time.
    pub(crate) fn occupy(&mut self, now: Instant, time: Duration) {
        self.full_at = self.full_at.max(now) + time;
    }

    /// Whether all of the burst may be used again, so that nothing is to be remembered.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// Gives one token back.
    pub(crate) fn refund(&mut self) {
        self.full_at = self.full_at.checked_sub(self.interval()).unwrap_or(self.full_at);
    }

    /// When there will be a token again, if there is none now.
    pub(crate) fn resumes(&self, now: Instant) -> Option<Instant> {
        let resumes = (self.full_at + self.interval()).checked_sub(self.interval() * self.burst)?;
        (resumes > now).then_some(resumes)
    }

    fn interval(&self) -> Duration {
        Duration::from_nanos(self.interval.into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Rate;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut rate = Rate::new(20, 40, start);
        for spent in 0..40 {
            assert_eq!(rate.resumes(start), None, "after {spent}");
            rate.spend(start);
        }
        assert_eq!(rate.resumes(start), Some(start + Duration::from_millis(50)));
        let later = start + Duration::from_millis(50);
        assert_eq!(rate.resumes(later), None);
        rate.spend(later);
        assert_eq!(rate.resumes(later), Some(start + Duration::from_millis(100)));
        assert_eq!(rate.resumes(start + Duration::from_secs(9)), None);
    }
}
