#![expect(unsafe_code, reason = "PROJ is a C library")]

use std::ffi::{CString, c_char, c_int};
use std::ptr::{self, NonNull};

use proj_sys::{PJ, PJ_CONTEXT, PJ_DIRECTION, PJ_DIRECTION_PJ_FWD, PJ_DIRECTION_PJ_INV};

use super::context::{Context, text};
use super::{AreaOfUse, KnownCrs, TransformError};

/// A PROJ operation between two systems, x before y on both sides, with the context it lives in.
#[derive(Debug)]
pub(crate) struct Operation {
    // Dropped before the context, as fields are in their order.
    object: Object,
    context: Context,
}

// SAFETY: the object belongs to the context beside it and to no other, both are owned by this value alone and
// move together, and PROJ allows them on any thread as long as it is one at a time. The type is not `Sync`, and
// every method that changes it takes `&mut self`.
unsafe impl Send for Operation {}

impl Operation {
    /// Creates the operation: 2 to 60 ms, and about 420 KiB for as long as it lives.
    pub(crate) fn new(from: KnownCrs, to: KnownCrs) -> Result<Self, TransformError> {
        let context = Context::new().ok_or(TransformError::NoContext)?;
        let unsupported =
            |context: &Context| TransformError::Unsupported { from, to, reason: context.error() };
        let (Some(source), Some(target)) = (name(from), name(to)) else {
            return Err(unsupported(&context));
        };
        // SAFETY: the context is alive, the names are NUL-terminated, a null area is allowed; what is created is
        // owned by `Object`, which frees it once.
        let object = unsafe {
            Object::own(proj_sys::proj_create_crs_to_crs(
                context.as_ptr(),
                source.as_ptr(),
                target.as_ptr(),
                ptr::null_mut(),
            ))
            .and_then(|object| object.normalised(&context))
        };
        match object {
            Some(object) => Ok(Self { object, context }),
            None => Err(unsupported(&context)),
        }
    }

    /// Projects all positions in one call. A position that cannot be projected becomes infinite.
    pub(crate) fn forward(&mut self, positions: &mut [[f64; 2]]) {
        self.run(positions, PJ_DIRECTION_PJ_FWD);
    }

    /// The same from the target to the source.
    pub(crate) fn backward(&mut self, positions: &mut [[f64; 2]]) {
        self.run(positions, PJ_DIRECTION_PJ_INV);
    }

    fn run(&mut self, positions: &mut [[f64; 2]], direction: PJ_DIRECTION) {
        let count = positions.len();
        let stride = size_of::<[f64; 2]>();
        let x: *mut f64 = positions.as_mut_ptr().cast();
        if count == 0 {
            return;
        }
        // SAFETY: x and y are read and written at `count` places `stride` bytes apart: the two halves of the
        // `count` pairs of the slice, which is borrowed mutably. Null pointers with a count of 0 mean no height
        // and no time.
        unsafe {
            let y = x.add(1);
            proj_sys::proj_errno_reset(self.object.as_ptr());
            proj_sys::proj_trans_generic(
                self.object.as_ptr(),
                direction,
                x,
                stride,
                count,
                y,
                stride,
                count,
                ptr::null_mut(),
                0,
                0,
                ptr::null_mut(),
                0,
                0,
            );
        }
    }

    /// Bounds of a box of the target system in the source system, as left, bottom, right, top; left is greater
    /// than right across the antimeridian. `None` when PROJ finds none.
    pub(crate) fn bounds_backward(&mut self, [left, bottom, right, top]: [f64; 4]) -> Option<[f64; 4]> {
        let mut out = [0.0_f64; 4];
        let [out_left, out_bottom, out_right, out_top] = &mut out;
        // SAFETY: object and context are alive, the four results are ours to write to.
        let succeeded = unsafe {
            proj_sys::proj_errno_reset(self.object.as_ptr());
            proj_sys::proj_trans_bounds(
                self.context.as_ptr(),
                self.object.as_ptr(),
                PJ_DIRECTION_PJ_INV,
                left,
                bottom,
                right,
                top,
                out_left,
                out_bottom,
                out_right,
                out_top,
                DENSIFY,
            )
        };
        (succeeded != 0).then_some(out)
    }
}

