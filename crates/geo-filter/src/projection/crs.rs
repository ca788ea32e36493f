use crate::Decimals;

/// A coordinate reference system that PROJ's database knows, by its EPSG code. Only
/// [`Catalogue::crs`](crate::Catalogue::crs) makes one, so nothing else ever reaches PROJ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KnownCrs {
    pub(super) code: u32,
    pub(super) kind: CrsKind,
}

impl KnownCrs {
    /// The EPSG code.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.code
    }

    /// What its coordinates are.
    #[must_use]
    pub const fn kind(self) -> CrsKind {
        self.kind
    }

    /// How many decimals a coordinate in it has by default.
    #[must_use]
    pub const fn decimals(self) -> Decimals {
        match self.kind {
            CrsKind::Geographic => Decimals::DEGREES,
            CrsKind::Projected => Decimals::METRES,
        }
    }
}

impl std::fmt::Display for KnownCrs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "EPSG:{}", self.code)
    }
}

/// What the coordinates of a system are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CrsKind {
    /// Longitude and latitude, in degrees (a few old French systems: grads).
    Geographic,
    /// Plane coordinates, in metres or another unit of length such as US survey feet.
    Projected,
}

/// In which order the two numbers of a position stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AxisOrder {
    /// Longitude or easting first, in every system, as RFC 7946 §3.1.1 has it.
    #[default]
    Xy,
    /// As the authority defines the system: northing first for EPSG:3035, latitude first for EPSG:4258, but easting first for
    /// EPSG:3857 and EPSG:2056. EPSG:4326 is the exception: longitude first in either order, as GeoJSON has it.
    Authority,
}
