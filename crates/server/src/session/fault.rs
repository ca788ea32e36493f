use geocast_geo_filter::RegionError;
use thiserror::Error;

use crate::{StoreError, access::Refusal};

/// Why something that a client asked for was not done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Fault {
    /// For programs.
    pub kind: FaultKind,
    /// For people; names what was wrong.
    pub message: String,
    /// The value that was wrong, if it was one value.
    pub subject: String,
}

/// The kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The client may not do this on this channel.
    AccessDenied,
    /// No such coordinate system is known.
    UnknownCrs,
    /// The box is none.
    InvalidBbox,
    /// The box is plainly not in the unit, or not in the axis order, of its coordinate system.
    BboxUnits,
    /// The zoom level is none, or is not there where it is needed.
    InvalidZoom,
    /// The client has as many subscriptions as it may have.
    TooManySubscriptions,
    /// More properties are asked for than may be.
    TooManyProperties,
    /// More is to be collected than may be.
    BufferTooLarge,
    /// What is to be published cannot be delivered.
    PayloadRefused,
    /// The store cannot be reached, or does not answer in time.
    StoreUnavailable,
    /// The store answered with an error.
    StoreRefused,
    /// A bound of the store is reached.
    StoreFull,
    /// The channel has no history.
    HistoryUnavailable,
    /// Nobody is told who is on the channel.
    PresenceUnavailable,
    /// There is no way from the data's coordinate system to that one.
    ProjectionFailed,
    /// The server has too much to do; it may be tried again.
    Busy,
    /// A batch would be answered by more than may be sent at once.
    BatchTooLarge,
    /// This server cannot do this.
    Unsupported,
}

impl Fault {
    /// A fault that concerns no single value.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), subject: String::new() }
    }

    /// The same, of this value.
    #[must_use]
    pub fn of(self, subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), ..self }
    }
}

impl FaultKind {
    /// Its stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::UnknownCrs => "unknown_crs",
            Self::InvalidBbox => "invalid_bbox",
            Self::BboxUnits => "bbox_units",
            Self::InvalidZoom => "invalid_zoom",
            Self::TooManySubscriptions => "too_many_subscriptions",
            Self::TooManyProperties => "too_many_properties",
            Self::BufferTooLarge => "buffer_too_large",
            Self::PayloadRefused => "payload_refused",
            Self::StoreUnavailable => "store_unavailable",
            Self::StoreRefused => "store_refused",
            Self::StoreFull => "store_full",
            Self::HistoryUnavailable => "history_unavailable",
            Self::PresenceUnavailable => "presence_unavailable",
            Self::ProjectionFailed => "projection_failed",
            Self::Busy => "busy",
            Self::BatchTooLarge => "batch_too_large",
            Self::Unsupported => "unsupported",
        }
    }
}

impl From<RegionError> for Fault {
    fn from(error: RegionError) -> Self {
        let kind = match error {
            RegionError::Bbox(_) => FaultKind::InvalidBbox,
            _ => FaultKind::BboxUnits,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::new(FaultKind::AccessDenied, refusal.to_string())
    }
}

impl From<&StoreError> for Fault {
    fn from(error: &StoreError) -> Self {
        let kind = match error {
            StoreError::Unavailable(_) => FaultKind::StoreUnavailable,
            StoreError::Refused(_) => FaultKind::StoreRefused,
            StoreError::Full(_) => FaultKind::StoreFull,
        };
        Self::new(kind, error.to_string())
    }
}
