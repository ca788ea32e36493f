//! How far projecting is from the least that it can cost: PROJ's own array call, in place, straight from C.
#![expect(unsafe_code, reason = "PROJ is a C library")]

use std::ffi::CStr;
use std::ptr;
use std::time::{Duration, Instant};

use geocast_geo_filter::{AxisOrder, Catalogue, Transform};

/// Run by hand on an idle machine, optimised:
/// `cargo test --release -p geocast-geo-filter --features proj limit -- --ignored --nocapture`.
#[test]
#[ignore = "it measures time, which needs an idle machine"]
fn ten_thousand_points_cost_little_more_than_projs_array_call() {
    let catalogue = Catalogue::load().unwrap();
    let points: Vec<[f64; 2]> = (0..10_000)
        .map(f64::from)
        .map(|index| [6.0 + (index * 0.618_034).fract() * 4.0, 46.0 + (index * 0.754_878).fract() * 1.5])
        .collect();
    let document = crate::read(&format!(r#"{{"type":"MultiPoint","coordinates":{points:?}}}"#));
    for (code, name) in [(3857, c"EPSG:3857"), (2056, c"EPSG:2056")] {
        let crs = |code| catalogue.crs(code).unwrap();
        let transform = Transform::new(crs(4326), crs(code), AxisOrder::Xy).unwrap();
        let mut array = ArrayCall::new(name);
        let mut ratios: Vec<f64> = (0..41)
            .map(|_| {
                let mut theirs = points.clone();
                let limit = timed(|| array.project(&mut theirs));
                let mut ours = Vec::new();
                let time = timed(|| ours.push(transform.shape(document.shape())));
                assert!((ours[0].positions()[9_999][0] - theirs[9_999][0]).abs() < 1e-6);
                time.as_secs_f64() / limit.as_secs_f64()
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        println!(
            "to {code}: {:.2} times PROJ's array call ({:.2} to {:.2})",
            ratios[20], ratios[4], ratios[36]
        );
        assert!(ratios[20] <= 1.3, "to {code}: {ratios:?}");
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// EPSG:4326 to another system, set up as PROJ's documentation shows.
struct ArrayCall {
    context: *mut proj_sys::PJ_CONTEXT,
    operation: *mut proj_sys::PJ,
}

impl ArrayCall {
    fn new(target: &CStr) -> Self {
        // SAFETY: the names are NUL-terminated, and what is created is destroyed once, when this value is dropped.
        unsafe {
            let context = proj_sys::proj_context_create();
            let plain = proj_sys::proj_create_crs_to_crs(
                context,
                c"EPSG:4326".as_ptr(),
                target.as_ptr(),
                ptr::null_mut(),
            );
            assert!(!plain.is_null());
            let operation = proj_sys::proj_normalize_for_visualization(context, plain);
            assert!(!operation.is_null());
            proj_sys::proj_destroy(plain);
            Self { context, operation }
        }
    }

    fn project(&mut self, positions: &mut [[f64; 2]]) {
        let (stride, count) = (size_of::<[f64; 2]>(), positions.len());
        let x: *mut f64 = positions.as_mut_ptr().cast();
        // SAFETY: x and y are the halves of `count` pairs of a slice that is borrowed mutably; there are no heights
        // and no times.
        unsafe {
            let (direction, y) = (proj_sys::PJ_DIRECTION_PJ_FWD, x.add(1));
            let none = ptr::null_mut();
            let done = proj_sys::proj_trans_generic(
                self.operation,
                direction,
                x,
                stride,
                count,
                y,
                stride,
                count,
                none,
                0,
                0,
                none,
                0,
                0,
            );
            assert_eq!(done, count);
        }
    }
}

impl Drop for ArrayCall {
    fn drop(&mut self) {
        // SAFETY: both are alive, and neither is used again.
        unsafe {
            proj_sys::proj_destroy(self.operation);
            proj_sys::proj_context_destroy(self.context);
        }
    }
}
