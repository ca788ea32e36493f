//! The programs in `examples/`, run as they are.

use std::{net::SocketAddr, path::PathBuf, process::Stdio};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{client::Client, waiting::must};

/// A running example; it ends when this is dropped.
struct Example {
    address: SocketAddr,
    _process: Child,
}

impl Example {
    async fn start(name: &str) -> Self {
        let tests = std::env::current_exe().expect("this is a program");
        let folder =
            tests.parent().and_then(|deps| deps.parent()).expect("cargo puts it there").join("examples");
        let program: PathBuf = folder.join(name);
        assert!(program.is_file(), "{} is missing: `cargo build --examples` makes it", program.display());
        let mut command = Command::new(program);
        command.env("LISTEN", "127.0.0.1:0").stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("it can be started");
        let mut lines = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let line = must("the example to say where it listens", lines.next_line()).await.expect("a line");
        let line = line.expect("it says where it listens");
        let address = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        Self { address, _process: process }
    }
}

#[tokio::test]
async fn minimal_tells_the_time() {
    let example = Example::start("minimal").await;
    let mut client = Client::connect(example.address).await;
    client.send("SUB time").await;
    let first = client.next_content().await.as_u64().expect("a number");
    assert_eq!(client.next_content().await, first + 1);
}

#[tokio::test]
async fn command_throws_dice() {
    let example = Example::start("command").await;
    let mut client = Client::connect(example.address).await;
    client.send("DICE 1").await;
    assert_eq!(client.next_content().await, json!({ "dice": 1 }));
    client.send("DICE six").await;
    assert_eq!(client.next_content().await, json!({ "error": "\"six\" is no number of sides" }));
    client.settled().await;
}

#[tokio::test]
async fn dialect_is_spoken_beside_the_others() {
    let example = Example::start("dialect").await;
    let mut plain = Client::connect_raw(example.address, "/plain").await;
    plain.send("+news").await;
    plain.send("?news").await;
    assert_eq!(plain.next_text().await, "! \"?news\" begins neither with + nor with -");
    let mut rpc = Client::connect_raw(example.address, "/rpc").await;
    rpc.send(r#"{"jsonrpc":"2.0","id":1,"method":"publish","params":["news",{"a":1.50}]}"#).await;
    assert_eq!(rpc.next().await["result"]["channel"], "news");
    assert_eq!(plain.next_text().await, r#"news {"a":1.50}"#);
}
