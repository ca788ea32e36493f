//! The box of a viewport.

use crate::Number;

/// The corners of a box, on the wire `[left, bottom, right, top]`.
///
/// In the units of its CRS, x before y (longitude before latitude) unless the server is set otherwise. Nothing is said
/// about their order: left may exceed right where the CRS gives that a meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corners {
    /// Least x (longitude, easting).
    pub left: Number,
    /// Least y (latitude, northing).
    pub bottom: Number,
    /// Greatest x (longitude, easting).
    pub right: Number,
    /// Greatest y (latitude, northing).
    pub top: Number,
}
