use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Keeps what strangers can bring about from filling a log: so many lines in a while, and then the number of those that
/// were left out.
#[derive(Debug, Default)]
pub(crate) struct LogLimit(Mutex<Option<Window>>);

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    logged: u32,
    unlogged: u64,
}

impl LogLimit {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether a line may be logged now; then, how many were not since the last one.
    pub(crate) fn admit(&self) -> Option<u64> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<u64> {
        let mut window = self.0.lock();
        let before = window.take().unwrap_or(Window { began: now, logged: 0, unlogged: 0 });
        let is_over = now.saturating_duration_since(before.began) >= LENGTH;
        let current = if is_over { Window { began: now, logged: 0, ..before } } else { before };
        let admitted = current.logged < LINES;
        *window = Some(if admitted {
            Window { logged: current.logged + 1, unlogged: 0, ..current }
        } else {
            Window { unlogged: current.unlogged + 1, ..current }
        });
        admitted.then_some(current.unlogged)
    }
}

/// Lines in a while: enough to see what is wrong, and for tests of one's own filters.
const LINES: u32 = 10;
const LENGTH: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_some_lines_and_a_number() {
        let limit = LogLimit::new();
        let start = Instant::now();
        let logged = (0..1000).filter(|_| limit.admit_at(start).is_some()).count();
        assert_eq!(logged, LINES as usize);
        let later = start + LENGTH;
        assert_eq!(limit.admit_at(later), Some(990));
        assert_eq!(limit.admit_at(later), Some(0));
    }
}
