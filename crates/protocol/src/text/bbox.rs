//! The viewport as a client states it.

use crate::{Crs, Number, Pixels, Precision};

use super::{Property, PropertyValue};

/// The box and the wishes that `BBOX` carries.
///
/// Nothing is said about the order of the corners: `left` may exceed `right`, because that is a box across the
/// antimeridian in one CRS and a mistake in another.
#[derive(Clone, Debug, PartialEq)]
pub struct Bbox {
    /// Least x (longitude, easting), in the units of the CRS.
    pub left: Number,
    /// Least y (latitude, northing), in the units of the CRS.
    pub bottom: Number,
    /// Greatest x (longitude, easting), in the units of the CRS.
    pub right: Number,
    /// Greatest y (latitude, northing), in the units of the CRS.
    pub top: Number,
    /// The map's zoom level, where the whole world is one tile at zero; maps zoom in fractions. Also as `zoom=`.
    pub zoom: Option<Number>,
    /// The CRS of the four numbers, where it is not the session's.
    pub crs: Option<Crs>,
    /// What passes of a collection.
    pub members: Members,
    /// The names of the properties that are wished for; without the keyword, or without a name, all.
    pub fields: Vec<PropertyValue>,
    /// How many decimals coordinates are to have at most, in their own units.
    pub precision: Option<Precision>,
    /// How far lines may be from where they are, on the map at this zoom level. What `zoom` has to be then is for the server
    /// to say.
    pub tolerance: Option<Pixels>,
    /// How far something has to move at least to be told again, on the map at this zoom level.
    pub min_move: Option<Pixels>,
    /// What else was wished, in the order in which it was given; a name given twice is there twice.
    pub properties: Vec<Property>,
}

/// What passes of a collection of which a part is inside the box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Members {
    /// All of it, if any member is inside: `members=whole`.
    #[default]
    Whole,
    /// The members that are inside: `members=inside`.
    Inside,
}

impl Members {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Inside => "inside",
        }
    }
}
