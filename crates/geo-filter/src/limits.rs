/// What one document may cost, checked while it is read.
///
/// There may come to be more of them, so they are made of the default ones:
///
/// ```
/// let limits = geocast_geo_filter::Limits::default().with_vertices(1000);
/// assert_eq!((limits.depth, limits.vertices), (32, 1000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many arrays and objects may lie within each other, the outermost counted; default
    /// [`Limits::DEPTH`]. It holds for the whole document, `properties` and foreign members included.
    /// Where more than 127 are allowed, geometry collections are still only followed to a depth of 127.
    pub depth: usize,
    /// How many positions all geometries together may have; default [`Limits::VERTICES`].
    pub vertices: usize,
}

impl Limits {
    /// The default depth: about four times what any geometry needs (a multi-polygon in a feature in a
    /// collection nests eight deep).
    pub const DEPTH: usize = 32;
    /// The default number of positions: some 2 MB of memory for a document's coordinates.
    pub const VERTICES: usize = 100_000;

    /// These limits, but for how deep arrays and objects may lie within each other.
    #[must_use]
    pub const fn with_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    /// These limits, but for how many positions there may be.
    #[must_use]
    pub const fn with_vertices(self, vertices: usize) -> Self {
        Self { vertices, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: Self::DEPTH, vertices: Self::VERTICES }
    }
}
