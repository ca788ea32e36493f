//! The live map and the client for JavaScript in a real browser, against servers that the page's own tests start.

use std::{fs, path::Path, process::Command};

use crate::geocast::{code, stderr, stdout};

#[test]
fn the_live_map_passes_its_tests_in_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
    let lock = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
    assert!(
        lock("package-lock.json") == lock("node_modules/.installed-lock.json")
            && folder.join("dist/index.html").exists(),
        "{} is not built: this test needs it, and `make setup-test` builds it",
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
