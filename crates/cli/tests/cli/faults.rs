//! Faults that are injected into real processes: `crates/server/tests/faults` does it, `make faults` does all of them.

use crate::{
    geocast::{code, stderr, stdout},
    oracle::python_in,
};

#[test]
fn the_watchers_see_what_is_wrong() {
    let output =
        python_in("faults").args(["-m", "unittest"]).output().expect("the interpreter was installed");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

/// A few of them, which take less than a minute.
#[test]
fn what_fails_is_told_and_heals() {
    let mut faults = python_in("faults");
    faults.args(["faults.py", env!("CARGO_BIN_EXE_geocast"), "--quick", "--patience", "6"]);
    // It ends by itself, and its processes with it.
    let output = faults.output().expect("the interpreter was installed");
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(code(&output), 0, "{said}");
    assert!(said.contains(" scenarios, 0 failed, "), "{said}");
}
