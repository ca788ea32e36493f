use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The binary, with nothing of the tester's own environment and terminal.
pub(crate) fn geocast(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_geocast"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("GEOCAST_") || name == "COLUMNS" || name == "RUST_BACKTRACE" {
            command.env_remove(name);
        }
    }
    if matches!(arguments.first(), Some(&"serve" | &"demo")) {
        // As on a terminal.
        command.env("GEOCAST_LOG_FORMAT", "human");
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    ended(geocast(arguments).spawn().expect("the binary was built"))
}

/// Runs a command with something on its standard input.
pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = geocast(arguments).stdin(Stdio::piped()).spawn().expect("the binary was built");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input).expect("the binary reads it");
    drop(stdin);
    ended(child)
}

/// What it has said when it has ended. One that goes on is killed, as a test that waits for ever names nothing.
fn ended(child: Child) -> Output {
    let id = child.id().to_string();
    let (done, is_done) = sync_channel::<()>(0);
    let guard = thread::spawn(move || {
        if is_done.recv_timeout(LONGEST_RUN) == Err(RecvTimeoutError::Timeout) {
            Command::new("kill").args(["-KILL", &id]).status().expect("it can be killed");
        }
    });
    let output = child.wait_with_output().expect("it is our child");
    drop(done);
    guard.join().expect("it only waits");
    output
}

/// What can be typed behind `geocast`: nothing, and each command with those in it, read off what `-h` lists.
pub(crate) fn commands() -> Vec<Vec<String>> {
    fn within(path: Vec<String>) -> Vec<Vec<String>> {
        let words: Vec<&str> = path.iter().map(String::as_str).chain(["-h"]).collect();
        let help = stdout(&run(&words));
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let listed = listed.take_while(|line| !line.is_empty());
        let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        let inner: Vec<_> = names.flat_map(|name| within([&path[..], &[name.to_owned()]].concat())).collect();
        [vec![path], inner].concat()
    }
    let commands = within(Vec::new());
    assert!(commands.len() > 25, "{commands:?}");
    commands
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

/// A command that runs while the test goes on; it is killed with the value.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
    /// Takes what it says on standard error.
    listener: JoinHandle<()>,
    lines: Receiver<String>,
}

impl Running {
    /// Starts it; what it prints on standard output is taken line by line.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary was built");
        let said = Arc::new(Mutex::new(String::new()));
        let (printed, lines) = sync_channel(100_000);
        let (out, err) =
            (child.stdout.take().expect("it is piped"), child.stderr.take().expect("it is piped"));
        let heard = Arc::clone(&said);
        let listener = thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                heard.lock().expect("nobody panics with it").push_str(&(line + "\n"));
            }
        });
        thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            lines.map(|line| printed.send(line)).take_while(Result::is_ok).for_each(drop);
        });
        Self { child, said, listener, lines }
    }

    /// Starts a server on a free port and waits until it listens.
    pub(crate) fn server(arguments: &[&str]) -> Self {
        let server = Self::start(geocast(arguments));
        server.wait_for("listens on");
        server
    }

    /// Where the server listens, read off what it says.
    pub(crate) fn address(&self) -> SocketAddr {
        let said = self.said();
        let rest = said.split("listens on ").nth(1).expect("the server said so");
        rest.lines().next().and_then(|line| line.parse().ok()).expect("an address follows")
    }

    /// What clients are given as `--url`.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws", self.address())
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// All of its standard error so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("nobody panics with it").clone()
    }

    /// Waits until it has said something.
    pub(crate) fn wait_for(&self, text: &str) {
        wait_until(
            || self.said().contains(text),
            || format!("it never said {text:?}, but {:?}", self.said()),
        );
    }

    /// The next line of its standard output, unless it is too late in coming.
    pub(crate) fn line(&self) -> String {
        self.lines
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("no line came for {PATIENCE:?}; it said {:?}", self.said()))
    }

    /// A line that is there already.
    pub(crate) fn ready_line(&self) -> Option<String> {
        self.lines.try_recv().ok()
    }

    /// Sends a signal such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()
            .expect("there is a program kill");
        assert!(status.success());
    }

    /// Waits for the end, however it comes.
    pub(crate) fn wait(&mut self) {
        self.child.wait().expect("it is our child");
    }

    /// Waits for the end, and for all that it said.
    pub(crate) fn code(&mut self) -> i32 {
        let mut code = None;
        wait_until(
            || {
                code = self.child.try_wait().expect("it is our child");
                code.is_some()
            },
            || "it does not end".to_owned(),
        );
        wait_until(|| self.listener.is_finished(), || "somebody else has its standard error".to_owned());
        code.expect("it has ended").code().expect("no signal ended it")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A client that has its greeting.
pub(crate) fn greeted(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("there is a timeout");
    let request = "GET /ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("the server reads");
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"\"open\"") {
        stream.read_exact(&mut byte).expect("the server greets");
        seen.extend(byte);
    }
    stream
}

/// The status with which a WebSocket is given or refused.
pub(crate) fn asked(address: SocketAddr) -> (TcpStream, u16) {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let request = "GET /ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("the server answers");
    let status = std::str::from_utf8(&answer[9..]).expect("a status");
    (stream, status.parse().expect("a status"))
}

/// Waits until something is so.
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool, otherwise: impl FnOnce() -> String) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "after {PATIENCE:?}: {}", otherwise());
        thread::park_timeout(Duration::from_millis(10));
    }
}

/// The longest a test waits for what must come, on a machine that may be many times slower than ours and have much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Far longer than any command takes here, beside whatever other work.
const LONGEST_RUN: Duration = Duration::from_secs(300);
