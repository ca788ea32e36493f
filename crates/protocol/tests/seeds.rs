//! The seeds of the fuzz targets, on the stable toolchain.

use std::{fs, path::Path};

use geocast_protocol::text::Command;

/// Calls `law` with each seed of `target`, by file name.
fn check(target: &str, law: impl Fn(&str, &str)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the seeds are in the tree") {
        let path = entry.expect("a readable folder").path();
        let seed = fs::read_to_string(&path).expect("seeds of text targets are UTF-8");
        law(&path.display().to_string(), &seed);
        count += 1;
    }
    assert!(count >= 20, "{} has {count} seeds", folder.display());
}

#[test]
fn commands_of_real_clients_read_and_print() {
    check("text_round_trip", |path, seed| match seed.parse::<Command>() {
        Ok(command) => assert_eq!(command.to_string().parse(), Ok(command), "{path}"),
        Err(error) => panic!("{path}: {error}"),
    });
}

#[test]
fn hostile_frames_are_refused() {
    check("text_command", |path, seed| match seed.parse::<Command>() {
        Ok(command) => panic!("{path} was read as {command}"),
        Err(error) => assert!(seed.is_char_boundary(error.offset), "{path}"),
    });
}
