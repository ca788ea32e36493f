//! The wall clock, for what is shown to clients.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use geocast_protocol::envelope::Timestamp;

/// The present; the epoch where the machine's clock stands before it.
pub(crate) fn timestamp() -> Timestamp {
    Timestamp::since_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO))
}
