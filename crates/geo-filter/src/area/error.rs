/// Why polygons are no [`Area`](super::Area). Positions are longitude, latitude in degrees.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AreaError {
    /// There is no polygon.
    #[error("an area without a polygon has nothing in it")]
    Empty,
    /// There are too many polygons.
    #[error("an area of {count} polygons is more than the {most} that are allowed")]
    TooManyPolygons {
        /// How many.
        count: usize,
        /// How many are allowed.
        most: usize,
    },
    /// There are too many positions.
    #[error("an area of {count} positions is more than the {most} that are allowed")]
    TooManyPositions {
        /// How many, rings closed.
        count: usize,
        /// How many are allowed.
        most: usize,
    },
    /// A position is nowhere.
    #[error("position {x}, {y} is no longitude within ±360 and latitude within ±90")]
    NoPosition {
        /// The longitude.
        x: f64,
        /// The latitude.
        y: f64,
    },
    /// A polygon has no ring, or a ring encloses nothing.
    #[error(
        "a ring of {count} different positions is none: three are needed, and the first again at the end"
    )]
    NoRing {
        /// How many different positions follow each other.
        count: usize,
    },
    /// The last position is not the first (RFC 7946 §3.1.6).
    #[error("a ring that begins at {x}, {y} does not end there")]
    Open {
        /// The longitude of its first position.
        x: f64,
        /// The latitude of its first position.
        y: f64,
    },
    /// It could be meant either way around the world.
    #[error(
        "an edge from longitude {from} to {to} could be meant across the antimeridian: cut the polygon there (RFC 7946 \
         §3.1.9), or divide the edge"
    )]
    TooLong {
        /// The longitude at which it begins.
        from: f64,
        /// The longitude at which it ends.
        to: f64,
    },
    /// The edges of a polygon cross, overlap, or touch within a ring.
    #[error("the polygon's edges cross or touch near {x}, {y}")]
    Crossing {
        /// A longitude at which it happens, or near there.
        x: f64,
        /// The latitude.
        y: f64,
    },
    /// A hole is not in its polygon, or in another hole.
    #[error("the hole that begins at {x}, {y} is outside of its polygon or within another hole")]
    Misplaced {
        /// The longitude of its first position.
        x: f64,
        /// The latitude.
        y: f64,
    },
    /// What lies between two edges is too thin for its inside to be told from its outside.
    #[error("edges near {x}, {y} neither touch nor are they apart")]
    TooThin {
        /// A longitude near there.
        x: f64,
        /// The latitude.
        y: f64,
    },
}
