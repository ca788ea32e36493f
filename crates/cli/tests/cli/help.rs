use std::{fs, path::Path};

use crate::geocast::{code, run, stdout};

/// What users read is reviewed like code: a change of an option is a change of a file in `tests/cli/help`. After an
/// intended change, `UPDATE_HELP=1 cargo test -p geocast help` writes the files anew.
#[test]
fn help_texts_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/help");
    let mut differing = Vec::new();
    for (name, arguments) in HELP {
        let output = run(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}");
        let (path, text) = (folder.join(name), stdout(&output));
        if std::env::var_os("UPDATE_HELP").is_some() {
            fs::write(&path, &text).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != text {
            differing.push(format!(
                "{} differs from `geocast {}`:\n{text}",
                path.display(),
                arguments.join(" ")
            ));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

const HELP: [(&str, &[&str]); 25] = [
    ("geocast.txt", &["-h"]),
    ("serve-short.txt", &["serve", "-h"]),
    ("serve.txt", &["serve", "--help"]),
    ("demo-short.txt", &["demo", "-h"]),
    ("demo.txt", &["demo", "--help"]),
    ("get.txt", &["get", "-h"]),
    ("sub.txt", &["sub", "-h"]),
    ("pub.txt", &["pub", "-h"]),
    ("check.txt", &["check", "-h"]),
    ("config.txt", &["config", "-h"]),
    ("config-show.txt", &["config", "show", "-h"]),
    ("doctor.txt", &["doctor", "-h"]),
    ("token-make.txt", &["token", "make", "-h"]),
    ("token-check.txt", &["token", "check", "-h"]),
    ("token-keys.txt", &["token", "keys", "-h"]),
    ("probe.txt", &["probe", "-h"]),
    ("top.txt", &["top", "-h"]),
    ("completions.txt", &["completions", "-h"]),
    ("man.txt", &["man", "-h"]),
    ("bench.txt", &["bench", "-h"]),
    ("bench-fanout.txt", &["bench", "fanout", "-h"]),
    ("bench-limit.txt", &["bench", "limit", "-h"]),
    ("bench-track.txt", &["bench", "track", "-h"]),
    ("bench-connect.txt", &["bench", "connect", "-h"]),
    ("bench-idle.txt", &["bench", "idle", "-h"]),
];
