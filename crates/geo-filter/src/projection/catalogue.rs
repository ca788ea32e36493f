#![expect(unsafe_code, reason = "PROJ's list of coordinate systems is only to be had from C")]

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::{Mutex, PoisonError};

use proj_sys::{PJ_TYPE, PJ_TYPE_PJ_TYPE_GEOGRAPHIC_2D_CRS, PJ_TYPE_PJ_TYPE_PROJECTED_CRS, PROJ_CRS_INFO};

use super::context::{Context, text};
use super::operation::Axes;
use super::{CrsKind, KnownCrs};

/// The coordinate reference systems that may be asked for: those of PROJ's own database, authority EPSG, that
/// have two dimensions, geographic or projected, deprecated ones included.
///
/// Left out are geocentric, geographic 3D, vertical, compound, engineering and derived systems, and all that
/// exist in a file only. Loading 6 333 codes was measured at 35 to 95 ms, and made the process 18 MiB larger, most of
/// it the database's own pages: do it once, at the start.
#[derive(Debug)]
pub struct Catalogue {
    entries: BTreeMap<u32, CrsInfo>,
    /// The axes of the geographic systems that boxes came in: there are less than 700.
    axes: Mutex<BTreeMap<u32, Option<Axes>>>,
}

/// What the database says of a coordinate reference system.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CrsInfo {
    /// Degrees or lengths.
    pub kind: CrsKind,
    /// Its name, such as `CH1903+ / LV95`.
    pub name: Box<str>,
    /// How it projects, such as `Transverse Mercator`; empty for longitude and latitude.
    pub method: Box<str>,
    /// Where it is meant to be used.
    pub area: Option<AreaOfUse>,
    /// Whether the authority advises against it.
    pub deprecated: bool,
}

/// Where a system is meant to be used, in degrees of longitude and latitude.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AreaOfUse {
    /// The western limit; greater than the eastern one for an area across the antimeridian.
    pub west: f64,
    /// The southern limit.
    pub south: f64,
    /// The eastern limit.
    pub east: f64,
    /// The northern limit.
    pub north: f64,
}

impl Catalogue {
    /// Reads the list out of the database that is built into PROJ. No file is opened.
    ///
    /// # Errors
    /// When PROJ cannot read its database, for want of memory or because it was built without one.
    pub fn load() -> Result<Self, CatalogueError> {
        let context = Context::new().ok_or(CatalogueError::NoContext)?;
        let entries = read(&context);
        if entries.is_empty() {
            return Err(CatalogueError::NoDatabase { reason: context.error() });
        }
        Ok(Self { entries, axes: Mutex::default() })
    }

    /// The system with this EPSG code. `None` for a code that is not in the list.
    #[must_use]
    pub fn crs(&self, code: u32) -> Option<KnownCrs> {
        self.entries.get(&code).map(|info| KnownCrs { code, kind: info.kind })
    }

    /// What is known of a system.
    #[must_use]
    pub fn info(&self, crs: KnownCrs) -> Option<&CrsInfo> {
        self.entries.get(&crs.code)
    }

    /// How the axes of a system lie. PROJ takes about a third of a millisecond to say so, once.
    pub(super) fn axes(&self, crs: KnownCrs) -> Option<Axes> {
        let mut axes = self.axes.lock().unwrap_or_else(PoisonError::into_inner);
        *axes.entry(crs.code).or_insert_with(|| Axes::of(crs))
    }

    /// All systems by ascending code.
    pub fn all(&self) -> impl Iterator<Item = KnownCrs> {
        self.entries.iter().map(|(&code, info)| KnownCrs { code, kind: info.kind })
    }
}

/// Why the list could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// PROJ could not be started.
    #[error("no memory for a PROJ context")]
    NoContext,
    /// The list is empty.
    #[error("no EPSG code in the database of PROJ: {reason}")]
    NoDatabase {
        /// What PROJ says.
        reason: String,
    },
}

fn read(context: &Context) -> BTreeMap<u32, CrsInfo> {
    let types: [PJ_TYPE; 2] = [PJ_TYPE_PJ_TYPE_GEOGRAPHIC_2D_CRS, PJ_TYPE_PJ_TYPE_PROJECTED_CRS];
    let mut entries = BTreeMap::new();
    // SAFETY: the parameters come from PROJ and are freed here, `types` outlives the call; the list has `count`
    // entries, each a valid record until the list is destroyed, after which none is used.
    unsafe {
        let parameters = proj_sys::proj_get_crs_list_parameters_create();
        if parameters.is_null() {
            return entries;
        }
        (*parameters).types = types.as_ptr();
        (*parameters).typesCount = types.len();
        (*parameters).allow_deprecated = 1;
        let mut count: c_int = 0;
        let list = proj_sys::proj_get_crs_info_list_from_database(
            context.as_ptr(),
            c"EPSG".as_ptr(),
            parameters,
            &raw mut count,
        );
        proj_sys::proj_get_crs_list_parameters_destroy(parameters);
        if !list.is_null() {
            for index in 0..usize::try_from(count).unwrap_or_default() {
                if let Some((code, info)) = (*list.add(index)).as_ref().and_then(|record| entry(record)) {
                    entries.insert(code, info);
                }
            }
            proj_sys::proj_crs_info_list_destroy(list);
        }
    }
    entries
}

/// # Safety
/// The record's strings are null or valid.
unsafe fn entry(record: &PROJ_CRS_INFO) -> Option<(u32, CrsInfo)> {
    let kind = match record.type_ {
        PJ_TYPE_PJ_TYPE_GEOGRAPHIC_2D_CRS => CrsKind::Geographic,
        PJ_TYPE_PJ_TYPE_PROJECTED_CRS => CrsKind::Projected,
        _ => return None,
    };
    // SAFETY: as the caller promises.
    let (code, name, method) = unsafe {
        (text(record.code)?.parse().ok()?, text(record.name)?, text(record.projection_method_name))
    };
    let area = (record.bbox_valid != 0).then_some(AreaOfUse {
        west: record.west_lon_degree,
        south: record.south_lat_degree,
        east: record.east_lon_degree,
        north: record.north_lat_degree,
    });
    let (name, method) = (name.into(), method.unwrap_or_default().into());
    Some((code, CrsInfo { kind, name, method, area, deprecated: record.deprecated != 0 }))
}
