//! What clients have on their maps, held to shapely and pyproj: a program that shares no code with this server makes random
//! runs against it. `crates/server/tests/oracle` has it, `make oracle` makes more runs.

use std::{path::PathBuf, process::Command};

use crate::geocast::{code, stderr, stdout};

#[test]
fn the_oracle_sees_the_faults_of_a_server_that_makes_them() {
    let output = python().args(["-m", "unittest"]).output().expect("the interpreter was installed");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

/// Over both stores, one node and two, in turn.
#[test]
fn every_map_is_what_it_has_to_be() {
    let written = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("oracle-runs");
    let mut oracle = python();
    oracle.args(["oracle.py", env!("CARGO_BIN_EXE_geocast"), "--runs", "50"]);
    oracle.arg("--written").arg(written);
    // It ends by itself, and its servers with it.
    let output = oracle.output().expect("the interpreter was installed");
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(code(&output), 0, "{said}");
    assert!(said.starts_with("50 runs, 0 failed"), "{said}");
}

/// The interpreter, in the oracle's folder.
fn python() -> Command {
    python_in("oracle")
}

/// The interpreter with the packages that the oracle needs, in a folder of the server's tests.
pub(crate) fn python_in(name: &str) -> Command {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../server/tests");
    let folder = tests.join("oracle");
    assert!(
        folder.join(".venv/.installed").is_file(),
        "the packages of {} are not installed: this test needs them, and `make setup-test` installs them",
        folder.display()
    );
    let mut python = Command::new(folder.join(".venv/bin/python"));
    python.current_dir(tests.join(name)).env("PYTHONDONTWRITEBYTECODE", "1");
    python
}
