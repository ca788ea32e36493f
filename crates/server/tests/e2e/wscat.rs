//! The pipeline, spoken to by the command-line client wscat as it is.

use std::{
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_server::pipeline::{Filter, Script};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{
    packages::folder,
    pipeline::{built_in, with_ready},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::{AGAIN, PATIENCE, must},
};

on_both_stores!(
    messages_reach_every_other_client,
    tokens_make_groups,
    items_of_channels_reach_every_client,
    scripts_have_their_say,
);

/// One in a process of its own: lines are messages, both ways.
struct Wscat {
    _process: Child,
    said: ChildStdin,
    heard: Lines<BufReader<ChildStdout>>,
}

impl Wscat {
    /// Starts one and waits until it gets what others send.
    async fn connect(url: &str, options: &[&str]) -> Self {
        let mut process = command(url, options).spawn().expect("there is node");
        let said = process.stdin.take().expect("it is piped");
        let heard = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut client = Self { _process: process, said, heard };
        // It takes no notice of lines until it is connected.
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "{url}: there is no connection after {PATIENCE:?}");
            client.say("ready?").await;
            if let Ok(line) = timeout(Duration::from_millis(100), client.hear()).await {
                assert_eq!(line, "ready");
                return client;
            }
        }
    }

    async fn say(&mut self, line: &str) {
        self.said.write_all(format!("{line}\n").as_bytes()).await.expect("it reads");
    }

    /// The next message, without the prompts before it.
    async fn hear(&mut self) -> String {
        let line = self.heard.next_line().await.expect("text").expect("it runs");
        line.trim_start_matches("> ").to_owned()
    }

    /// The next message, but for late answers to whether it is connected: who asked too early to be heard has none, others have.
    async fn next(&mut self, what: &str) -> String {
        loop {
            let line = must(what, self.hear()).await;
            if line != "ready" {
                return line;
            }
        }
    }

    async fn expect(&mut self, message: &str) {
        assert_eq!(self.next(message).await, message);
    }

    async fn expect_nothing(&mut self, server: &TestServer) {
        server.heard().await;
        self.say("ready? indeed").await;
        self.expect("ready indeed").await;
    }
}

fn command(url: &str, options: &[&str]) -> Command {
    let mut command = Command::new("node");
    let program = folder("wscat").join("node_modules/wscat/bin/wscat");
    command.arg(program).args(["--connect", url]).args(options);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    command
}

async fn start(backend: Backend, filters: &[Arc<dyn Filter>]) -> (TestServer, String) {
    let filters = with_ready(filters);
    let server = TestServer::start_with(backend, |settings| {
        settings.filters = filters;
        settings.pipeline_channels = vec!["global".parse().expect("a channel")];
    })
    .await;
    let url = format!("ws://{}", server.address);
    (server, url)
}

async fn messages_reach_every_other_client(backend: Backend) {
    let (server, url) = start(backend, &built_in(&["broadcast_messages"])).await;
    let mut a = Wscat::connect(&url, &[]).await;
    let mut b = Wscat::connect(&format!("{url}/pipeline"), &["--subprotocol", "geocast.pipeline"]).await;
    let mut c = Wscat::connect(&url, &[]).await;
    for message in ["Hello", "{\"a\":7.10}", "é 🚂", "token:x"] {
        a.say(message).await;
        b.expect(message).await;
        c.expect(message).await;
    }
    drop(c);
    b.say("is anybody there?").await;
    a.expect("is anybody there?").await;
    a.expect_nothing(&server).await;
    b.expect_nothing(&server).await;
}

async fn tokens_make_groups(backend: Backend) {
    let (server, url) = start(backend, &built_in(&["broadcast_messages_by_token"])).await;
    let mut a = Wscat::connect(&url, &[]).await;
    let mut b = Wscat::connect(&url, &[]).await;
    let mut c = Wscat::connect(&url, &[]).await;
    a.say("Hello").await;
    a.expect("Error: No token has been set").await;
    for (client, token) in [(&mut a, "blue"), (&mut b, "blue"), (&mut c, "red")] {
        client.say(&format!("token:{token}")).await;
        client.expect(&format!("Successfully registered with broadcast group: {token}")).await;
    }
    a.say("Hello").await;
    b.expect("Hello").await;
    // One that says what it has to say, waits a second and goes; it would go at once if its input ended.
    let mut visit = command(&url, &["--execute", "token:red", "--execute", "good day", "--wait", "1"]);
    let mut visit = visit.spawn().expect("there is node");
    let _held = visit.stdin.take();
    let visit = must("wscat to end", visit.wait_with_output()).await.expect("it ran");
    assert!(visit.status.success());
    let heard = String::from_utf8_lossy(&visit.stdout);
    assert_eq!(heard.trim_start_matches("> "), "Successfully registered with broadcast group: red\n");
    c.expect("good day").await;
    for client in [&mut a, &mut b, &mut c] {
        client.expect_nothing(&server).await;
    }
}

async fn items_of_channels_reach_every_client(backend: Backend) {
    let (server, url) = start(backend, &built_in(&["broadcast_pubsub"])).await;
    let mut a = Wscat::connect(&url, &[]).await;
    let mut b = Wscat::connect(&url, &[]).await;
    // Whether the node listens yet is known from the first item that comes.
    while timeout(AGAIN, a.hear()).await.is_err() {
        server.publish("global", "anybody?").await;
    }
    server.publish("global", "that is all").await;
    for client in [&mut a, &mut b] {
        while client.next("that is all").await != "that is all" {}
    }
    server.publish("elsewhere", "not for them").await;
    server.publish("global", "hello from the server!").await;
    for client in [&mut a, &mut b] {
        client.expect("hello from the server!").await;
        client.expect_nothing(&server).await;
    }
}

async fn scripts_have_their_say(backend: Backend) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/profanity.rhai");
    let mut filters: Vec<Arc<dyn Filter>> = vec![Arc::new(Script::load(&path).expect("it is sound"))];
    filters.extend(built_in(&["broadcast_messages"]));
    let (server, url) = start(backend, &filters).await;
    let mut a = Wscat::connect(&url, &[]).await;
    let mut b = Wscat::connect(&url, &[]).await;
    a.say("oh heck no").await;
    b.expect("oh **** no").await;
    b.say("Darn").await;
    b.expect("please mind your language").await;
    a.expect_nothing(&server).await;
}
