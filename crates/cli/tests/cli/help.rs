use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::geocast::{code, commands, run, stderr, stdout};

/// What users read is reviewed like code: a change of an option is a change of a file in `tests/cli/help`, which has one for
/// each command with `--help`, and one with `-h` where that says less. After an intended change,
/// `UPDATE_HELP=1 cargo test -p geocast help` writes the files anew.
#[test]
fn help_texts_are_as_recorded() {
    let mut said = BTreeMap::new();
    for path in commands() {
        let name = [&["geocast".to_owned()][..], &path[..]].concat().join("-");
        let (all, short) = (help(&path, "--help"), help(&path, "-h"));
        if short != all {
            said.insert(format!("{name}-short.txt"), short);
        }
        said.insert(format!("{name}.txt"), all);
    }
    assert!(said.len() > 35, "{:?}", said.keys());
    if std::env::var_os("UPDATE_HELP").is_some() {
        recorded().into_keys().for_each(|name| fs::remove_file(folder().join(name)).unwrap());
        said.iter().for_each(|(name, text)| fs::write(folder().join(name), text).unwrap());
    }
    let recorded = recorded();
    let names = said.keys().chain(recorded.keys().filter(|name| !said.contains_key(*name)));
    let differing: Vec<String> = names
        .filter(|name| said.get(*name) != recorded.get(*name))
        .map(|name| {
            format!("{name} differs from what is said:\n{}", said.get(name).map_or("", String::as_str))
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Whoever asks for help is shown what can be typed, and whoever writes a script what comes of it.
#[test]
fn every_command_has_examples_and_tells_its_exit_codes() {
    for path in commands() {
        let help = help(&path, "--help");
        for part in ["\nExamples:\n  ", "Exit codes: 0 "] {
            assert!(help.contains(part), "geocast {} --help lacks {part:?}", path.join(" "));
        }
    }
}

#[test]
fn who_writes_manual_pages_is_told_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("a/man1");
    let output = run(&["man", &missing.display().to_string()]);
    assert_eq!((code(&output), stdout(&output).as_str()), (0, ""), "{}", stderr(&output));
    let pages = fs::read_dir(&missing).expect("it was made").count();
    let expected = format!("geocast: {pages} pages written into {}\n", missing.display());
    assert_eq!((stderr(&output), pages), (expected, commands().len()));
}

fn help(path: &[String], flag: &str) -> String {
    let words: Vec<&str> = path.iter().map(String::as_str).chain([flag]).collect();
    let output = run(&words);
    assert_eq!(code(&output), 0, "{path:?}");
    stdout(&output)
}

fn recorded() -> BTreeMap<String, String> {
    let files = fs::read_dir(folder()).expect("they are there").map(|file| file.expect("a file").path());
    files
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), path))
        .map(|(name, path)| (name, fs::read_to_string(path).expect("text")))
        .collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/help")
}
