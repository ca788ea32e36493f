//! State that outlives the process.

use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    geocast::{Running, code, geocast, run, stderr, stdout, wait_until},
    http::HttpConnection,
};

/// Publishers that write until they are stopped, or their server is gone, and remember what they were told.
#[derive(Debug)]
struct Writers {
    is_over: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    threads: Vec<thread::JoinHandle<Vec<Acknowledged>>>,
}

/// A write that was answered with success.
#[derive(Debug, Clone)]
struct Acknowledged {
    key: String,
    number: u64,
    at: Instant,
}

impl Writers {
    /// Each has keys of its own and numbers what it writes, from `first` on.
    fn start(address: SocketAddr, first: u64) -> Self {
        let (is_over, acknowledged) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let write = |writer: usize| {
            let (is_over, count) = (Arc::clone(&is_over), Arc::clone(&acknowledged));
            thread::spawn(move || {
                let mut all = Vec::new();
                let Ok(mut connection) = HttpConnection::open(address) else { return all };
                for number in first.. {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let key = format!("{writer}-{}", number % KEYS);
                    let value = format!("{{\"key\":\"{key}\",\"number\":{number}}}");
                    match connection.request("PUT", &format!("/api/state/data/{key}"), &value) {
                        Ok((200, _)) => all.push(Acknowledged { key, number, at: Instant::now() }),
                        Ok(refused) => panic!("{refused:?}"),
                        Err(_gone) => break,
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                }
                all
            })
        };
        Self { threads: (0..WRITERS).map(write).collect(), is_over, acknowledged }
    }

    /// All that was acknowledged to them, each writer's in its order.
    fn end(self) -> Vec<Acknowledged> {
        self.is_over.store(true, Ordering::Relaxed);
        self.threads.into_iter().flat_map(|thread| thread.join().expect("writers do not panic")).collect()
    }
}

/// The number under each key.
fn read(server: &Running) -> HashMap<String, u64> {
    let output = run(&["get", "data", "--url", &server.url()]);
    let values = stdout(&output);
    let values = values.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    values
        .filter_map(|value: serde_json::Value| {
            Some((value["key"].as_str()?.to_owned(), value["number"].as_u64()?))
        })
        .collect()
}

fn serve(folder: &Path, interval: &str) -> Running {
    let folder = folder.to_str().expect("UTF-8");
    Running::server(&["serve", "--port", "0", "--data", folder, "--flush-interval", interval])
}

/// Kills a server amid writes, `times` times, and checks what it has when it is back: of every key what was acknowledged
/// `margin` before the end, or something newer.
fn killed(interval: &str, times: u64, margin: Duration, amid: impl Fn(&Writers, u64)) {
    let folder = tempfile::tempdir().expect("a folder");
    // The least that each key has to have.
    let mut least = HashMap::<String, u64>::new();
    for time in 0..times {
        let mut server = serve(folder.path(), interval);
        let found = read(&server);
        for (key, number) in &least {
            let found = found.get(key).copied();
            assert!(found >= Some(*number), "after {time} ends, {key} has {found:?} instead of {number}");
        }
        let writers = Writers::start(server.address(), time * 1_000_000);
        amid(&writers, time);
        let killed = Instant::now();
        server.signal("KILL");
        server.wait();
        let acknowledged = writers.end();
        assert!(acknowledged.len() > 10, "only {} writes before the end", acknowledged.len());
        for Acknowledged { key, number, .. } in
            acknowledged.into_iter().filter(|acknowledged| acknowledged.at + margin <= killed)
        {
            least.insert(key, number);
        }
    }
    assert!(least.len() > 10, "only {} keys", least.len());
    let found = read(&serve(folder.path(), interval));
    assert!(least.iter().all(|(key, number)| found.get(key) >= Some(number)), "{least:?} {found:?}");
}

#[test]
fn killing_loses_nothing_that_was_written_before_its_answer() {
    killed("0", 20, Duration::ZERO, |writers, time| {
        wait_until(
            || writers.acknowledged.load(Ordering::Relaxed) > 20 + 7 * time,
            || "nothing was acknowledged".to_owned(),
        );
    });
}

#[test]
fn killing_loses_at_most_the_flush_interval() {
    // Besides the interval, writing itself takes its time on a busy machine.
    killed("100ms", 3, Duration::from_secs(5), |writers, _| {
        let enough = writers.acknowledged.load(Ordering::Relaxed) + 50;
        wait_until(
            || writers.acknowledged.load(Ordering::Relaxed) > enough,
            || "fewer than 50 were acknowledged".to_owned(),
        );
        thread::park_timeout(Duration::from_secs(6));
    });
}

/// Whether a server that is killed so long after its only write has that when it is back, and how old the write was at most.
fn is_kept(interval: &str, wait: Duration) -> (bool, Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = serve(folder.path(), interval);
    let mut connection = HttpConnection::open(server.address()).expect("it listens");
    let begin = Instant::now();
    let value = "{\"key\":\"a\",\"number\":1}";
    let (status, said) = connection.request("PUT", "/api/state/data/a", value).expect("an answer");
    assert_eq!(status, 200, "{said}");
    thread::park_timeout(wait);
    server.signal("KILL");
    server.wait();
    let age = begin.elapsed();
    (!read(&serve(folder.path(), interval)).is_empty(), age)
}

#[test]
fn the_flush_interval_is_the_one_that_was_asked_for() {
    // A write waits for it, and for nothing else: three times the default are not enough.
    assert!(!is_kept("1h", Duration::from_secs(3)).0, "what an hour is left for is written at once");
    // And it is kept when the default is not over yet, unless the machine has had too much else to do.
    let within = |_| {
        let (is_kept, age) = is_kept("50ms", Duration::from_millis(500));
        is_kept && age < Duration::from_secs(1)
    };
    assert!((0..10).any(within), "it is never written within a second");
}

#[test]
fn stopping_in_order_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = serve(folder.path(), "1h");
    let writers = Writers::start(server.address(), 0);
    wait_until(|| writers.acknowledged.load(Ordering::Relaxed) > 100, || "nothing came".to_owned());
    let acknowledged = writers.end();
    server.signal("TERM");
    assert_eq!(server.code(), 0);
    let mut expected = HashMap::new();
    for Acknowledged { key, number, .. } in acknowledged {
        expected.insert(key, number);
    }
    assert_eq!(read(&serve(folder.path(), "1h")), expected);
}

