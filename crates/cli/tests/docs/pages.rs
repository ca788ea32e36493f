use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file of Markdown.
#[derive(Debug)]
pub(crate) struct Page {
    /// From the root of the tree, such as `docs/redis.md`.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// What stands between two fences.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    /// The line of the opening fence, from 1.
    pub(crate) line: usize,
    /// What stands behind the opening fence.
    pub(crate) info: &'a str,
    pub(crate) lines: Vec<&'a str>,
}

impl Page {
    /// Those of the whole tree that are ours.
    pub(crate) fn all() -> Vec<Self> {
        let root = root();
        let pages: Vec<_> = files(&root)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .map(|path| Self {
                text: fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
                path: path.strip_prefix(&root).expect("it is in the tree").to_owned(),
            })
            .collect();
        assert!(pages.len() > 15, "{} pages only: the walk looks in the wrong place", pages.len());
        pages
    }

    /// The lines that are prose, with their numbers.
    pub(crate) fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut inside = false;
        self.text.lines().enumerate().filter_map(move |(at, line)| {
            let is_fence = line.trim_start().starts_with(FENCE);
            inside ^= is_fence;
            (!inside && !is_fence).then_some((at + 1, line))
        })
    }

    /// What stands between fences.
    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            if let Some(info) = line.trim_start().strip_prefix(FENCE) {
                let block = lines.by_ref().map(|(_, line)| line);
                let lines = block.take_while(|line| !line.trim_start().starts_with(FENCE)).collect();
                blocks.push(Block { line: at + 1, info, lines });
            }
        }
        blocks
    }
}

/// Every file that is ours: build output (which cargo marks with CACHEDIR.TAG), installed packages and hidden folders are
/// not.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("a folder of the project can be read");
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let kind = entry.file_type().expect("a file of the project has a type");
        let is_foreign =
            name.starts_with('.') || FOREIGN.contains(&&*name) || path.join("CACHEDIR.TAG").exists();
        if kind.is_file() {
            found.push(path);
        } else if kind.is_dir() && !is_foreign {
            found.extend(files(&path));
        }
    }
    found.sort();
    found
}

pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the workspace is two folders up")
}

const FENCE: &str = "```";
const FOREIGN: [&str; 3] = ["target", "node_modules", "dist"];

#[test]
fn prose_and_blocks_are_told_apart() {
    let text = "a\n```sh now\nb\n```\nc\n".to_owned();
    let page = Page { path: "a.md".into(), text };
    assert_eq!(page.prose().collect::<Vec<_>>(), [(1, "a"), (5, "c")]);
    assert_eq!(page.blocks(), [Block { line: 2, info: "sh now", lines: vec!["b"] }]);
}
