use std::{collections::VecDeque, net::SocketAddr, path::Path, process::Stdio};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{server::TestServer, waiting::must};

/// Clients of the npm package `ws` in a Node process, by remote control. `deflate.mjs` describes reports.
#[derive(Debug)]
pub(super) struct Deflating {
    _node: Child,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// Of each client, what it was sent and is not taken yet.
    received: Vec<VecDeque<Value>>,
    agreed: Vec<String>,
}

impl Deflating {
    /// Starts so many, and takes the first envelope of each.
    ///
    /// # Panics
    ///
    /// Node or the package is not installed: a test that needs them fails, it is never skipped.
    pub(super) async fn start(address: SocketAddr, number: usize) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/mobility-toolbox");
        assert!(
            folder.join("node_modules/ws/package.json").is_file(),
            "the npm packages of {} are not installed: this test needs them, and `make setup-test` installs them",
            folder.display()
        );
        let mut command = Command::new("node");
        command.args(["deflate.mjs", &format!("ws://{address}/ws"), &number.to_string()]);
        command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut node = command.spawn().expect("this test needs node, and `make setup-test` installs it");
        let commands = node.stdin.take().expect("it is piped");
        let lines = BufReader::new(node.stdout.take().expect("it is piped")).lines();
        let received = vec![VecDeque::new(); number];
        let mut clients = Self { _node: node, commands, lines, received, agreed: Vec::new() };
        for open in clients.next_of_each().await {
            assert!(open["text"].as_str().is_some_and(|text| text.contains(r#""status":"open""#)), "{open}");
        }
        clients
    }

    /// What was agreed upon with each.
    pub(super) fn agreed(&self) -> &[String] {
        assert_eq!(self.agreed.len(), self.received.len());
        &self.agreed
    }

    /// Each client sends this, compressed.
    pub(super) async fn send(&mut self, command: &str) {
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await.expect("the program takes commands");
    }

    /// The next report of a message to each client.
    pub(super) async fn next_of_each(&mut self) -> Vec<Value> {
        let mut reports = Vec::new();
        for client in 0..self.received.len() {
            reports.push(self.next(client).await);
        }
        reports
    }

    /// The content of a client's next envelope.
    pub(super) async fn next_content(&mut self, client: usize) -> Value {
        let report = self.next(client).await;
        let text = report["text"].as_str().expect("a text");
        serde_json::from_str::<Value>(text).expect("JSON")["content"].take()
    }

    /// Subscribes all, and takes what it needs to be certain of it.
    pub(super) async fn subscribed(&mut self, server: &TestServer, channel: &str) {
        self.send(&format!("SUB {channel}")).await;
        // A command is answered when the subscription before it is in force.
        self.send("PING client_ref=subscribed").await;
        self.next_of_each().await;
        server.publish(channel, "\"that is all\"").await;
        for client in 0..self.received.len() {
            while self.next_content(client).await != "that is all" {}
        }
    }

    async fn next(&mut self, client: usize) -> Value {
        loop {
            if let Some(report) = self.received[client].pop_front() {
                return report;
            }
            let line = must("a report of the browser client", self.lines.next_line()).await;
            let line = line.expect("the program's output can be read").expect("the program runs");
            let report: Value = serde_json::from_str(&line).expect("reports are JSON");
            let from =
                report["client"].as_u64().and_then(|from| usize::try_from(from).ok()).expect("a number");
            if report.get("text").is_some() {
                self.received[from].push_back(report);
            } else if let Some(agreed) = report["agreed"].as_str() {
                self.agreed.push(agreed.to_owned());
            } else {
                panic!("{report}");
            }
        }
    }
}
