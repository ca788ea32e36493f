//! A rohrpost client that was written from the protocol alone, by somebody who had not seen this server.

use std::{path::Path, process::Command};

use crate::{
    geocast::{code, stderr, stdout},
    redis_server::RedisServer,
};

#[test]
fn the_embedded_store_conforms() {
    conforms(&[]);
}

#[test]
fn redis_conforms() {
    let redis = RedisServer::start(&[]);
    conforms(&["--redis", &redis.url()]);
}

/// The script starts servers of its own, as their options are part of what it checks.
fn conforms(arguments: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/tests/clients/python");
    assert!(
        folder.join(".venv/.installed").is_file(),
        "the packages of {} are not installed: this test needs them, and `make setup-test` installs them",
        folder.display()
    );
    // It ends by itself, and its servers with it.
    let mut script = Command::new(folder.join(".venv/bin/python"));
    script.arg(folder.join("rohrpost_conformance.py")).arg(env!("CARGO_BIN_EXE_geocast")).args(arguments);
    let output = script.output().expect("the interpreter was installed");
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(code(&output), 0, "{said}");
    assert!(said.contains("\n0 failed\n"), "{said}");
}
