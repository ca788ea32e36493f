use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::{fs::symlink, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    pages::{Block, root},
    redis_server::RedisServer,
    schemas::tool,
};

/// Where the commands of a page are typed: a folder with what the page takes for granted, ports that are free instead of those
/// that are written, and a Redis of the test's own.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    /// Ends with the stage.
    _redis: Option<RedisServer>,
    /// What is written, and what is free.
    ports: BTreeMap<u16, u16>,
}

impl Stage {
    pub(crate) fn new(blocks: &[Block<'_>]) -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let lines = || blocks.iter().flat_map(|block| block.lines.iter());
        let ports = lines().flat_map(|line| written_ports(line)).chain([8765, 9000]).collect::<Vec<_>>();
        // All are held until all are chosen, so that none is chosen twice.
        let mut held = Vec::new();
        let ports = ports.into_iter().map(|port| {
            let (free, listener) = free_port();
            held.push(listener);
            (port, free)
        });
        let mut ports: BTreeMap<u16, u16> = ports.collect();
        drop(held);
        let needs_redis =
            |line: &&str| ["redis://localhost", "6379", "redis-cli "].iter().any(|word| line.contains(word));
        let redis = lines().any(needs_redis).then(|| RedisServer::start(&[]));
        ports.extend(redis.as_ref().map(|redis| (6379, redis.port())));
        let stage = Self { folder, _redis: redis, ports };
        stage.furnish();
        stage
    }

    /// Writes a file of the page.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), self.here(text)).expect("the folder is ours");
    }

    /// What stands in a file; nothing if there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Types a script; what it and all its programs said, if it fails.
    pub(crate) fn run(&mut self, script: &str) -> Result<(), String> {
        let folder = self.folder.path();
        self.write("script", &format!("set -eu\n{script}\necho '# the end' >&2\nstill-there\n"));
        let said = fs::File::create(folder.join("said")).expect("the folder is ours");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("bash");
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GEOCAST_"))
        {
            shell.env_remove(name);
        }
        shell
            .arg("script")
            .current_dir(folder)
            .env("PATH", format!("{}:{path}", folder.join("bin").display()))
            .env("STAGE", folder)
            .env("GEOCAST", env!("CARGO_BIN_EXE_geocast"))
            .env("PYTHON", tool("python"))
            .env("GEOCAST_URL", format!("ws://127.0.0.1:{}/ws", self.ports[&8765]))
            .env("DEFAULT_PORT", self.ports[&8765].to_string())
            .env("FILTERS_PORT", self.ports[&9000].to_string())
            .env("REDIS_PORT", self.ports.get(&6379).copied().unwrap_or_default().to_string())
            .stdin(Stdio::null())
            .stdout(said.try_clone().expect("it is open"))
            .stderr(said)
            .process_group(0);
        let mut shell = Group(shell.spawn().expect("there is bash"));
        let deadline = Instant::now() + LONGEST;
        let ended = loop {
            match shell.0.try_wait().expect("it is our child") {
                Some(status) => break Ok(status),
                None if Instant::now() > deadline => break Err(format!("no end after {LONGEST:?}")),
                None => thread::park_timeout(Duration::from_millis(20)),
            }
        };
        drop(shell);
        let said = self.read("said");
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{said}{status}")),
            Err(late) => Err(format!("{said}{late}")),
        }
    }

    /// What the pages take for granted.
    fn furnish(&self) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        self.write("cert.pem", &made.cert.pem());
        self.write("key.pem", &made.signing_key.serialize_pem());
        self.write("key.txt", "a key for publishers\n");
        self.write("secret.txt", "a secret of more than thirty-two bytes");
        self.write("keys.json", r#"{"keys":[{"kty":"oct","alg":"HS256","k":"YSBzZWNyZXQgb2YgbW9yZSB0aGFuIHRoaXJ0eS10d28gYnl0ZXM"}]}"#);
        self.write("feature.json", r#"{"type":"Feature","id":"tram-14","geometry":{"type":"Point","coordinates":[8.54,47.38]},"properties":{}}"#);
        let bin = self.folder.path().join("bin");
        fs::create_dir(&bin).expect("the folder is ours");
        for entry in
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(PROGRAMS)).expect("they are there")
        {
            let path = entry.expect("it can be read").path();
            symlink(&path, bin.join(path.file_stem().expect("it has a name"))).expect("the folder is ours");
        }
        for name in ["benches", "clients", "crates", "deploy", "examples"] {
            symlink(root().join(name), self.folder.path().join(name)).expect("the folder is ours");
        }
    }

    /// The same for this stage, and not for the machine.
    fn here(&self, text: &str) -> String {
        let socket = self.folder.path().join("geocast.sock");
        let text = text
            .replace("target/release/geocast", "geocast")
            .replace("/run/geocast/geocast.sock", &socket.display().to_string())
            .replace("/run/geocast.sock", &socket.display().to_string())
            .replace("redis://localhost:", "redis://127.0.0.1:")
            .replace("redis://localhost", "redis://127.0.0.1:6379")
            .replace("--host 0.0.0.0", "--host 127.0.0.1");
        numbers(&text)
            .map(|(part, number)| {
                number.and_then(|port| self.ports.get(&port)).map_or_else(|| part.to_owned(), u16::to_string)
            })
            .collect()
    }
}

/// A shell with all that it started.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        // It may be empty by now.
        let _ended = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _status = self.0.wait();
    }
}

/// The numbers of a line that are ports by what stands before them.
fn written_ports(line: &str) -> Vec<u16> {
    let mut before = String::new();
    let mut ports = Vec::new();
    for (part, number) in numbers(line) {
        let is_port = BEFORE_PORTS.iter().any(|words| before.ends_with(words));
        ports.extend(number.filter(|number| is_port && *number > 1024));
        before.push_str(part);
    }
    ports
}

/// A text in parts, those with digits alone as numbers too.
fn numbers(text: &str) -> impl Iterator<Item = (&str, Option<u16>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let same = |c: char| c.is_ascii_digit() == first.is_ascii_digit();
        let (part, more) = rest.split_at(rest.find(|c| !same(c)).unwrap_or(rest.len()));
        rest = more;
        Some((part, part.parse().ok()))
    })
}

/// One for which there is the port of a cluster's bus as well, 10000 further; below those that systems give out by themselves.
pub(crate) fn free_port() -> (u16, TcpListener) {
    loop {
        let port = fastrand::u16(10_240..22_000);
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return (port, listener);
        }
    }
}

const BEFORE_PORTS: [&str; 7] =
    ["localhost:", "127.0.0.1:", "0.0.0.0:", "port ", "-p ", "\"port\": \"", "port = "];
/// Stand-ins for programs that go on: what a second terminal is for.
const PROGRAMS: &str = "tests/docs/programs";
/// Far longer than any page takes, beside whatever other work.
const LONGEST: Duration = Duration::from_secs(600);

#[test]
fn ports_are_found_by_what_stands_before_them() {
    for (line, ports) in [
        ("geocast serve --port 8766 --messages 1000", vec![8766]),
        ("curl http://127.0.0.1:8766/x http://localhost:8001 10.0.0.0", vec![8766, 8001]),
        ("--port 0 --tls-port 6391", vec![6391]),
        ("redis-cli -p 6390 12345", vec![6390]),
    ] {
        assert_eq!(written_ports(line), ports, "{line}");
    }
    assert_eq!(numbers("a12b").collect::<Vec<_>>(), [("a", None), ("12", Some(12)), ("b", None)]);
}
