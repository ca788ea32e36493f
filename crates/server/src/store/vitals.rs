use std::time::Duration;

/// What a store says about itself. What it does not know is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vitals {
    /// What kind of store it is, in a word: `embedded`, `redis`; `custom` unless it says otherwise.
    pub kind: &'static str,
    /// How long ago it was proven last that its messages arrive.
    pub probe_age: Option<Duration>,
    /// How long that took.
    pub probe_round_trip: Option<Duration>,
    /// Bytes of state that it holds in this process.
    pub state_bytes: Option<u64>,
    /// Bytes of history that it holds in this process.
    pub history_bytes: Option<u64>,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            kind: "custom",
            probe_age: None,
            probe_round_trip: None,
            state_bytes: None,
            history_bytes: None,
        }
    }
}
