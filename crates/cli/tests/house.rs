//! The house rules that no compiler checks: file lengths, fuzz target lengths, documents that must exist, and which crate
//! may know which, and where `unsafe` stands.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn no_source_file_outgrows_400_lines() {
    let sources = sources(&root());
    assert!(sources.len() > 10, "the walk found {} sources only: it looks in the wrong place", sources.len());
    assert_none(sources.iter().filter_map(|path| too_long(path, &read(path))));
}

#[test]
fn fuzz_targets_stay_within_ten_lines() {
    assert_none(fuzz_targets().iter().filter_map(|path| fuzz_target_too_long(path, &read(path))));
}

/// Fuzzing itself needs nightly, and CI has stable.
#[test]
fn every_fuzz_target_is_run_near_its_seeds() {
    let laws: String = sources(&root().join("crates")).iter().map(|path| read(path)).collect();
    assert_none(fuzz_targets().iter().filter_map(|path| fuzz_target_not_run(path, &laws)));
}

#[test]
fn every_crate_has_a_readme_and_the_project_its_documents() {
    let root = root();
    let crates: Vec<_> = files(&root).into_iter().filter(|path| path.ends_with("Cargo.toml")).collect();
    assert!(crates.len() >= 6, "found {} manifests only", crates.len());
    let readmes = crates.iter().map(|manifest| manifest.with_file_name("README.md"));
    let documents = ["ARCHITECTURE.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "SECURITY.md"]
        .map(|name| root.join(name));
    assert_none(
        readmes
            .chain(documents)
            .filter(|path| !has_text(path))
            .map(|path| format!("{} is missing", path.display())),
    );
}

/// The three leaves are useful alone to somebody else: without a runtime, a Redis client or each other.
#[test]
fn leaves_know_neither_each_other_nor_the_runtime() {
    let root = root();
    for leaf in LEAVES {
        let manifest = root.join("crates").join(leaf).join("Cargo.toml");
        assert_none(
            forbidden_dependencies(&read(&manifest))
                .map(|name| format!("{} depends on {name}", manifest.display())),
        );
    }
}

/// In a pure crate time is an argument.
#[test]
fn leaves_read_no_clock() {
    let root = root();
    for leaf in LEAVES {
        let sources = sources(&root.join("crates").join(leaf).join("src"));
        assert!(!sources.is_empty(), "crates/{leaf} has no sources");
        assert_none(sources.iter().flat_map(|path| clock_reads(path, &read(path))));
    }
}

/// What calls PROJ, and a test of it.
#[test]
fn unsafe_stands_in_its_places_alone() {
    let root = root();
    let sources: Vec<_> =
        sources(&root).into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs")).collect();
    let trusted = |path: &&PathBuf| UNSAFE_PLACES.iter().any(|place| path.starts_with(root.join(place)));
    let (trusted, others): (Vec<_>, Vec<_>) = sources.iter().partition(trusted);
    assert!(
        trusted.iter().any(|path| !unsafe_lines(path, &read(path)).is_empty()),
        "PROJ is called elsewhere"
    );
    assert_none(others.iter().flat_map(|path| unsafe_lines(path, &read(path))));
}

/// What is promised is held by a test that exists.
#[test]
fn guarantees_name_tests_that_exist() {
    let root = root();
    let page = read(&root.join("docs/guarantees.md"));
    let names: Vec<&str> = page.lines().flat_map(held_by).collect();
    assert!(names.len() > 15, "only {} tests are named", names.len());
    let tests =
        sources(&root).into_iter().filter(|path| path.components().any(|part| part.as_os_str() == "tests"));
    let tests: String = tests.map(|path| read(&path)).collect();
    let exists = |name: &&&str| tests.contains(&format!("fn {name}("));
    assert_none(names.iter().filter(|name| !exists(name)).map(|name| format!("there is no test {name}")));
}

#[test]
fn the_checks_see_what_they_are_for() {
    let path = Path::new("a.rs");
    assert_eq!(too_long(path, &"x\n".repeat(400)), None);
    assert_eq!(too_long(path, &"x\n".repeat(401)).as_deref(), Some("a.rs has 401 lines, 400 at most"));

    assert_eq!(held_by("| a `b` | c | `d`, `e_f` |").collect::<Vec<_>>(), ["d", "e_f"]);
    assert_eq!(held_by("a `b`").count() + held_by("| What | Held by |").count(), 0);

    let comments = "// Why.\n\n".repeat(20);
    assert_eq!(fuzz_target_too_long(path, &format!("{comments}{}", "x\n".repeat(10))), None);
    assert!(fuzz_target_too_long(path, &"x\n".repeat(11)).is_some());

    assert_eq!(fuzz_target_not_run(path, "smoke(\"a\", law)"), None);
    assert!(fuzz_target_not_run(path, "smoke(\"ab\", law)").is_some());

    let manifest = "[dependencies]\nnom.workspace = true\n\"tokio\" = '1'\n[dependencies.redis]\nversion = \"1\"\n\
                    [dev-dependencies]\ntokio-tungstenite = \"1\"\n";
    assert_eq!(forbidden_dependencies(manifest).collect::<Vec<_>>(), ["tokio", "redis"]);

    assert_eq!(clock_reads(path, "a\nlet t = Instant::now();\n"), ["a.rs:2 reads the clock"]);
    assert!(clock_reads(path, "/// Pass `Instant::now()`.\n").is_empty());

    let blocks = "a\nlet x = unsafe { f() };\nunsafe impl Send for X {}\n    unsafe extern \"C\" fn f() {}\n";
    assert_eq!(unsafe_lines(path, blocks).len(), 3);
    assert!(
        unsafe_lines(path, "// unsafe { }\nlet unsafe_word = \"unsafe\";\nunsafe_code = 1;\n").is_empty()
    );
}

/// The tests that a row of a table names in its last column.
fn held_by(line: &str) -> impl Iterator<Item = &str> {
    let row = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |"));
    let last = row.and_then(|row| row.rsplit(" | ").next()).unwrap_or_default();
    last.split('`').skip(1).step_by(2)
}

fn too_long(path: &Path, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > FILE_LINES).then(|| format!("{} has {lines} lines, {FILE_LINES} at most", path.display()))
}

