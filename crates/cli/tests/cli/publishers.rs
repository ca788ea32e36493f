//! The publishers of `examples`, in Python, against real servers.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    geocast::{Running, code, geocast, run, wait_until},
    redis_server::RedisServer,
};

#[test]
fn a_publisher_over_http_moves_vehicles_and_takes_them_away() {
    let server = Running::server(&["serve", "--port", "0", "--publish-key", "tram14"]);
    let http = format!("http://{}", server.address());
    moves_vehicles("publish_http.py", &["--url", &http, "--key", "tram14"], &server);

    let mut refused = publisher("publish_http.py", &["--url", &http, "--key", "tram15"]);
    assert_eq!(refused.code(), 1);
    refused.wait_for("not allowed: ");
}

#[test]
fn a_publisher_over_http_goes_on_after_a_restart_of_the_server() {
    let mut server = Running::server(&["serve", "--port", "0"]);
    let port = server.address().port().to_string();
    let http = format!("http://{}", server.address());
    let publisher = publisher("publish_http.py", &["--url", &http]);
    publisher.line();
    server.signal("TERM");
    assert_eq!(server.code(), 0);
    assert!(publisher.line().starts_with("trying again: "));
    let server = Running::server(&["serve", "--port", &port]);
    let sub = Running::start(geocast(&["sub", "vehicles", "--track", "--url", &server.url()]));
    assert_eq!(change(&sub), "enter");
}

#[test]
fn a_publisher_over_http_may_rest_for_longer_than_its_connection_is_kept() {
    let server = Running::server(&["serve", "--port", "0", "--header-timeout", "2s"]);
    let http = format!("http://{}", server.address());
    let publisher = publisher("publish_http.py", &["--url", &http, "--interval", "4"]);
    publisher.line();
    let sub = Running::start(geocast(&["sub", "vehicles", "--track", "--url", &server.url()]));
    let mut updated = 0;
    while updated < 2 * VEHICLES {
        updated += usize::from(change(&sub) == "update");
    }
    assert_eq!(publisher.ready_line(), None);
}

#[test]
fn a_publisher_through_redis_moves_vehicles_and_takes_them_away() {
    let redis = RedisServer::start(&[]);
    let server =
        Running::server(&["serve", "--port", "0", "--redis", &redis.url(), "--channels", "vehicles"]);
    moves_vehicles("publish_redis.py", &["--redis", &redis.url()], &server);
}

#[test]
fn a_publisher_through_redis_goes_on_when_redis_comes_back() {
    let mut redis = RedisServer::start(&[]);
    let mut publisher = publisher("publish_redis.py", &["--redis", &redis.url()]);
    publisher.line();
    redis.kill();
    assert!(publisher.line().starts_with("trying again: "));
    redis.restart();
    let server =
        Running::server(&["serve", "--port", "0", "--redis", &redis.url(), "--channels", "vehicles"]);
    let sub = Running::start(geocast(&["sub", "vehicles", "--track", "--url", &server.url()]));
    assert_eq!(change(&sub), "enter");

    redis.kill();
    publisher.signal("INT");
    assert_eq!(publisher.code(), 1);
    publisher.wait_for("the vehicles stay where they are: ");
}

/// All enter, all move, and all leave when the publisher is interrupted.
fn moves_vehicles(name: &str, arguments: &[&str], server: &Running) {
    let sub = Running::start(geocast(&["sub", "vehicles", "--track", "--url", &server.url()]));
    let mut publisher = publisher(name, arguments);
    let (mut entered, mut updated, mut left) = (0, 0, 0);
    while entered < VEHICLES || updated < VEHICLES {
        match change(&sub).as_str() {
            "enter" => entered += 1,
            "update" => updated += 1,
            other => panic!("{other} comes too early"),
        }
    }
    assert_eq!(entered, VEHICLES);
    publisher.signal("INT");
    assert_eq!(publisher.code(), 0, "{}", publisher.said());
    while left < VEHICLES {
        match change(&sub).as_str() {
            "update" => {}
            "leave" => left += 1,
            other => panic!("{other} comes too late"),
        }
    }
    wait_until(
        || code(&run(&["get", "vehicles", "--url", &server.url()])) == 3,
        || "something stays".to_owned(),
    );
}

fn change(sub: &Running) -> String {
    let change: Value = serde_json::from_str(&sub.line()).expect("JSON");
    if let Some(feature) = change.get("feature") {
        let [x, y] = [0, 1].map(|axis| feature["geometry"]["coordinates"][axis].as_f64().expect("a number"));
        assert!((6.5..=9.8).contains(&x) && (46.2..=47.6).contains(&y), "{feature}");
        assert_eq!(feature["id"], change["key"]);
    }
    change["change"].as_str().expect("a change").to_owned()
}

fn publisher(name: &str, arguments: &[&str]) -> Running {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(python(&root));
    command.arg(root.join("examples").join(name));
    command.args(["--vehicles", &VEHICLES.to_string(), "--interval", "0.1"]).args(arguments);
    command.env_remove("GEOCAST_PUBLISH_KEY").env("PYTHONDONTWRITEBYTECODE", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Running::start(command)
}

fn python(root: &Path) -> PathBuf {
    let environment = root.join("crates/server/tests/clients/python/.venv");
    assert!(
        environment.join(".installed").is_file(),
        "the packages of {} are not installed: this test needs them, and `make setup-test` installs them",
        environment.display()
    );
    environment.join("bin/python")
}

const VEHICLES: usize = 5;
