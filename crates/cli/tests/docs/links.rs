//! No link leads nowhere, and the book has every page of docs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use crate::pages::{Page, root};

#[test]
fn links_lead_to_files_and_headings() {
    let pages = Page::all();
    let anchors: BTreeMap<&Path, BTreeSet<String>> =
        pages.iter().map(|page| (page.path.as_path(), anchors(page))).collect();
    let mut count = 0;
    let mut dead = Vec::new();
    for page in &pages {
        for (line, target) in page.prose().flat_map(|(at, line)| targets(line).map(move |to| (at, to))) {
            count += 1;
            let fault = fault(page, target, &anchors);
            dead.extend(fault.map(|fault| format!("{}:{line}: {target} {fault}", page.path.display())));
        }
    }
    assert!(count > 60, "{count} links only");
    assert!(dead.is_empty(), "\n{}\n", dead.join("\n"));
}

#[test]
fn the_book_has_every_page_of_docs_once() {
    let pages = Page::all();
    let summary = pages.iter().find(|page| page.path == Path::new(SUMMARY)).expect("there is a summary");
    let mut listed: Vec<PathBuf> = summary
        .prose()
        .flat_map(|(_, line)| targets(line))
        .map(|target| Path::new("docs").join(target))
        .collect();
    listed.sort();
    let mut written: Vec<PathBuf> = pages
        .iter()
        .map(|page| page.path.clone())
        .filter(|path| path.starts_with("docs") && path != Path::new(SUMMARY))
        .collect();
    written.sort();
    assert_eq!(listed, written, "what docs/SUMMARY.md lists, and what is there");
}

#[test]
fn the_book_is_made_of_docs() {
    let file = std::fs::read_to_string(root().join("book.toml")).expect("there is a book");
    let book: toml::Table = file.parse().expect("it is TOML");
    assert_eq!(book["book"]["src"].as_str(), Some("docs"));
    assert_eq!(book["build"]["create-missing"].as_bool(), Some(false), "a page that is missing is a fault");
}

#[test]
fn the_checks_see_what_they_are_for() {
    let page = |path: &str, text: &str| Page { path: path.into(), text: text.to_owned() };
    let to = page("docs/a.md", "# Ünder `--the` line_s, 2.0!\n\n## b\n## b\n");
    let found = anchors(&to);
    for anchor in ["ünder---the-line_s-20", "b", "b-1"] {
        assert!(found.contains(anchor), "{anchor} in {found:?}");
    }
    let anchors = BTreeMap::from([(to.path.as_path(), found)]);
    for (from, target, expected) in [
        ("docs/a.md", "#b", None),
        ("docs/a.md", "#c", Some("is no heading there")),
        ("docs/a.md", "https://example.org/a b", None),
        ("docs/b.md", "a.md#b-1", None),
        ("docs/b.md", "nowhere.md", Some("is not there")),
        ("docs/b.md", "../README.md", Some("is no page of the book")),
        ("README.md", "docs/a.md#c", Some("is no heading there")),
        ("README.md", "crates/cli", None),
        ("README.md", "../elsewhere", Some("is not there")),
    ] {
        assert_eq!(fault(&page(from, ""), target, &anchors), expected, "{from} {target}");
    }
    assert_eq!(targets("[a](b) `[c](d)` ![e](f \"g\") [h]").collect::<Vec<_>>(), ["b", "f"]);
}

/// What is wrong with a link of a page.
fn fault(page: &Page, target: &str, anchors: &BTreeMap<&Path, BTreeSet<String>>) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => Some(page.path.clone()),
        file => normal(&page.path.with_file_name(file)),
    };
    let Some(path) = path.filter(|path| anchors.contains_key(path.as_path()) || root().join(path).exists())
    else {
        return Some("is not there");
    };
    if page.path.starts_with("docs") && !path.starts_with("docs") {
        return Some("is no page of the book");
    }
    let knows = || anchors.get(path.as_path()).is_some_and(|anchors| anchors.contains(anchor));
    (!anchor.is_empty() && !knows()).then_some("is no heading there")
}

/// Without `..`, unless it leads out of the tree.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => normal.pop().then_some(())?,
            part => normal.push(part),
        }
    }
    Some(normal)
}

/// Where the links of a line lead; what is code is none.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let prose = line.split('`').step_by(2);
    prose.flat_map(|prose| prose.split("](").skip(1)).filter_map(|rest| {
        let (target, _) = rest.split_once(')')?;
        target.split(' ').next()
    })
}

/// By which the headings of a page are reached, as forges and mdBook make them.
fn anchors(page: &Page) -> BTreeSet<String> {
    let mut seen = BTreeMap::new();
    let headings = page.prose().filter(|(_, line)| line.starts_with('#'));
    let anchors = headings.map(|(_, line)| {
        let anchor = anchor(line.trim_start_matches('#').trim());
        let before = seen.entry(anchor.clone()).or_insert(0);
        *before += 1;
        if *before == 1 { anchor } else { format!("{anchor}-{}", *before - 1) }
    });
    anchors.collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

const SUMMARY: &str = "docs/SUMMARY.md";
