use rustix::process::{Resource, getrlimit};

use crate::Limits;

/// How many sockets there may be, so that descriptors never run out: those who want to know whether the server lives get an
/// answer although all its places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// WebSockets.
    pub(crate) connections: usize,
    /// Sockets that are none, or none yet.
    pub(crate) plain: usize,
}

impl Budget {
    /// What the settings want, or what fits into the limit that the process has at this moment.
    pub(crate) fn new(limits: &Limits, workers: usize) -> Self {
        let descriptors = getrlimit(Resource::Nofile).current;
        let descriptors = descriptors.and_then(|number| usize::try_from(number).ok()).unwrap_or(usize::MAX);
        let budget = Self::within(limits, workers, descriptors);
        if budget.is_worth_a_word(limits) {
            tracing::info!(
                event = "connections_limited",
                clients = budget.connections,
                wanted = limits.connections,
                open_files = descriptors,
                "fewer clients can be connected at the same time than are allowed, as this process may not have more files open: \
                 `ulimit -n` in a shell, or LimitNOFILE= in a unit of systemd, says how many it may"
            );
        }
        budget
    }

    /// Whether somebody wanted more than fit, or few do. A default is as many as there is room for, and nobody's wish.
    fn is_worth_a_word(&self, limits: &Limits) -> bool {
        let wanted = limits.connections;
        let is_default = wanted == Limits::default().connections;
        self.connections < if is_default { wanted.min(MANY) } else { wanted }
    }

    fn within(limits: &Limits, workers: usize, descriptors: usize) -> Self {
        // Where there are very few, half of them.
        let own = (OWN + OF_A_WORKER * workers).min(descriptors / 2);
        let free = descriptors - own;
        let plain = limits.plain_connections.min((free / 4).max(1));
        Self { connections: limits.connections.min(free.saturating_sub(plain)), plain }
    }
}

/// Descriptors for listeners, logs, connections to Redis, and files that are read now and then.
const OWN: usize = 64;

/// Descriptors of a worker's runtime, and one to spare.
const OF_A_WORKER: usize = 4;

/// As many clients as few servers ever have.
const MANY: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_and_some_is_left_for_plain_requests() {
        let limits =
            |connections, plain_connections| Limits { connections, plain_connections, ..Limits::default() };
        for (limits, workers, descriptors, connections, plain) in [
            (limits(100_000, 4_096), 2, 1_000_000, 100_000, 4_096),
            (limits(100_000, 4_096), 2, 20_000, 15_832, 4_096),
            (limits(100_000, 4_096), 2, 1_024, 714, 238),
            (limits(100_000, 4_096), 2, 64, 24, 8),
            (limits(10, 5), 2, 1_024, 10, 5),
            (limits(10, 5), 2, 2, 0, 1),
            (limits(10, 5), 2, usize::MAX, 10, 5),
        ] {
            let expected = Budget { connections, plain };
            assert_eq!(Budget::within(&limits, workers, descriptors), expected, "{descriptors}");
        }
    }

    #[test]
    fn what_nobody_asked_for_is_no_news_unless_it_is_little() {
        let default = Limits::default().connections;
        for (wanted, descriptors, expected) in [
            (default, 1_000_000, false),
            (default, 20_000, false),
            (default, 4_096, true),
            (default, 1_024, true),
            (default - 1, 20_000, true),
            (15_000, 20_000, false),
            (500, 1_024, false),
            (5_000, 1_024, true),
        ] {
            let limits = Limits { connections: wanted, ..Limits::default() };
            let budget = Budget::within(&limits, 2, descriptors);
            assert_eq!(budget.is_worth_a_word(&limits), expected, "{wanted} with {descriptors}");
        }
    }
}