/// Comments and blank lines are free: a target may say what it is for.
fn fuzz_target_too_long(path: &Path, text: &str) -> Option<String> {
    let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let lines = text.lines().filter(code).count();
    (lines > FUZZ_LINES).then(|| {
        format!("{} has {lines} lines of code, {FUZZ_LINES} at most: move them to the crate", path.display())
    })
}

/// What a leaf's manifest names under `[dependencies]` and may not. Its tests may use what they like.
fn forbidden_dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut listed = false;
    manifest.lines().filter_map(move |line| {
        let name = if let Some(header) = line.trim().strip_prefix('[') {
            let header = header.trim_end_matches(']');
            listed = header == "dependencies";
            header.strip_prefix("dependencies.")?
        } else if listed {
            line.split(['=', '.']).next()?
        } else {
            return None;
        };
        let name = name.trim().trim_matches('"');
        FORBIDDEN_IN_LEAVES.iter().any(|forbidden| name.starts_with(forbidden)).then_some(name)
    })
}

fn clock_reads(path: &Path, text: &str) -> Vec<String> {
    let reads =
        |line: &str| !line.trim_start().starts_with("//") && CLOCKS.iter().any(|clock| line.contains(clock));
    let lines = text.lines().enumerate().filter(|(_, line)| reads(line));
    lines.map(|(at, _)| format!("{}:{} reads the clock", path.display(), at + 1)).collect()
}

fn unsafe_lines(path: &Path, text: &str) -> Vec<String> {
    let is_unsafe = |line: &str| {
        let begins =
            ["unsafe {", "unsafe fn ", "unsafe impl ", "unsafe trait ", "unsafe extern ", "#[unsafe("];
        !line.trim_start().starts_with("//") && begins.iter().any(|begin| line.contains(begin))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| is_unsafe(line));
    lines.map(|(at, _)| format!("{}:{} is unsafe", path.display(), at + 1)).collect()
}

/// Whether no test calls `fuzz/smoke.rs` for a target.
fn fuzz_target_not_run(path: &Path, laws: &str) -> Option<String> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let is_run = ["smoke(", "smoke_text("].iter().any(|call| laws.contains(&format!("{call}\"{name}\", ")));
    (!is_run).then(|| format!("no test calls smoke for {}", path.display()))
}

fn fuzz_targets() -> Vec<PathBuf> {
    let targets = sources(&root().join("fuzz/fuzz_targets"));
    assert!(targets.len() >= 10, "{} fuzz targets in fuzz/fuzz_targets", targets.len());
    targets
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let source = |path: &PathBuf| path.extension().is_some_and(|e| SOURCES.iter().any(|source| e == *source));
    files(folder).into_iter().filter(source).collect()
}

/// Every file that is ours: build output (which cargo marks with CACHEDIR.TAG), installed packages and hidden folders are
/// not.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("a folder of the project can be read");
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().expect("a file of the project has a type");
        if kind.is_file() {
            found.push(path);
        } else if kind.is_dir() && !is_foreign(&path, &name.to_string_lossy()) {
            found.extend(files(&path));
        }
    }
    found
}

fn is_foreign(path: &Path, name: &str) -> bool {
    name.starts_with('.') || FOREIGN.contains(&name) || path.join("CACHEDIR.TAG").exists()
}

fn has_text(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| !text.trim().is_empty())
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace is two folders up")
}

fn assert_none(faults: impl Iterator<Item = String>) {
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

const FILE_LINES: usize = 400;
const FUZZ_LINES: usize = 10;
const SOURCES: [&str; 4] = ["rs", "ts", "js", "py"];
const FOREIGN: [&str; 3] = ["target", "node_modules", "dist"];
const LEAVES: [&str; 3] = ["protocol", "geo-filter", "hub"];
const FORBIDDEN_IN_LEAVES: [&str; 6] = ["tokio", "redis", "deadpool", "tungstenite", "hyper", "geocast-"];
/// The last one names what it looks for.
const UNSAFE_PLACES: [&str; 3] =
    ["crates/geo-filter/src/projection", "crates/geo-filter/tests/it/limit.rs", "crates/cli/tests/house.rs"];
const CLOCKS: [&str; 2] = ["Instant::now", "SystemTime::now"];