/// How a system's own axes lie, their unit, and where the system is meant to be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes {
    /// Whether the authority puts y first.
    pub(crate) swapped: bool,
    /// Radians or metres per unit of the first axis.
    pub(crate) unit: f64,
    pub(crate) area: Option<AreaOfUse>,
}

impl Axes {
    /// `None` when PROJ cannot tell.
    pub(crate) fn of(crs: KnownCrs) -> Option<Self> {
        let context = Context::new()?;
        let name = name(crs)?;
        // SAFETY: the context is alive and the name NUL-terminated; `Object` owns what is created.
        unsafe {
            let own = Object::own(proj_sys::proj_create(context.as_ptr(), name.as_ptr()))?;
            let (first, unit) = own.first_axis(&context)?;
            // PROJ itself says what x before y means for this system: if that changes its first axis, the
            // authority puts y first.
            let (normalised, _) = own.normalised(&context)?.first_axis(&context)?;
            let area = own.area(&context);
            Some(Self { swapped: first != normalised, unit, area })
        }
    }
}

/// A PROJ object that is freed when dropped. It must not outlive its context.
#[derive(Debug)]
struct Object(NonNull<PJ>);

impl Object {
    /// # Safety
    /// `object` is null, or nobody else frees it.
    unsafe fn own(object: *mut PJ) -> Option<Self> {
        NonNull::new(object).map(Self)
    }

    fn as_ptr(&self) -> *mut PJ {
        self.0.as_ptr()
    }

    /// The same with x before y.
    ///
    /// # Safety
    /// The object belongs to the context.
    unsafe fn normalised(&self, context: &Context) -> Option<Self> {
        // SAFETY: both are alive and belong together; the result is a new object.
        unsafe { Self::own(proj_sys::proj_normalize_for_visualization(context.as_ptr(), self.as_ptr())) }
    }

    /// Where a system is meant to be used.
    ///
    /// # Safety
    /// The object belongs to the context.
    unsafe fn area(&self, context: &Context) -> Option<AreaOfUse> {
        let [mut west, mut south, mut east, mut north] = [0.0; 4];
        // SAFETY: both are alive and belong together, the four results are ours to write to, and null is allowed for
        // the name.
        let found = unsafe {
            proj_sys::proj_get_area_of_use(
                context.as_ptr(),
                self.as_ptr(),
                &raw mut west,
                &raw mut south,
                &raw mut east,
                &raw mut north,
                ptr::null_mut(),
            )
        };
        // -1000 stands for what is not known.
        (found != 0 && west >= -180.0).then_some(AreaOfUse { west, south, east, north })
    }

    /// What identifies the first axis of a system, and its unit.
    ///
    /// # Safety
    /// The object is a coordinate reference system and belongs to the context.
    unsafe fn first_axis(&self, context: &Context) -> Option<([Option<String>; 3], f64)> {
        let raw: *mut PJ_CONTEXT = context.as_ptr();
        let (mut name, mut abbreviation, mut direction): (*const c_char, *const c_char, *const c_char) =
            (ptr::null(), ptr::null(), ptr::null());
        let mut unit = 0.0;
        let first: c_int = 0;
        // SAFETY: all are alive; the strings belong to the coordinate system, which lives until they are copied;
        // null is allowed for what is not wanted.
        unsafe {
            let system = Self::own(proj_sys::proj_crs_get_coordinate_system(raw, self.as_ptr()))?;
            let found = proj_sys::proj_cs_get_axis_info(
                raw,
                system.as_ptr(),
                first,
                &raw mut name,
                &raw mut abbreviation,
                &raw mut direction,
                &raw mut unit,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            );
            (found != 0).then(|| ([text(name), text(abbreviation), text(direction)], unit))
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: it is owned by this value alone, and its context is still alive.
        unsafe {
            proj_sys::proj_destroy(self.as_ptr());
        }
    }
}

/// The only text that ever reaches PROJ.
fn name(crs: KnownCrs) -> Option<CString> {
    CString::new(crs.to_string()).ok()
}

/// Points added to each edge of a box before its bounds are taken: what PROJ and pyproj use by default.
const DENSIFY: c_int = 21;
