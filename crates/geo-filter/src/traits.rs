//! What users of this crate's types count on, and what a field that is added could take away unseen.

use std::{error::Error, fmt::Debug, hash::Hash};

use crate::{
    Area, AreaError, Bbox, BboxError, Decimals, DecimalsError, Document, Kind, Limits, MapLength,
    MapLengthError, Properties, ReadError, Region, RegionError, Shape, ViewportIndex, Writing,
};

#[cfg(feature = "proj")]
fn is_shared<T: Send + Sync + Debug>() {}
fn is_copied<T: Clone + Send + Sync + Debug>() {}
fn is_value<T: Clone + PartialEq + Send + Sync + Debug>() {}
fn is_name<T: Copy + Eq + Hash + Send + Sync + Debug>() {}
fn is_error<T: Error + Clone + PartialEq + Send + Sync + 'static>() {}

#[test]
fn types_are_what_users_count_on() {
    is_copied::<Area>();
    is_copied::<Document>();
    is_copied::<Shape>();
    is_copied::<ViewportIndex<u32>>();
    is_copied::<Writing<'_>>();
    is_value::<Bbox>();
    is_value::<Limits>();
    is_value::<Properties>();
    is_value::<Region>();
    is_name::<Decimals>();
    is_name::<Kind>();
    is_name::<MapLength>();
    is_error::<AreaError>();
    is_error::<BboxError>();
    is_error::<DecimalsError>();
    is_error::<MapLengthError>();
    is_error::<ReadError>();
    is_error::<RegionError>();
}

#[cfg(feature = "proj")]
#[test]
fn types_of_projections_are_what_users_count_on() {
    use crate::{
        AreaOfUse, AxisOrder, Catalogue, CatalogueError, CrsInfo, CrsKind, KnownCrs, RegionIndex, Transform,
        TransformError, Transforms,
    };

    is_shared::<Catalogue>();
    is_shared::<RegionIndex<u32>>();
    is_shared::<Transform>();
    is_shared::<Transforms>();
    is_value::<AreaOfUse>();
    is_value::<CrsInfo>();
    is_name::<AxisOrder>();
    is_name::<CrsKind>();
    is_name::<KnownCrs>();
    is_error::<CatalogueError>();
    is_error::<TransformError>();
}
