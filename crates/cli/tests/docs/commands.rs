//! What pages tell people to type is typed: each block `sh` and `python`, in the order of its page, in one shell for each page. What
//! they show as its output is compared with what came.
//!
//! | Written | Means |
//! |---|---|
//! | `sh` | is run to its end, without failing |
//! | `python` | the same, as a program of its own |
//! | `sh not-run: reason`, `python not-run: reason` | is not, for that reason |
//! | `text` or `json`, with nothing but empty lines between it and such a block | with this its output ends; numbers may be others, and `…` is anything |
//! | `text not-compared: reason` | is not compared, for that reason |
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
    shown::is_shown,
    stage::Stage,
};

#[test]
fn what_is_to_be_typed_works() {
    let pages = Page::all();
    let (mut typed, mut compared, mut faults) = (0, 0, Vec::new());
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
                Ok(done) => (typed, compared) = (typed + done.0, compared + done.1),
                Err(fault) => faults.push(fault),
            }
        }
    });
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n\n"));
    assert!(typed >= 50 && compared >= 5, "{typed} blocks only were typed, and {compared} outputs compared");
}

#[test]
fn what_is_not_run_says_why() {
    let pages = Page::all();
    let blocks = pages.iter().flat_map(|page| page.blocks().into_iter().map(move |block| (page, block)));
    let faults: Vec<String> = blocks
        .filter(|(_, block)| !says_what_it_is(block.info))
        .map(|(page, block)| format!("{}:{}: {:?}", page.path.display(), block.line, block.info))
        .collect();
    assert!(
        faults.is_empty(),
        "write `sh`, `sh {NOT_RUN} reason` or `text {NOT_COMPARED} reason`:\n{}\n",
        faults.join("\n")
    );
    for (info, right) in [
        ("sh", true),
        ("sh not-run: it takes an hour", true),
        ("sh not-run:", false),
        ("sh no-run: it takes an hour", false),
        ("bash", false),
        ("python", true),
        ("python not-run: theirs", true),
        ("python theirs", false),
        ("text", true),
        ("text not-compared: it is another each time", true),
        ("json not-run: it is no command", false),
        ("transcript /ws", true),
    ] {
        assert_eq!(says_what_it_is(info), right, "{info}");
    }
}

/// Tests of the server run the script of docs/tracking.md; both pages are opened in a browser by web/test/book.test.mjs.
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

/// Types the blocks of a page, and says how many they were, and of how many the output was compared.
fn walk(page: &Page, blocks: &[Block<'_>]) -> Result<(usize, usize), String> {
    let mut stage = Stage::new(blocks);
    for block in blocks {
        if let Some(name) = file_name(block) {
            stage.write(name, &block.lines.join("\n"));
        }
    }
    let (mut script, mut typed, mut outputs) = (String::new(), 0, Vec::new());
    for (number, block) in blocks.iter().enumerate().filter(|(_, block)| is_typed(block)) {
        let mut lines = block.lines.join("\n");
        if block.info == "python" {
            stage.write(&format!("block-{number}.py"), &lines);
            lines = format!("python3 block-{number}.py");
        }
        if let Some(output) = blocks.get(number + 1).filter(|next| is_output(page, block, next)) {
            let file = format!("shown-{number}");
            lines = format!("{{\n{lines}\n}} >{file}\ncat {file}");
            outputs.push((output, file));
        }
        script += &format!("echo '# {}:{}' >&2\n{lines}\n", page.path.display(), block.line);
        typed += 1;
    }
    stage.run(&script).map_err(|said| format!("{}:\n{said}", page.path.display()))?;
    for (output, file) in &outputs {
        let (expected, said) = (output.lines.join("\n"), stage.read(file));
        if !is_shown(&expected, &said) {
            let place = format!("{}:{}", page.path.display(), output.line);
            return Err(format!("{place}: this is shown:\n{expected}\n\nand this was said:\n{said}"));
        }
    }
    Ok((typed, outputs.len()))
}

fn is_typed(block: &Block<'_>) -> bool {
    block.info == "sh" || (block.info == "python" && file_name(block).is_none())
}

/// Whether the second block is what the first one prints.
fn is_output(page: &Page, typed: &Block<'_>, next: &Block<'_>) -> bool {
    let end = typed.line + typed.lines.len() + 1;
    let mut between = page.text.lines().take(next.line - 1).skip(end);
    ["text", "json"].contains(&next.info)
        && file_name(next).is_none()
        && between.all(|line| line.trim().is_empty())
}

fn says_what_it_is(info: &str) -> bool {
    match info.split_once(' ').unwrap_or((info, "")) {
        ("sh" | "python" | "text" | "json", "") => true,
        ("sh" | "python", more) => is_reason(more.strip_prefix(NOT_RUN)),
        ("text" | "json", more) => is_reason(more.strip_prefix(NOT_COMPARED)),
        ("bash" | "shell" | "console" | "shell-session", _) => false,
        _ => true,
    }
}

fn is_reason(reason: Option<&str>) -> bool {
    reason.is_some_and(|reason| !reason.trim().is_empty())
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
const NOT_COMPARED: &str = "not-compared:";
const ELSEWHERE: &str = "docs/migrating.md";
/// Shells at the same time.
const AT_ONCE: usize = 4;
