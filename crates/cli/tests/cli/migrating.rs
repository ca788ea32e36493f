//! What docs/migrating.md tells people to type is typed here, in its order, and what it shows happens.
//!
//! | Block | Means |
//! |---|---|
//! | `sh`, a line that begins with `geocast serve` | the server that is running is stopped, this one is started |
//! | `sh`, another line | is run to its end, without failing |
//! | `json` or `rhai` whose first line is a comment with a file's name | that file |
//! | `transcript` | is replayed on the server that runs; `$ line` is run, `\| text` is what it printed |
//!
//! The server gets a free port on 127.0.0.1 instead of the one that is written, and Redis is the test's own.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::{net::TcpStream, process::Command, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    geocast::{PATIENCE, Running, geocast},
    redis_server::RedisServer,
    transcript::{Line, OPENING, Transcript, matches},
};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Where the commands of the page are run.
struct Stage {
    folder: tempfile::TempDir,
    redis: RedisServer,
    server: Option<Server>,
    /// How long the server took to start, which tells how slow the machine is at this time.
    pace: Duration,
    /// How many servers were started, and transcripts replayed.
    done: (u32, u32),
}

/// A server that a line of the page has started.
struct Server {
    /// Where the page believes it to be.
    written: String,
    running: Running,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        fs::write(folder.path().join("cert.pem"), made.cert.pem()).expect("a file");
        fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).expect("a file");
        Self { folder, redis: RedisServer::start(&[]), server: None, pace: Duration::ZERO, done: (0, 0) }
    }

    async fn block(&mut self, info: &str, lines: &[&str]) {
        let name = lines.first().and_then(|line| line.split_once(' ').map(|(_, name)| name));
        match (info, name) {
            ("sh", _) => {
                for line in lines.iter().filter(|line| !line.starts_with('#')) {
                    if line.starts_with("geocast serve") {
                        self.serve(line).await;
                    } else {
                        self.run(line).await;
                    }
                }
            }
            ("json" | "rhai", Some(name)) => {
                fs::write(self.folder.path().join(name), lines.join("\n")).expect("a file");
            }
            _ => {}
        }
    }

    async fn serve(&mut self, line: &str) {
        // The old one ends before a new one takes its unix socket.
        self.server = None;
        let mut words: Vec<String> = words(line).collect();
        let written = self.written_port(&words);
        match words.iter().position(|word| ["--port", "-p"].contains(&word.as_str())) {
            Some(place) => words[place + 1] = "0".to_owned(),
            None if words.iter().any(|word| word == "--usock") => {}
            None => words.extend(["--port", "0"].map(str::to_owned)),
        }
        let words: Vec<String> = words.iter().map(|word| self.here(word)).collect();
        let arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        let mut command = geocast(&arguments);
        command.current_dir(self.folder.path());
        let begun = Instant::now();
        let running = Running::start(command);
        running.wait_for("listens on");
        self.pace = begun.elapsed();
        self.server = Some(Server { written, running });
        self.done.0 += 1;
        self.settle().await;
    }

    /// The same for the test's own Redis, and not for everybody.
    fn here(&self, text: &str) -> String {
        let url = self.redis.url();
        let text = text.replace("redis://localhost:6379", &url).replace("redis://localhost", &url);
        let port = url.rsplit(':').next().expect("a port");
        text.replace("redis-cli ", &format!("redis-cli -p {port} ")).replace("0.0.0.0", "127.0.0.1")
    }

    /// The port that a line, or the file that it names, asks for.
    fn written_port(&self, words: &[String]) -> String {
        let behind = |options: [&str; 2]| {
            let place = words.iter().position(|word| options.contains(&word.as_str()));
            place.map(|place| words[place + 1].clone())
        };
        if let Some(port) = behind(["--port", "-p"]) {
            return port;
        }
        let file = behind(["--config", "-c"]).map(|name| fs::read_to_string(self.folder.path().join(name)));
        let file = file.map(|text| text.expect("the page shows the file"));
        let of_file = file.as_deref().and_then(|text| text.split("\"port\": \"").nth(1)?.split('"').next());
        let default = if words.iter().any(|word| word == "-f") { "9000" } else { "8765" };
        of_file.unwrap_or(default).to_owned()
    }

    /// What has been asked for is in force: nobody says so in these dialects, but it takes less than to start a server.
    async fn settle(&self) {
        tokio::time::sleep(self.pace.max(Duration::from_millis(300))).await;
    }

    /// Runs a line and returns what it prints.
    async fn run(&self, line: &str) -> String {
        let mut line = self.here(line);
        if let Some(Server { written, running }) =
            self.server.as_ref().filter(|_| line.contains("localhost:"))
        {
            line = line.replace(&format!("localhost:{written}"), &running.address().to_string());
        }
        assert!(!line.contains("localhost:"), "{line}: another port");
        let mut command = Command::new("sh");
        let binaries = Path::new(env!("CARGO_BIN_EXE_geocast")).parent().expect("a folder").to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([binaries].into_iter().chain(std::env::split_paths(&path)));
        command.args(["-ec", &line]).current_dir(self.folder.path()).kill_on_drop(true);
        command.env("PATH", path.expect("no colon in it"));
        let output = timeout(PATIENCE, command.output()).await.expect("it ends").expect("there is a shell");
        let (said, complaints) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{line}: {said}{complaints}");
        said.trim_end().to_owned()
    }

    async fn replay(&mut self, transcript: &Transcript<'_>) {
        let address = self.server.as_ref().expect("a server was started").running.address();
        let mut clients = BTreeMap::new();
        for name in transcript.clients() {
            clients.insert(name, connect(address, transcript.path).await);
        }
        let (mut spoke, mut printed) = (None, Vec::new());
        for line in &transcript.lines {
            match line {
                Line::Sent { client, text } => {
                    if spoke.replace(Some(*client)) != Some(Some(*client)) {
                        self.settle().await;
                    }
                    let client = clients.get_mut(client).expect("all are connected");
                    client.send(Message::text(*text)).await.expect("the connection is open");
                }
                Line::Received { client, pattern } => {
                    let text = next(clients.get_mut(client).expect("all are connected"), pattern).await;
                    assert!(matches(pattern, &text), "{}:\n{pattern}\n{text}", transcript.path);
                }
                Line::Other(line) => {
                    if let Some(command) = line.strip_prefix("$ ") {
                        assert!(printed.is_empty(), "{command}: before it {printed:?} was printed as well");
                        if spoke.replace(None) != Some(None) {
                            self.settle().await;
                        }
                        printed = self.run(command).await.lines().rev().map(str::to_owned).collect();
                    } else if let Some(pattern) = line.strip_prefix("| ") {
                        let text = printed.pop().unwrap_or_default();
                        assert!(matches(pattern, &text), "{pattern}\n{text}");
                    } else {
                        panic!("{line:?} is no line of a transcript");
                    }
                }
            }
        }
        assert!(printed.is_empty(), "{printed:?} was printed as well");
        self.settle().await;
        for (name, mut client) in clients {
            let mut came = client.next().now_or_never();
            // Where the transcript took long, whether it is still there was asked as well.
            while let Some(Some(Ok(Message::Ping(_)))) = came {
                came = client.next().now_or_never();
            }
            assert!(came.is_none(), "{name}: nothing was to come behind it: {came:?}");
        }
        self.done.1 += 1;
    }
}

