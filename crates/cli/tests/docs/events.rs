//! The names of events in the log, against the table in docs/operating.md.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::pages::root;

type Levels = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_event_has_a_name_and_every_name_is_documented() {
    let (mut named, mut nameless) = (Levels::new(), Vec::new());
    for folder in ["crates/cli/src", "crates/server/src"] {
        visit(&root().join(folder), &mut |path, text| {
            for (level, said) in logged(text) {
                match name(said) {
                    Some(name) => {
                        named.entry(name.to_owned()).or_default().insert(level.to_owned());
                    }
                    // Those who ask for such lines read them.
                    None if level == "debug" => {}
                    None => nameless.push(format!("{}: {said}", path.display())),
                }
            }
        });
    }
    assert!(named.len() > 40, "{} names only: the walk looks in the wrong place", named.len());
    assert!(nameless.is_empty(), "without `event`: {nameless:#?}");
    assert_eq!(documented(), named);
}

/// What is logged for operators, and on which level.
fn logged(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    // What tests say is nobody's business.
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    for level in ["error", "warn", "info", "debug"] {
        let begin = format!("tracing::{level}!(");
        for (at, _) in text.match_indices(&begin) {
            let rest = &text[at + begin.len()..];
            found.push((&text[at + "tracing::".len()..at + begin.len() - 2], rest.get(..80).unwrap_or(rest)));
        }
    }
    found
}

/// The name comes first, but for a target.
fn name(said: &str) -> Option<&str> {
    let said = said.trim_start();
    let said = if said.starts_with("target: ") { said.split_once(',')?.1.trim_start() } else { said };
    said.strip_prefix("event = \"")?.split('"').next()
}

fn documented() -> Levels {
    let page = fs::read_to_string(root().join("docs/operating.md")).expect("it is there");
    let (_, section) = page.split_once("\n## Logs\n").expect("it has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = |row: &str| {
        let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned());
        let (name, levels) = (cells.next().expect("a name"), cells.next().expect("levels"));
        (name, levels.split(", ").map(str::to_owned).collect())
    };
    rows.map(cells).collect()
}

fn visit(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            visit(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &fs::read_to_string(&path).expect("it can be read"));
        }
    }
}
