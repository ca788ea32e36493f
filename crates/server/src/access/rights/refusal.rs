use thiserror::Error;

/// Why the bearer of a token may not have a viewport.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub(crate) enum Refusal {
    /// It is too large.
    #[error("the viewport has {area:.1} km², more than the {max} km² that the token allows")]
    Area {
        /// Square kilometres.
        area: f64,
        /// How many are allowed.
        max: f64,
    },
    /// It is too near or too far.
    #[error("zoom level {zoom} is not within {min} and {max}, which the token allows")]
    Zoom {
        /// The zoom level.
        zoom: f64,
        /// The least that is allowed.
        min: f64,
        /// The greatest that is allowed.
        max: f64,
    },
    /// It has to say what the token limits.
    #[error("the token allows zoom levels within {min} and {max}: the viewport has to name its own")]
    ZoomMissing {
        /// The least that is allowed.
        min: f64,
        /// The greatest that is allowed.
        max: f64,
    },
}
