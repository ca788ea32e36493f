/// What one document may cost, checked while it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: Self::DEPTH, vertices: Self::VERTICES }
    }
}
