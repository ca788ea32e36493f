//! Clients of others, from npm and PyPI, as their packages have them.

use std::path::{Path, PathBuf};

/// The folder with a client, whose packages `scripts/setup test` has installed.
///
/// # Panics
///
/// They are not installed: a test that needs them fails, it is never skipped.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name);
    let installed =
        folder.join(if name == "python" { ".venv/.installed" } else { "node_modules/.installed-lock.json" });
    assert!(
        installed.is_file(),
        "the packages of {} are not installed: this test needs them, and `make setup-test` installs them",
        folder.display()
    );
    folder
}
