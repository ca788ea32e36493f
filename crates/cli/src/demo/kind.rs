use serde::Serialize;

/// What moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Rail,
    Tram,
    Bus,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rail => "rail",
            Self::Tram => "tram",
            Self::Bus => "bus",
        }
    }

    /// Between stops: from the slowest vehicle to the fastest, in metres per second.
    pub(super) const fn cruising_speed(self) -> (f64, f64) {
        match self {
            // 80 to 140 km/h.
            Self::Rail => (22.2, 38.9),
            // 30 to 42 km/h.
            Self::Tram => (8.3, 11.7),
            // 32 to 50 km/h.
            Self::Bus => (8.9, 13.9),
        }
    }

    /// Gathering and losing speed, in metres per second squared, so that people can stand.
    pub(super) const fn acceleration(self) -> f64 {
        match self {
            Self::Rail => 0.6,
            Self::Tram | Self::Bus => 1.0,
        }
    }

    /// At a stop: from the shortest to the longest, in seconds.
    pub(super) const fn dwell(self) -> (u32, u32) {
        match self {
            Self::Rail => (60, 180),
            Self::Tram => (10, 30),
            Self::Bus => (8, 40),
        }
    }

    /// Between stops, in metres; trains stop in cities only.
    pub(super) const fn stop_spacing(self) -> f64 {
        match self {
            Self::Rail => f64::INFINITY,
            Self::Tram => 450.0,
            Self::Bus => 650.0,
        }
    }
}
