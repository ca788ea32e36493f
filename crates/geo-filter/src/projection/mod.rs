//! Reprojection by PROJ. The only place that calls C, and the only place that is unsafe.

mod bounds;
mod catalogue;
mod context;
mod crs;
mod mercator;
mod operation;
mod region;
mod region_index;
mod transform;
mod transforms;

pub use catalogue::{AreaOfUse, Catalogue, CatalogueError, CrsInfo};
pub use crs::{AxisOrder, CrsKind, KnownCrs};
pub use region_index::RegionIndex;
pub use transform::{Transform, TransformError};
pub use transforms::Transforms;
