use std::{
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::waiting::{PATIENCE, must};

/// The browser client in a Node process of its own, by remote control. `client.mjs` describes steps and reports.
#[derive(Debug)]
pub(super) struct Toolbox {
    node: Child,
    steps: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// What was reported and is not taken yet, in order.
    reports: Vec<Value>,
    /// All frames the client has sent, in order.
    sent: Vec<String>,
    /// All frames the client has received, in order.
    received: Vec<String>,
}

impl Toolbox {
    /// Starts one and carries out the first steps.
    ///
    /// # Panics
    ///
    /// Node or the client's packages are not installed: a test that needs them fails, it is never skipped.
    pub(super) async fn start(steps: &Value) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/mobility-toolbox");
        assert!(
            folder.join("node_modules/mobility-toolbox-js/package.json").is_file(),
            "the npm packages of {} are not installed: this test needs them, and `make setup-test` installs them",
            folder.display()
        );
        let mut command = Command::new("node");
        command.arg("client.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut node = match command.kill_on_drop(true).spawn() {
            Ok(node) => node,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                panic!(
                    "the program node is not installed: this test needs it, and `make setup-test` installs it"
                );
            }
            Err(error) => panic!("node cannot be started: {error}"),
        };
        let steps_in = node.stdin.take().expect("it is piped");
        let lines = BufReader::new(node.stdout.take().expect("it is piped")).lines();
        let (reports, sent, received) = (Vec::new(), Vec::new(), Vec::new());
        let mut toolbox = Self { node, steps: steps_in, lines, reports, sent, received };
        toolbox.take("ready", |_| true).await;
        toolbox.carry_out(steps).await;
        toolbox
    }

    /// Sends steps that are carried out in one go.
    pub(super) async fn carry_out(&mut self, steps: &Value) {
        assert!(steps.is_array(), "{steps}");
        self.steps.write_all(format!("{steps}\n").as_bytes()).await.expect("the program takes steps");
    }

    /// The next envelope with which this callback was called.
    pub(super) async fn called(&mut self, callback: &str) -> Value {
        self.take("called", |report| report["callback"] == callback).await["envelope"].take()
    }

    /// The content of that.
    pub(super) async fn called_with(&mut self, callback: &str) -> Value {
        self.called(callback).await["content"].take()
    }

    /// The envelope with which this promise was resolved.
    pub(super) async fn resolved(&mut self, promise: &str) -> Value {
        self.take("resolved", |report| report["promise"] == promise).await["envelope"].take()
    }

    /// Waits until a connection is open.
    pub(super) async fn opened(&mut self) {
        self.take("opened", |_| true).await;
    }

    /// Waits until a connection is closed, or a try to connect has failed, and returns the code of that.
    pub(super) async fn closed(&mut self) -> u64 {
        self.take("closed", |_| true).await["code"].as_u64().expect("a code")
    }

    /// Waits until the client has sent this many frames, and takes them.
    pub(super) async fn sent(&mut self, count: usize) -> Vec<String> {
        while self.sent.len() < count {
            self.read().await;
        }
        std::mem::take(&mut self.sent)
    }

    /// The frames that the client has sent since they were last taken.
    pub(super) fn sent_so_far(&mut self) -> Vec<String> {
        std::mem::take(&mut self.sent)
    }

    /// Waits for a frame with this text in it, and takes it and all before it, one per line, as they came.
    pub(super) async fn received_until(&mut self, part: &str) -> String {
        loop {
            if let Some(position) = self.received.iter().position(|frame| frame.contains(part)) {
                return self.received.drain(..=position).collect::<Vec<_>>().join("\n");
            }
            self.read().await;
        }
    }

    /// Whether this callback is called within a time that is longer than the client's usual buffer of 100 ms.
    pub(super) async fn is_called(&mut self, callback: &str) -> bool {
        let is_it = |report: &Value| report["event"] == "called" && report["callback"] == callback;
        let called = async {
            while !self.reports.iter().any(is_it) {
                self.read().await;
            }
        };
        timeout(Duration::from_millis(150), called).await.is_ok()
    }

    /// What the client's listeners have thrown so far.
    pub(super) fn errors(&mut self) -> Vec<String> {
        let is_error = |report: &mut Value| report["event"] == "error";
        self.reports.extract_if(.., is_error).map(|report| text(&report["message"]).to_owned()).collect()
    }

    /// Ends the program, which must not have failed, and fails if it has reported calls or errors that nobody took.
    pub(super) async fn finish(mut self) {
        drop(self.steps);
        while let Some(line) = self.lines.next_line().await.expect("reports are text") {
            self.reports.push(serde_json::from_str(&line).expect("reports are JSON"));
        }
        let status: ExitStatus = must("node to end", self.node.wait()).await.expect("it is ours");
        assert!(status.success(), "{status}");
        let untold = ["called", "rejected", "error"];
        self.reports.retain(|report| untold.iter().any(|event| report["event"] == *event));
        assert!(self.reports.is_empty(), "nobody expected {:?}", self.reports);
    }

    async fn take(&mut self, event: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let is_it = |report: &Value| report["event"] == event && fits(report);
            if let Some(position) = self.reports.iter().position(is_it) {
                return self.reports.remove(position);
            }
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        let Ok(line) = line else {
            let Self { reports, sent, received, .. } = self;
            panic!(
                "node said nothing for {PATIENCE:?}; not taken: {reports:?}, sent {sent:?}, received {received:?}"
            );
        };
        let line = line.expect("reports are text").expect("the program has not failed (its error is above)");
        let mut report: Value = serde_json::from_str(&line).expect("reports are JSON");
        match report["event"].as_str() {
            Some("sent") => self.sent.push(text(&report["frame"]).to_owned()),
            Some("received") => self.received.push(text(&report["frame"]).to_owned()),
            _ => self.reports.push(report.take()),
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
