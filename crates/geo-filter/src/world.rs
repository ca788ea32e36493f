use crate::Bbox;

/// How a system of coordinates goes around the world: along which axis, and where that begins anew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct World {
    /// Which of the two numbers of a position is the longitude, or grows with it: 0 or 1.
    pub(crate) axis: usize,
    /// The antimeridian: it is at this and at minus this.
    pub(crate) half: f64,
    /// The greatest latitude; infinite where y is none.
    pub(crate) pole: f64,
    /// An edge that is no further from the antimeridian than this reaches it.
    pub(crate) hair: f64,
}

impl World {
    /// Longitude and latitude in degrees.
    pub(crate) const DEGREES: Self = Self { axis: 0, half: 180.0, pole: 90.0, hair: 1e-9 };

    /// EPSG:3857: π times the semi-major axis of WGS 84, in metres. Clients that send whole metres write 20037508.
    #[cfg(feature = "proj")]
    pub(crate) const MERCATOR: Self =
        Self { axis: 0, half: 20_037_508.342_789_244, pole: f64::INFINITY, hair: 0.35 };

    /// All the way around.
    pub(crate) const fn turn(&self) -> f64 {
        2.0 * self.half
    }

    /// Whether the extent is within one turn.
    pub(crate) const fn has(&self, extent: &Bbox) -> bool {
        let (low, high) = self.ends(extent);
        -self.half <= low && high <= self.half
    }

    /// A box with the extent's content in numbers within the world.
    pub(crate) fn brought_back(&self, extent: &Bbox) -> Bbox {
        if self.has(extent) {
            return *extent;
        }
        let (low, high) = self.ends(extent);
        let turns = -((low + self.half) / self.turn()).floor();
        let moved = extent.moved(self.axis, turns * self.turn());
        if turns.abs() <= EXACT_TURNS && high - low < self.turn() && self.has(&moved) {
            return moved;
        }
        let mut edges = extent.to_array();
        (edges[self.axis], edges[self.axis + 2]) = (-self.half, self.half);
        Bbox::try_from(edges).unwrap_or(Bbox::EVERYTHING)
    }

    /// The part of a box that is within the world.
    #[cfg(feature = "proj")]
    pub(crate) fn cut(&self, bbox: &Bbox) -> Bbox {
        let mut edges = bbox.to_array();
        for (index, edge) in edges.iter_mut().enumerate() {
            let most = if index % 2 == self.axis { self.half } else { self.pole };
            *edge = edge.clamp(-most, most);
        }
        Bbox::try_from(edges).unwrap_or(*bbox)
    }

    const fn ends(&self, extent: &Bbox) -> (f64, f64) {
        if self.axis == 0 { (extent.min_x(), extent.max_x()) } else { (extent.min_y(), extent.max_y()) }
    }
}

/// So many turns are taken off without a loss of digits that matters.
const EXACT_TURNS: f64 = 2.0;
