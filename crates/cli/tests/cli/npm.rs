//! Tests in JavaScript that a folder of the project has, against servers that they start themselves.

use std::{fs, path::Path, process::Command};

use crate::geocast::{code, stderr, stdout};

/// Runs the tests of a folder, for which its packages, and what else is named, have to be there.
pub(crate) fn passes_its_tests(folder: &str, needed: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let lock = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
    assert!(
        lock("package-lock.json") == lock("node_modules/.installed-lock.json")
            && needed.iter().all(|file| folder.join(file).exists()),
        "{} is not ready: its packages are not installed, or {needed:?} is missing; `make setup-test` sees to it",
        folder.display()
    );
    // Each wait in these tests has a bound, so they end, and their servers and browsers with them.
    let mut tests = Command::new("npm");
    tests.args(["test", "--silent"]).current_dir(&folder).env("GEOCAST", env!("CARGO_BIN_EXE_geocast"));
    let output = tests.output().expect("there is npm");
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(code(&output), 0, "{said}");
    assert!(said.contains("\n# fail 0\n") && said.contains("\n# skipped 0\n"), "{said}");
}
