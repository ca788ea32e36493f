//! The client for JavaScript, type-checked, built and tested in Node against servers that its own tests start.

use std::{fs, path::Path, process::Command};

use crate::geocast::{code, stderr, stdout};

#[test]
fn the_javascript_client_passes_its_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/js");
    let lock = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
    assert!(
        lock("package-lock.json") == lock("node_modules/.installed-lock.json"),
        "the packages of {} are not installed: this test needs them, and `make setup-test` installs them",
        folder.display()
    );
    // Each wait in these tests has a bound, so they end, and their servers with them.
    let mut tests = Command::new("npm");
    tests.args(["test", "--silent"]).current_dir(&folder).env("GEOCAST", env!("CARGO_BIN_EXE_geocast"));
    let output = tests.output().expect("there is npm");
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(code(&output), 0, "{said}");
    assert!(said.contains("\n# fail 0\n") && said.contains("\n# skipped 0\n"), "{said}");
}
