//! What time it is: by the clock that goes on evenly, and by the one on the wall.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use geocast_protocol::envelope::Timestamp;

/// The present, by the clock of the runtime: a simulation has its own.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The time of day; the epoch where the machine's clock stands before it.
pub(crate) fn timestamp() -> Timestamp {
    Timestamp::since_epoch(wall())
}

#[cfg(feature = "simulation")]
fn wall() -> Duration {
    turmoil::since_epoch().unwrap_or_else(machine)
}

#[cfg(not(feature = "simulation"))]
fn wall() -> Duration {
    machine()
}

fn machine() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
}