#[test]
fn a_disk_that_is_full_is_no_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = geocast(&[]).get_program().to_owned();
    let mut limited = Command::new("sh");
    // A write beyond the limit is an error then, and no signal.
    limited.args([
        "-c",
        "trap '' XFSZ; ulimit -f 32768; exec \"$0\" serve --log-format human --port 0 --flush-interval 0 --data \"$1\"",
    ]);
    limited.arg(program).arg(folder.path());
    limited.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let server = Running::start(limited);
    server.wait_for("listens on");
    let mut connection = HttpConnection::open(server.address()).expect("it listens");
    let padding = "x".repeat(200_000);
    let mut written = 0;
    let refused = loop {
        let value = format!("{{\"key\":\"{written}\",\"number\":{written},\"padding\":\"{padding}\"}}");
        let answer =
            connection.request("PUT", &format!("/api/state/data/{written}"), &value).expect("an answer");
        if answer.0 != 200 {
            break answer;
        }
        written += 1;
        assert!(written < 100, "the disk is never full");
    };
    assert!(refused.0 == 503 && refused.1.contains("state cannot be written"), "{refused:?}");
    let (ready, _) = connection.request("GET", "/ready", "").expect("an answer");
    assert_eq!(ready, 503, "it says that it is not well");
    assert!(written > 3, "only {written} have room");
    assert!(read(&server).len() >= written, "what it has can be read");
    drop(server);
    let found = read(&serve(folder.path(), "1s"));
    assert!((0..written).all(|number| found.get(&number.to_string()) == Some(&(number as u64))), "{found:?}");
}

#[test]
fn what_cannot_be_kept_is_said_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let serve_in = |path: &Path| {
        let output = run(&["serve", "--port", "0", "--data", path.to_str().expect("UTF-8")]);
        assert_eq!(code(&output), 1);
        stderr(&output)
    };
    let taken = folder.path().join("taken");
    let server = serve(&taken, "1s");
    // Behind the line that the server was waited for by.
    server.wait_for(&format!("embedded, written to {} within 1s\n", taken.display()));
    let said = serve_in(&taken);
    assert!(said.contains("is in use by another server"), "{said}");
    drop(server);
    let file = folder.path().join("file");
    fs::write(&file, "text").expect("a file");
    let said = serve_in(&file);
    assert!(said.contains(&format!("data folder {}: ", file.display())), "{said}");
    let damaged = folder.path().join("damaged");
    fs::create_dir(&damaged).expect("a folder");
    fs::write(damaged.join("geocast.redb"), "no database at all\n".repeat(10_000)).expect("a file");
    let said = serve_in(&damaged);
    assert!(said.contains("is damaged"), "{said}");
    let output = run(&["serve", "--port", "0", "--flush-interval", "1s"]);
    assert!(code(&output) == 2 && stderr(&output).contains("`data`"), "{}", stderr(&output));
    let lost = "lost when the server stops";
    Running::server(&["serve", "--port", "0"]).wait_for(&format!("in memory: state is {lost}\n"));
    let kept = folder.path().join("kept");
    let keeping = ["serve", "--port", "0", "--history", "news=100", "--data", kept.to_str().expect("UTF-8")];
    Running::server(&keeping).wait_for(&format!(" within 1s; histories in memory: they are {lost}\n"));
    Running::server(&keeping[..5]).wait_for(&format!("in memory: state and histories are {lost}\n"));
}

const WRITERS: usize = 4;
const KEYS: u64 = 50;
