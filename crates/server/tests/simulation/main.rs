//! The server, a store and clients in a simulated network; see README.md.

mod client;
mod faults;
mod node;
mod redis;
mod run;
mod world;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};

use self::{redis::Planted, run::run};

/// `SEEDS=1000` runs so many, `SEED=17` this one.
///
/// Each run has a process of its own: the order in which tokio drops the tasks of a host that is killed depends on how many tasks
/// the process has had.
#[test]
fn every_seed_keeps_what_is_promised() {
    if let Some(seed) = number("SEED") {
        return println!("checked: {}", alone(seed));
    }
    let last = number("SEEDS").unwrap_or(20);
    let (next, failed, total) = (AtomicU64::new(1), Mutex::new(Vec::new()), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > last {
                        return;
                    }
                    let Output { status, stdout, stderr } = apart(seed, &trace(seed));
                    let told = String::from_utf8_lossy(&stdout);
                    for (what, number) in tally(&told) {
                        *total.lock().unwrap().entry(what).or_insert(0) += number;
                    }
                    if status.success() {
                        drop(fs::remove_file(trace(seed)));
                    } else {
                        println!("{told}{}", String::from_utf8_lossy(&stderr));
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    println!("{last} seeds: {:?}", total.lock().unwrap());
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "seeds {failed:?} failed; run one again with: make simulation SEED={}",
        failed[0]
    );
}

#[test]
fn a_seed_is_always_the_same_run() {
    for seed in 1..=1 {
        let traces = ["first", "second"].map(|which| {
            let file = folder().join(format!("{which}-{seed}.txt"));
            apart(seed, &file);
            fs::read_to_string(file).expect("the run has written its trace")
        });
        let [one, other] = traces.each_ref().map(|trace| trace.lines().collect::<Vec<_>>());
        if let Some(line) = one.iter().zip(&other).position(|(one, other)| one != other) {
            panic!("seed {seed} differs in line {line}:\n{}\n{}", one[line], other[line]);
        }
        assert!(one.len() == other.len() && one.len() > 1000, "{} and {} lines", one.len(), other.len());
    }
}

#[test]
fn what_is_wrong_with_a_store_is_seen() {
    for planted in [Planted::Swallows, Planted::Repeats, Planted::Swaps, Planted::Forgets] {
        let seen = (1..=3).any(|seed| !run(seed, Some(planted)).violations.is_empty());
        assert!(seen, "{planted:?} was not noticed");
    }
}

/// Runs a seed in a process of its own, which writes its trace to a file.
fn apart(seed: u64, file: &Path) -> Output {
    Command::new(env::current_exe().expect("this program has a file"))
        .args(["--exact", "every_seed_keeps_what_is_promised", "--nocapture"])
        .env("SEED", seed.to_string())
        .env("TRACE", file)
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("this program can be started")
}

/// Runs a seed, writes down what happened, and says what was checked.
fn alone(seed: u64) -> String {
    let (done, waits) = sync_channel::<()>(1);
    thread::spawn(move || {
        if waits.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
            eprintln!("seed {seed} does not end");
            std::process::abort();
        }
    });
    let outcome = run(seed, None);
    drop(done);
    let file = env::var("TRACE").map_or_else(|_none| trace(seed), PathBuf::from);
    fs::write(&file, outcome.trace.join("\n")).expect("the target folder can be written");
    let tally: Vec<String> = outcome.tally.iter().map(|(what, number)| format!("{number} {what}")).collect();
    let violations = outcome.violations.join("\n  ");
    assert!(violations.is_empty(), "seed {seed}:\n  {violations}\ntrace: {}", file.display());
    tally.join(", ")
}

/// What a run says that it has checked.
fn tally(told: &str) -> BTreeMap<String, u64> {
    let list = told.lines().find_map(|line| line.strip_prefix("checked: ")).unwrap_or_default();
    let part = |part: &str| {
        let (number, what) = part.split_once(' ')?;
        Some((what.to_owned(), number.parse().ok()?))
    };
    list.split(", ").filter_map(part).collect()
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("a number"))
}

fn trace(seed: u64) -> PathBuf {
    folder().join(format!("seed-{seed}.txt"))
}

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("simulation");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// How long a run may take: on an idle machine it is two seconds, on a busy one it has been minutes.
const LONGEST: Duration = Duration::from_secs(1800);