async fn connect(address: SocketAddr, path: &str) -> Client {
    let (client, _) = connect_async(format!("ws://{address}{path}")).await.expect("it takes connections");
    client
}

async fn next(client: &mut Client, pattern: &str) -> String {
    loop {
        let message = timeout(PATIENCE, client.next()).await;
        match message.unwrap_or_else(|_| panic!("{pattern} does not come")) {
            Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("{pattern}: {other:?}"),
        }
    }
}

/// The words of a line, as a shell splits them: with single quotes, without anything else of a shell.
fn words(line: &str) -> impl Iterator<Item = String> {
    let quoted = line.split('\'').enumerate();
    let words = quoted.flat_map(|(place, part)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
        _ => vec![part.to_owned()],
    });
    words.collect::<Vec<_>>().into_iter()
}

#[test]
fn the_page_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/migrating.md");
    let page = fs::read_to_string(path).expect("the page is in the tree");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let done = runtime.block_on(async {
        let mut stage = Stage::new();
        let mut lines = page.lines();
        while let Some(line) = lines.next() {
            let Some(info) = line.strip_prefix("```") else { continue };
            let block = lines.by_ref().take_while(|line| *line != "```");
            match line.strip_prefix(OPENING) {
                Some(info) => stage.replay(&Transcript::read(info, block)).await,
                None => stage.block(info, &block.collect::<Vec<_>>()).await,
            }
        }
        stage.done
    });
    assert!(done.0 >= 14 && done.1 >= 9, "{} servers, {} transcripts", done.0, done.1);
}
