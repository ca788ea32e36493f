//! What pages tell people to type is typed: each block `sh`, in the order of its page, in one shell for each page.
//!
//! | Written | Means |
//! |---|---|
//! | `sh` | is run to its end, without failing |
//! | `sh not-run: reason` | is not, for that reason |
//! | `json`, `rhai`, `python`, `html` and so on, whose first line is a comment with a file's name alone | that file, before anything is run |
//!
//! `stage.rs` says where. A server goes on until the next one is started, as in another terminal, and so does a `sub` without
//! `--count` and `--timeout`. `cli/migrating.rs` does the same with docs/migrating.md, whose transcripts lie between its commands.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::{
    pages::{Block, Page},
    stage::Stage,
};

#[test]
fn what_is_to_be_typed_works() {
    let pages = Page::all();
    let (mut typed, mut faults) = (0, Vec::new());
    let walked: Vec<(&Page, Vec<Block<'_>>)> = pages
        .iter()
        .filter(|page| page.path != Path::new(ELSEWHERE))
        .map(|page| (page, page.blocks()))
        .filter(|(_, blocks)| blocks.iter().any(is_typed))
        .collect();
    let next = AtomicUsize::new(0);
    // Most of the time one waits for the start of the other's server.
    thread::scope(|scope| {
        let walks = || {
            let mine = std::iter::from_fn(|| walked.get(next.fetch_add(1, Ordering::Relaxed)));
            mine.map(|(page, blocks)| walk(page, blocks)).collect::<Vec<_>>()
        };
        let walkers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(walks)).collect();
        for walked in walkers.into_iter().flat_map(|walker| walker.join().expect("a walk returns its faults"))
        {
            match walked {
                Ok(count) => typed += count,
                Err(fault) => faults.push(fault),
            }
        }
    });
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n\n"));
    assert!(typed >= 15, "{typed} blocks only were typed");
}

#[test]
fn what_is_not_run_says_why() {
    let pages = Page::all();
    let blocks = pages.iter().flat_map(|page| page.blocks().into_iter().map(move |block| (page, block)));
    let faults: Vec<String> = blocks
        .filter(|(_, block)| !says_what_it_is(block.info))
        .map(|(page, block)| format!("{}:{}: {:?}", page.path.display(), block.line, block.info))
        .collect();
    assert!(faults.is_empty(), "write `sh`, or `sh {NOT_RUN} reason`:\n{}\n", faults.join("\n"));
    for (info, right) in [
        ("sh", true),
        ("sh not-run: it takes an hour", true),
        ("sh not-run:", false),
        ("sh no-run: it takes an hour", false),
        ("bash", false),
        ("transcript /ws", true),
    ] {
        assert_eq!(says_what_it_is(info), right, "{info}");
    }
}

/// Tests of the server run the page of docs/tracking.md.
#[test]
fn the_map_of_the_tutorial_is_one_that_is_tested() {
    let connect = |name: &str| {
        let pages = Page::all();
        let page = pages.iter().find(|page| page.path == Path::new(name)).expect("it is there");
        let blocks = page.blocks();
        let page = blocks.iter().find(|block| block.info == "html").expect("a page").lines.join("\n");
        page.split_once("function connect()").expect("it connects").1.to_owned()
    };
    let tested = connect("docs/tracking.md").replace("vehicles", "places").replace("127.0.0.1", "localhost");
    assert_eq!(connect("docs/tutorial.md"), tested);
}

/// Types the blocks of a page, and says how many they were.
fn walk(page: &Page, blocks: &[Block<'_>]) -> Result<usize, String> {
    let mut stage = Stage::new(blocks);
    for block in blocks {
        if let Some(name) = file_name(block) {
            stage.write(name, &block.lines.join("\n"));
        }
    }
    let typed: Vec<_> = blocks.iter().filter(|block| is_typed(block)).collect();
    let script: String = typed
        .iter()
        .map(|block| {
            let place = format!("{}:{}", page.path.display(), block.line);
            format!("echo '# {place}' >&2\n{}\n", block.lines.join("\n"))
        })
        .collect();
    stage.run(&script).map(|()| typed.len()).map_err(|said| format!("{}:\n{said}", page.path.display()))
}

fn is_typed(block: &Block<'_>) -> bool {
    block.info == "sh"
}

fn says_what_it_is(info: &str) -> bool {
    match info.split_once(' ').unwrap_or((info, "")) {
        ("sh", "") => true,
        ("sh", more) => more.strip_prefix(NOT_RUN).is_some_and(|reason| !reason.trim().is_empty()),
        ("bash" | "shell" | "console" | "shell-session", _) => false,
        _ => true,
    }
}

/// The file that a block is.
fn file_name<'a>(block: &Block<'a>) -> Option<&'a str> {
    let is_file = ["conf", "html", "json", "python", "rhai", "toml"].contains(&block.info);
    let first = block.lines.first()?;
    let comment = |(before, behind): &(&str, &str)| first.strip_prefix(before)?.strip_suffix(behind);
    let name = [("# ", ""), ("// ", ""), ("<!-- ", " -->")].iter().find_map(comment)?;
    (is_file && name.contains('.') && !name.contains(' ')).then_some(name)
}

const NOT_RUN: &str = "not-run:";
const ELSEWHERE: &str = "docs/migrating.md";
/// Shells at the same time.
const AT_ONCE: usize = 4;
