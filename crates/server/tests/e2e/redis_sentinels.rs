use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::redis_server::{RedisServer, START, free_port};

/// A master, a replica and three sentinels that watch them, which end with the value.
pub(crate) struct RedisSentinels {
    /// The master at the start, and the replica.
    pub(crate) servers: [RedisServer; 2],
    pub(crate) sentinels: Vec<Sentinel>,
}

/// One sentinel, on a port of its own.
pub(crate) struct Sentinel {
    port: u16,
    child: Option<Child>,
    /// Where its configuration stands, which it rewrites.
    folder: TempDir,
}

impl RedisSentinels {
    /// Starts them, and waits until each sentinel knows of the others and of the replica. A master that is silent for a
    /// second is replaced.
    ///
    /// `options` are those of the servers, `lines` stand in the configuration of the sentinels.
    pub(crate) fn start(options: &[&str], lines: &[&str]) -> Self {
        // On a busy machine the master may be silent for a second, and replaced before anybody has begun.
        let mut known = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(options, lines) {
                Ok(all) => return all,
                Err(other) => known = other,
            }
        }
        panic!("{known}");
    }

    /// The same, unless they do not come to know each other; then what the first sentinel knows.
    fn try_start(options: &[&str], lines: &[&str]) -> Result<Self, String> {
        // A replica begins at once, and not with those that may come within five seconds.
        let options = &[options, &["--repl-diskless-sync-delay", "0"]].concat();
        let master = RedisServer::start(options);
        let port = master.port().to_string();
        let replica = RedisServer::start(&[&options[..], &["--replicaof", "127.0.0.1", &port]].concat());
        let sentinels = (0..3).map(|_| Sentinel::start(master.port(), lines)).collect();
        let all = Self { servers: [master, replica], sentinels };
        all.wait_until_known().map(|()| all)
    }

    /// `redis+sentinel://…/map`.
    pub(crate) fn url(&self) -> String {
        let hosts = self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port));
        format!("redis+sentinel://{}/map", hosts.collect::<Vec<_>>().join(","))
    }

    /// Runs `redis-cli` with the first sentinel.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        self.sentinels[0].cli(arguments)
    }

    /// Which of the servers the sentinels take for the master.
    pub(crate) fn master(&self) -> usize {
        let named = self.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "map"]);
        let port: u16 = named.lines().nth(1).and_then(|port| port.parse().ok()).expect("a port");
        self.servers.iter().position(|server| server.port() == port).expect("one of ours")
    }

    /// Whether the replica has what the master has. The test may have protected it with a password: then only sentinels know.
    fn is_replicated(&self) -> bool {
        let info = self.servers[1].cli(&["INFO", "replication"]);
        info.contains("NOAUTH") || info.contains("master_link_status:up")
    }

    fn wait_until_known(&self) -> Result<(), String> {
        let is_known = |sentinel: &Sentinel| {
            let known = sentinel.cli(&["SENTINEL", "MASTER", "map"]);
            let lines: Vec<&str> = known.lines().collect();
            let value = |name| lines.windows(2).find(|pair| pair[0] == name).map(|pair| pair[1]);
            value("num-slaves") == Some("1")
                && value("num-other-sentinels") == Some("2")
                && value("flags") == Some("master")
        };
        let deadline = Instant::now() + START;
        while !self.sentinels.iter().all(is_known) || !self.is_replicated() {
            if Instant::now() > deadline {
                return Err(self.ask(&["SENTINEL", "MASTER", "map"]));
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// How often sentinels are started until they know each other.
const ATTEMPTS: usize = 3;

impl Sentinel {
    fn start(master: u16, lines: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let mut sentinel = Self { port: free_port(), child: None, folder };
        let mut text = format!(
            "port {port}\nbind 127.0.0.1\ndir {folder}\nunixsocket {socket}\nsentinel monitor map 127.0.0.1 {master} 2\n\
             sentinel down-after-milliseconds map 1000\nsentinel failover-timeout map 4000\n",
            port = sentinel.port,
            folder = sentinel.folder.path().display(),
            socket = sentinel.socket().display(),
        );
        for line in lines {
            text.push_str(&line.replace("{port}", &sentinel.port.to_string()));
            text.push('\n');
        }
        fs::write(sentinel.configuration(), text).expect("the folder is ours");
        sentinel.run();
        sentinel
    }

    /// Starts it, again.
    pub(crate) fn run(&mut self) {
        let child = Command::new("redis-server")
            .arg(self.configuration())
            .arg("--sentinel")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("redis-server is installed"));
    }

    /// Sends SIGKILL, and waits for the end.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().and_then(|()| child.wait()).expect("it is our child");
        }
    }

    fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli").arg("-s").arg(self.socket()).args(arguments).output();
        String::from_utf8_lossy(&output.expect("redis-cli is installed").stdout).trim_end().to_owned()
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("sentinel.conf")
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("sentinel.sock")
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.kill();
    }
}
