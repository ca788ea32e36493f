//! JSON-RPC libraries that know nothing of geocast.

use std::path::Path;

use geocast_server::{Secret, Settings};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    packages::folder,
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::must,
};

on_both_stores!(the_npm_library_works, the_python_library_works);

/// Runs a client with the server's address and returns what it prints.
async fn run(server: &TestServer, program: &Path, script: &Path) -> Value {
    let mut command = Command::new(program);
    command.arg(script).arg(format!("ws://{}/rpc?pwd=k", server.address)).kill_on_drop(true);
    let output = must("the client of a library to end", command.output()).await.expect("it can be started");
    let (said, complaints) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complaints}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{complaints}"))
}

fn with_key(settings: &mut Settings) {
    settings.publish_key = Some(Secret::new("k"));
}

fn check(report: &Value, text: &str) {
    assert_eq!(report["subscribed"], json!({ "channel": "news", "tracked": false }));
    assert_eq!(report["published"], json!({ "channel": "news" }));
    assert_eq!(report["pushed"][0]["source"], "news");
    assert_eq!(report["pushed"][0]["content"], json!({ "text": text }));
    assert_eq!(report["refused"]["code"], -32001);
    assert!(report["refused"]["message"].as_str().is_some_and(|message| message.contains("EPSG:999998")));
}

async fn the_npm_library_works(backend: Backend) {
    let server = TestServer::start_with(backend, with_key).await;
    let report = run(&server, Path::new("node"), &folder("json-rpc").join("client.mjs")).await;
    check(&report, "from npm");
    assert_eq!(report["batch"][0], json!({ "jsonrpc": "2.0", "id": 101, "result": "pong" }));
    assert_eq!(report["batch"][1]["result"]["values"], json!([]));
}

async fn the_python_library_works(backend: Backend) {
    let server = TestServer::start_with(backend, with_key).await;
    let folder = folder("python");
    let report = run(&server, &folder.join(".venv/bin/python"), &folder.join("json_rpc.py")).await;
    check(&report, "from PyPI");
}
