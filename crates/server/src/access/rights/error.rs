use geocast_geo_filter::AreaError;
use geocast_protocol::rpc::PropertyFilterError;
use thiserror::Error;

/// Why a token's claim `geo` cannot be used.
#[derive(Debug, Error)]
pub(crate) enum RightsError {
    /// It is not what it is to be.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It has no limit.
    #[error("it has none of `within`, `max_area`, `zoom` and `properties`")]
    Empty,
    /// Its polygons are none.
    #[error("`within`: {0}")]
    Within(#[from] AreaError),
    /// A size that no viewport has.
    #[error("`max_area` {0} is no number of square kilometres above zero")]
    MaxArea(f64),
    /// No range.
    #[error("`zoom` from {min} to {max} is no range")]
    Zoom {
        /// The least zoom level.
        min: f64,
        /// The greatest zoom level.
        max: f64,
    },
    /// Filters that are none.
    #[error("`properties` {0}")]
    Properties(#[from] PropertyFilterError),
    /// An object without members.
    #[error("`properties` names none")]
    NoProperties,
}
