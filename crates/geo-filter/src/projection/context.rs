#![expect(unsafe_code, reason = "PROJ is a C library")]

use std::ffi::{CStr, c_char, c_int, c_longlong, c_uint, c_ulonglong, c_void};
use std::ptr::NonNull;

use proj_sys::{PJ_CONTEXT, PROJ_FILE_API, PROJ_FILE_HANDLE};

/// A PROJ context of our own: nothing in it is shared with another one.
///
/// It never opens a file. PROJ looks for `proj.db`, `proj.ini` and grids in the user's folder, in `PROJ_DATA`,
/// beside the library, and by their bare name in the working directory, the last one whatever its search path
/// is set to. So the context gets a file interface that finds nothing, whereupon PROJ takes the database that is
/// built into it. The network is off, and nothing is written to stderr.
#[derive(Debug)]
pub(crate) struct Context(NonNull<PJ_CONTEXT>);

// SAFETY: PROJ's documentation ("Threads") allows a context on any thread as long as one thread at a time uses
// it; it keeps no thread-local state. `Context` is not `Sync` and not `Clone`, so only its owner uses it.
unsafe impl Send for Context {}

impl Context {
    /// `None` when memory ran out.
    pub(crate) fn new() -> Option<Self> {
        // SAFETY: a context that was just created is ours alone; all pointers handed over are valid for the
        // call, PROJ copies the table of functions, and the functions have static lifetime.
        unsafe {
            let context = Self(NonNull::new(proj_sys::proj_context_create())?);
            let raw = context.as_ptr();
            proj_sys::proj_log_level(raw, proj_sys::PJ_LOG_LEVEL_PJ_LOG_NONE);
            proj_sys::proj_log_func(raw, std::ptr::null_mut(), Some(silence));
            if proj_sys::proj_context_set_fileapi(raw, &NO_FILES, std::ptr::null_mut()) == 0 {
                return None;
            }
            proj_sys::proj_context_set_enable_network(raw, 0);
            Some(context)
        }
    }

    pub(crate) fn as_ptr(&self) -> *mut PJ_CONTEXT {
        self.0.as_ptr()
    }

    /// What PROJ says of the last error in this context.
    pub(crate) fn error(&self) -> String {
        // SAFETY: the context is alive, and the text stays valid until its next error, when it has been copied.
        unsafe {
            let number = proj_sys::proj_context_errno(self.as_ptr());
            if number == 0 {
                return "no operation between the two".to_owned();
            }
            text(proj_sys::proj_context_errno_string(self.as_ptr(), number)).unwrap_or_default()
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: it came from `proj_context_create`, is destroyed once, and what was made with it is gone: an
        // `Operation` drops its objects before its context.
        unsafe {
            proj_sys::proj_context_destroy(self.as_ptr());
        }
    }
}

/// Copies a C string; `None` for a null pointer.
///
/// # Safety
/// `text` is null, or points to a NUL-terminated string that stays valid during the call.
pub(crate) unsafe fn text(text: *const c_char) -> Option<String> {
    // SAFETY: as the caller promises.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

static NO_FILES: PROJ_FILE_API = PROJ_FILE_API {
    version: 1,
    open_cbk: Some(open),
    read_cbk: Some(read),
    write_cbk: Some(write),
    seek_cbk: Some(seek),
    tell_cbk: Some(tell),
    close_cbk: Some(close),
    exists_cbk: Some(deny),
    mkdir_cbk: Some(deny),
    unlink_cbk: Some(deny),
    rename_cbk: Some(rename),
};

unsafe extern "C" fn silence(_: *mut c_void, _: c_int, _: *const c_char) {}

unsafe extern "C" fn open(
    _: *mut PJ_CONTEXT,
    _: *const c_char,
    _: c_uint,
    _: *mut c_void,
) -> *mut PROJ_FILE_HANDLE {
    std::ptr::null_mut()
}

unsafe extern "C" fn read(
    _: *mut PJ_CONTEXT,
    _: *mut PROJ_FILE_HANDLE,
    _: *mut c_void,
    _: usize,
    _: *mut c_void,
) -> usize {
    0
}

unsafe extern "C" fn write(
    _: *mut PJ_CONTEXT,
    _: *mut PROJ_FILE_HANDLE,
    _: *const c_void,
    _: usize,
    _: *mut c_void,
) -> usize {
    0
}

unsafe extern "C" fn seek(
    _: *mut PJ_CONTEXT,
    _: *mut PROJ_FILE_HANDLE,
    _: c_longlong,
    _: c_int,
    _: *mut c_void,
) -> c_int {
    0
}

unsafe extern "C" fn tell(_: *mut PJ_CONTEXT, _: *mut PROJ_FILE_HANDLE, _: *mut c_void) -> c_ulonglong {
    0
}

unsafe extern "C" fn close(_: *mut PJ_CONTEXT, _: *mut PROJ_FILE_HANDLE, _: *mut c_void) {}

unsafe extern "C" fn deny(_: *mut PJ_CONTEXT, _: *const c_char, _: *mut c_void) -> c_int {
    0
}

unsafe extern "C" fn rename(_: *mut PJ_CONTEXT, _: *const c_char, _: *const c_char, _: *mut c_void) -> c_int {
    0
}
