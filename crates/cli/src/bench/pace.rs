use std::{num::NonZeroUsize, time::Duration};

/// When messages are published.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pace {
    /// So many at once, and the next ones a pause after everybody has got these.
    Closed { burst: NonZeroUsize, pause: Duration },
    /// So many per second, whatever the server makes of it.
    Rate(f64),
}

/// A pace on its way.
#[derive(Debug)]
pub(super) struct Schedule {
    pace: Pace,
    left: usize,
    /// When the next ones are due, if the pace knows.
    next: Option<Duration>,
    /// When the first one was due, and how many have been since.
    start: (Duration, u64),
}

impl Schedule {
    /// For so many messages, from `now` on.
    pub(super) fn new(pace: Pace, messages: usize, now: Duration) -> Self {
        Self { pace, left: messages, next: Some(now), start: (now, 0) }
    }

    /// How many to publish now. `settled` says that everybody has got everything so far.
    pub(super) fn due(&mut self, now: Duration, settled: bool) -> usize {
        let due = match self.pace {
            Pace::Closed { burst, pause } => {
                if self.next.is_none() && settled {
                    self.next = Some(now + pause);
                }
                if self.next.is_none_or(|next| now < next) {
                    return 0;
                }
                self.next = None;
                burst.get().min(self.left)
            }
            Pace::Rate(rate) => {
                let (start, published) = &mut self.start;
                let mut due = 0;
                let time = |number: u64| Duration::from_secs_f64(number as f64 / rate);
                while due < self.left && *start + time(*published) <= now {
                    *published += 1;
                    due += 1;
                }
                self.next = Some(*start + time(*published));
                due
            }
        };
        self.left -= due;
        due
    }

    /// Whether nothing is left.
    pub(super) fn is_over(&self) -> bool {
        self.left == 0
    }

    /// How long nothing will be due.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        match self.next {
            Some(next) if self.left > 0 => next.saturating_sub(now).min(LONGEST),
            _ => LONGEST,
        }
    }
}

/// Something else may have to be looked at.
const LONGEST: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_closed_loop_waits_for_everybody_and_then_for_the_pause() {
        let pace = Pace::Closed { burst: NonZeroUsize::new(100).unwrap(), pause: 10 * MS };
        let mut schedule = Schedule::new(pace, 150, MS);
        assert_eq!(schedule.due(MS, true), 100);
        assert_eq!(schedule.due(50 * MS, false), 0);
        assert_eq!(schedule.due(60 * MS, true), 0);
        assert_eq!(schedule.wait(60 * MS), 10 * MS);
        assert_eq!(schedule.due(69 * MS, true), 0);
        assert_eq!(schedule.due(70 * MS, true), 50);
        assert!(schedule.is_over());
        assert_eq!(schedule.due(90 * MS, true), 0);
        assert_eq!(schedule.due(200 * MS, true), 0);
    }

    #[test]
    fn a_rate_catches_up_and_does_not_wait() {
        let mut schedule = Schedule::new(Pace::Rate(100.0), 6, 5 * MS);
        assert_eq!(schedule.due(5 * MS, false), 1);
        assert_eq!(schedule.wait(5 * MS), 10 * MS);
        assert_eq!(schedule.due(14 * MS, true), 0);
        assert_eq!(schedule.due(36 * MS, false), 3);
        assert_eq!(schedule.due(1000 * MS, false), 2);
        assert!(schedule.is_over());
    }
}
