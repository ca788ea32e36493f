use std::time::{Duration, Instant};

use crate::Timeouts;

/// Whether a client is still there: pings when it is quiet, and patience until it answers.
#[derive(Debug)]
pub(crate) struct Liveness {
    ping: Duration,
    pong: Duration,
    next_ping: Instant,
    answer_by: Option<Instant>,
    first_heard: Option<Instant>,
}

/// What is to be done about a client's silence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    Close,
}

impl Liveness {
    pub(crate) fn new(timeouts: &Timeouts, now: Instant) -> Self {
        // The first pings of clients that connected together are spread over the second half of the interval.
        let first = timeouts.ping.mul_f64(0.5 + fastrand::f64() / 2.0);
        Self {
            ping: timeouts.ping,
            pong: timeouts.pong,
            next_ping: now + first,
            answer_by: None,
            first_heard: None,
        }
    }

    /// Anything came from the client.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.first_heard.get_or_insert(now);
        self.answer_by = None;
        self.next_ping = now + self.ping;
    }

    /// When the first frame came.
    pub(crate) fn first_heard(&self) -> Option<Instant> {
        self.first_heard
    }

    pub(crate) fn due(&mut self, now: Instant) -> Due {
        match self.answer_by {
            Some(limit) if limit + LATE <= now => {
                // It is this process that was held up; nobody could be heard meanwhile.
                self.answer_by = Some(now + self.pong);
                Due::Nothing
            }
            Some(limit) if limit <= now => Due::Close,
            Some(_) => Due::Nothing,
            None if self.next_ping <= now => {
                self.answer_by = Some(now + self.pong);
                Due::Ping
            }
            None => Due::Nothing,
        }
    }

    /// When [`due`](Self::due) has something to say, if nothing is heard.
    pub(crate) fn next(&self) -> Instant {
        self.answer_by.unwrap_or(self.next_ping)
    }
}

/// How long after its time a judgement is not to be trusted.
const LATE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_client_is_asked_and_a_silent_one_given_up() {
        let timeouts = Timeouts::default();
        let start = Instant::now();
        let mut liveness = Liveness::new(&timeouts, start);
        assert_eq!(liveness.due(start), Due::Nothing);
        let ping = liveness.next();
        assert!(ping > start && ping <= start + timeouts.ping);
        assert_eq!(liveness.due(ping), Due::Ping);
        assert_eq!(liveness.due(ping), Due::Nothing, "one ping at a time");
        liveness.heard(ping + timeouts.pong / 2);
        assert_eq!(liveness.next(), ping + timeouts.pong / 2 + timeouts.ping);
        let ping = liveness.next();
        assert_eq!(liveness.due(ping), Due::Ping);
        assert_eq!(liveness.due(ping + timeouts.pong), Due::Close);
        let late = ping + timeouts.pong + LATE;
        assert_eq!(liveness.due(late), Due::Nothing, "the server was held up");
        assert_eq!(liveness.due(late + timeouts.pong), Due::Close);
    }

    #[test]
    fn those_who_connect_together_are_not_asked_together() {
        fastrand::seed(15);
        let (timeouts, start) = (Timeouts::default(), Instant::now());
        let first = |_| (Liveness::new(&timeouts, start).next() - start).div_duration_f64(timeouts.ping);
        let mut waits: Vec<f64> = (0..50).map(first).collect();
        waits.sort_by(f64::total_cmp);
        waits.dedup();
        assert!(waits.len() > 40, "{waits:?}");
        // All over the second half of the interval, and nobody before it.
        assert!((0.5..0.6).contains(&waits[0]), "{waits:?}");
        assert!(waits.last().is_some_and(|last| (0.9..=1.0).contains(last)), "{waits:?}");
        assert!(waits.is_sorted_by(|one, next| next - one < 0.1), "{waits:?}");
    }
}
