use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A `redis-server` of the test's own, on a port of its own, which ends with the value.
#[derive(Debug)]
pub(crate) struct RedisServer {
    port: u16,
    options: Vec<String>,
    folder: TempDir,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one, with further command line `options`, in which `{port}` is its port, and waits until it listens.
    ///
    /// # Panics
    ///
    /// There is no program `redis-server`: a test that needs it fails, it is never skipped.
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut server = Self {
            port: free_port(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            folder: tempfile::tempdir().expect("there is a folder for temporary files"),
            child: None,
        };
        // Another program may take the port between its choice and its use.
        for _ in 0..5 {
            if server.try_start() {
                return server;
            }
            server.port = free_port();
        }
        panic!("redis-server does not start; its log: {}", server.log());
    }

    /// A port on which nothing listens yet, and the server that will: for Redis that is away at the start.
    pub(crate) fn prepare(options: &[&str]) -> Self {
        let mut server = Self::start(options);
        server.kill();
        server
    }

    /// Where it listens on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The path of the Unix socket on which it listens as well.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// A plain connection, for what `redis-cli` is too slow for.
    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("redis-server listens")
    }

    /// Sends SIGKILL, as an out-of-memory killer does, and waits for the end.
    pub(crate) fn kill(&mut self) {
        if let Some(child) = self.child.take() {
            end(child);
        }
    }

    /// Starts it again on the same port, with nothing in it, and returns once it listens.
    pub(crate) fn restart(&mut self) {
        self.kill();
        assert!(self.try_start(), "redis-server does not come back; its log: {}", self.log());
    }

    /// Stops the process where it is: connections stay open, nothing is answered.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets a frozen process go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Runs `redis-cli` with `arguments` and returns what it prints, without the last line end.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.arg("-s").arg(self.socket()).args(arguments);
        let output =
            command.output().unwrap_or_else(|error| panic!("redis-cli: {error} (`make setup` installs it)"));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Waits until a replica has all that has been written. `WAIT` waits for what was there at the command before it, of its own
    /// connection: the first one is that command.
    pub(crate) fn wait_for_replica(&self) {
        let replicas = self.cli(&["-r", "2", "WAIT", "1", "60000"]);
        assert!(replicas.ends_with('1'), "no replica has it: {replicas}");
    }

    fn try_start(&mut self) -> bool {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("the folder is ours");
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .arg("--unixsocket")
            .arg(self.socket())
            .args(self.options.iter().map(|option| option.replace("{port}", &self.port.to_string())))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                panic!(
                    "the program redis-server is not installed: this test needs it, and `make test` installs it"
                );
            }
            Err(error) => panic!("redis-server cannot be started: {error}"),
        };
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            if child.try_wait().expect("it is our child").is_some() {
                return false;
            }
            // The socket is made after the port, and cannot be that of another test's server.
            if UnixStream::connect(self.socket()).is_ok() {
                self.child = Some(child);
                return true;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        end(child);
        false
    }

    fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("the server runs");
        let status = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .expect("there is a program kill");
        assert!(status.success(), "kill {signal}: {status}");
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends SIGKILL, which also ends a process that is stopped.
fn end(mut child: Child) {
    child.kill().and_then(|()| child.wait()).expect("it is our child");
}

/// A port below the range from which the kernel takes those of outgoing connections, so that it stays free while the
/// server is away.
pub(crate) fn free_port() -> u16 {
    let ports = std::iter::repeat_with(|| fastrand::u16(20_000..32_000));
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.take(1000).find(is_free).expect("one of a thousand ports is free")
}

/// How long it may take until one listens. The other tests' servers start at the same time, on a machine that may be slow.
pub(crate) const START: Duration = Duration::from_secs(60);
