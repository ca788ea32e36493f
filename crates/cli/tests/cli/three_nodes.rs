//! `deploy/three-nodes`: what it shows, with nodes that are killed and stopped.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, process::Command, sync::mpsc, time::sleep};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::{
    geocast::{Running, geocast},
    redis_server::free_port,
};

/// The script as it runs; it is asked to end with the value, and ends all that it has started.
struct Nodes {
    script: Running,
    port: u16,
    /// The processes of the servers.
    nodes: Vec<u32>,
    redis: PathBuf,
    /// The token of the operator, whom nodes tell how many clients they have.
    _operator: tempfile::NamedTempFile,
}

impl Nodes {
    /// Starts it; on another port, if somebody has taken that one meanwhile.
    fn start() -> Self {
        (0..5).find_map(|_| Self::try_start()).expect("one of five ports stays free")
    }

    fn try_start() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/three-nodes");
        let port = free_port();
        let mut operator = tempfile::NamedTempFile::new().expect("a file");
        operator.write_all(b"sesame").expect("it can be written");
        let mut command = std::process::Command::new(folder.join("run"));
        command
            .args(["--publish-key", "key", "--drain-timeout", "5s", "--operator-token-file"])
            .arg(operator.path())
            .env("PORT", port.to_string())
            .env("GEOCAST", geocast(&[]).get_program())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut nodes = Self {
            script: Running::start(command),
            port,
            nodes: Vec::new(),
            redis: PathBuf::new(),
            _operator: operator,
        };
        let begin = Instant::now();
        loop {
            let Some(line) = nodes.script.ready_line() else {
                if nodes.script.said().contains("something has ended") {
                    return None;
                }
                assert!(begin.elapsed() < PATIENCE, "it does not start: {}", nodes.script.said());
                std::thread::park_timeout(Duration::from_millis(50));
                continue;
            };
            if let Some((_, process)) = line.split_once("is process ") {
                nodes.nodes.push(process.parse().expect("a number"));
            } else if let Some(path) = line.strip_prefix("redis listens on ") {
                nodes.redis = path.into();
            } else if line.contains("listens on ws://") {
                return Some(nodes);
            }
        }
    }

    async fn signal(&self, node: usize, name: &str) {
        let process = self.nodes[node].to_string();
        run("kill", &[&format!("-{name}"), &process]).await;
    }

    /// How many clients a node has, once these nodes have all of them.
    async fn clients_of(&self, node: usize, nodes: &[usize]) -> usize {
        let begin = Instant::now();
        loop {
            let mut counts = Vec::new();
            for node in nodes {
                let socket = self.redis.with_file_name(format!("node-{}.sock", node + 1));
                let socket = socket.to_str().expect("it is text");
                let token = "Authorization: Bearer sesame";
                let ready = ["-s", "--unix-socket", socket, "--header", token, "http://node/ready"];
                let said = run("curl", &ready).await;
                let said: Value = serde_json::from_str(&said).unwrap_or_default();
                counts.push((*node, said["connections"].as_u64().unwrap_or_default() as usize));
            }
            if counts.iter().map(|(_, count)| count).sum::<usize>() == CLIENTS {
                return counts.iter().find(|(other, _)| *other == node).expect("one of them").1;
            }
            assert!(begin.elapsed() < PATIENCE, "{counts:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the balancer gives a node nobody any more.
    async fn is_taken_out(&self, node: usize) {
        let begin = Instant::now();
        let said = |log: &str| {
            let word = format!("Server nodes/node-{} is ", node + 1);
            log.rsplit_once(&word).is_some_and(|(_, last)| last.starts_with("DOWN"))
        };
        let log = self.redis.with_file_name("haproxy.log");
        while !said(&std::fs::read_to_string(&log).expect("it is there")) {
            assert!(begin.elapsed() < PATIENCE, "the balancer still has node {}", node + 1);
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.script.signal("TERM");
        self.script.wait();
    }
}

async fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().await.expect("it is installed");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A connection through the balancer.
struct Line(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Line {
    async fn open(port: u16) -> Result<Self, Error> {
        let mut request = format!("ws://127.0.0.1:{port}/rpc").into_client_request()?;
        request.headers_mut().insert("authorization", "Bearer key".parse().expect("a value"));
        connect_async(request).await.map(|(socket, _)| Self(socket))
    }

    async fn say(&mut self, method: &str, params: Value) -> Result<(), Error> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.0.send(Message::text(request.to_string())).await
    }

    async fn hear(&mut self) -> Result<Value, Error> {
        loop {
            match self.0.next().await.ok_or(Error::ConnectionClosed)?? {
                Message::Text(text) => return Ok(serde_json::from_str(text.as_str()).expect("it is JSON")),
                Message::Close(_) => return Err(Error::ConnectionClosed),
                _ => {}
            }
        }
    }

    /// The result of a call, when nothing else comes.
    async fn call(&mut self, method: &str, params: Value) -> Result<Value, Error> {
        self.say(method, params).await?;
        let mut reply = self.hear().await?;
        assert!(reply["error"].is_null(), "{reply}");
        Ok(reply["result"].take())
    }
}

/// Follows a channel wherever that is possible, up to the message that is the last. Returns all numbers that came, and how
/// often it was connected.
async fn follow(port: u16, subscribed: mpsc::Sender<()>) -> (Vec<u64>, usize) {
    let (mut numbers, mut connections) = (Vec::new(), 0);
    let (mut since, mut epoch) = (Value::Null, Value::Null);
    let mut last = (0, 0);
    loop {
        let Ok(mut line) = Line::open(port).await else {
            sleep(Duration::from_millis(200)).await;
            continue;
        };
        connections += 1;
        let params = json!({ "channel": "vehicles", "since": since, "epoch": epoch });
        if line.say("subscribe", params).await.is_err() {
            continue;
        }
        while let Ok(frame) = line.hear().await {
            let told = &frame["result"];
            if told.is_object() {
                // Who comes back has missed nothing.
                assert_ne!(told["recovered"], false, "{frame}");
                epoch = told["epoch"].clone();
                if since.is_null() {
                    since = told["offset"].clone();
                    subscribed.send(()).await.expect("the test goes on");
                }
            } else if frame["method"] == "message" {
                let offset = &frame["params"]["offset"];
                let entry = entry(offset);
                assert!(entry > last, "{entry:?} comes behind {last:?}");
                (last, since) = (entry, offset.clone());
                numbers.push(frame["params"]["content"].as_u64().expect("a number"));
                if numbers.last() == Some(&LAST) {
                    return (numbers, connections);
                }
            } else if frame["error"]["code"] == -32003 {
                // It could not be subscribed in time, and tries again.
                break;
            } else {
                assert_eq!(frame["method"], "gap", "{frame}");
            }
        }
    }
}

/// The id of an entry of a stream.
fn entry(offset: &Value) -> (u64, u64) {
    let (time, number) = offset.as_str().and_then(|offset| offset.split_once('-')).expect("an id");
    (time.parse().expect("a number"), number.parse().expect("a number"))
}

/// Publishes a number, on one way after the other, until it is known to be published.
async fn publish(nodes: &Nodes, number: u64) {
    let (begin, port, text) = (Instant::now(), nodes.port, number.to_string());
    loop {
        let done = match number % 3 {
            0 => {
                let url = format!("http://127.0.0.1:{port}/api/publish/vehicles");
                let (key, form) = ("Authorization: Bearer key", "%{http_code}");
                run("curl", &["-s", "-o", "/dev/null", "-w", form, "-H", key, "-d", &text, &url]).await
                    == "200"
            }
            1 => {
                let redis = nodes.redis.to_str().expect("it is text");
                let add = ["-s", redis, "XADD", "geocast:history:vehicles", "*", "payload", &text];
                run("redis-cli", &add).await.contains('-')
            }
            _ => match Line::open(port).await {
                Ok(mut line) => line.call("publish", json!(["vehicles", number])).await.is_ok(),
                Err(_) => false,
            },
        };
        if done {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "{number} could not be published");
        sleep(Duration::from_millis(100)).await;
    }
}

/// How many clients there are on the channel, as whichever node says.
async fn present(port: u16) -> Option<u64> {
    let roll = Line::open(port).await.ok()?.call("presence", json!(["vehicles"])).await.ok()?;
    (roll["stale"] == false).then(|| roll["clients"].as_u64()).flatten()
}

async fn all_are_present(port: u16) {
    let begin = Instant::now();
    loop {
        let clients = present(port).await;
        if clients == Some(CLIENTS as u64) {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "there are {clients:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn clients_behind_a_balancer_miss_nothing_when_nodes_end() {
    let nodes = Nodes::start();
    let (subscribed, mut is_subscribed) = mpsc::channel(CLIENTS);
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(follow(nodes.port, subscribed.clone()))).collect();
    for _ in 0..CLIENTS {
        is_subscribed.recv().await.expect("they are all there");
    }
    all_are_present(nodes.port).await;
    let mut sent_away = 0;
    for number in 0..LAST {
        match number {
            30 => {
                sent_away += nodes.clients_of(0, &[0, 1, 2]).await;
                nodes.signal(0, "KILL").await;
            }
            60 => {
                sent_away += nodes.clients_of(1, &[1, 2]).await;
                nodes.is_taken_out(0).await;
                nodes.signal(1, "TERM").await;
            }
            _ => {}
        }
        publish(&nodes, number).await;
    }
    // It gets no clients any more, by what is asked of /ready.
    nodes.is_taken_out(1).await;
    // It has those that it had until the balancer has had time to notice.
    nodes.clients_of(2, &[2]).await;
    all_are_present(nodes.port).await;
    publish(&nodes, LAST).await;
    let mut connections = 0;
    for client in clients {
        let (numbers, count) = client.await.expect("it has not failed");
        connections += count;
        let missing: Vec<u64> = (0..=LAST).filter(|number| !numbers.contains(number)).collect();
        assert!(missing.is_empty(), "{missing:?} are missing in {numbers:?}");
    }
    assert!(sent_away > 0, "nobody had to come back");
    assert!(connections >= CLIENTS + sent_away, "{connections} connections, {sent_away} sent away");
}

const CLIENTS: usize = 200;

/// The last number that is published.
const LAST: u64 = 90;

const PATIENCE: Duration = Duration::from_secs(60);
