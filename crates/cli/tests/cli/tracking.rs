//! Tracked channels, and what is said of what became of events.

use std::fs;

use crate::geocast::{Running, code, geocast, run, stderr, stdout, wait_until};

/// A server with one point on the channel `map`, and a client that tracks it.
fn tracked(options: &[&str], more: &[&str]) -> (Running, String, Running) {
    let server = Running::server(&[&["serve", "--port", "0"], options].concat());
    let url = server.url();
    put(&url, "a", 5.0);
    let sub = &["sub", "map", "--track", "--bbox", "0,0,10,10", "--url", &url];
    let sub = Running::start(geocast(&[sub, more].concat()));
    assert_eq!(sub.line(), format!(r#"{{"change":"enter","key":"a","feature":{}}}"#, point("a", 5.0)));
    (server, url, sub)
}

fn point(key: &str, x: f64) -> String {
    format!(
        r#"{{"type":"Feature","id":"{key}","geometry":{{"type":"Point","coordinates":[{x:?},5]}},"properties":{{}}}}"#
    )
}

fn put(url: &str, key: &str, x: f64) {
    let output = run(&["pub", "map", &point(key, x), "--key", key, "--url", url]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

#[test]
fn sub_prints_what_enters_changes_and_leaves() {
    let (_server, url, mut sub) = tracked(&[], &["--count", "4"]);
    put(&url, "b", 50.0);
    put(&url, "a", 6.0);
    assert_eq!(sub.line(), format!(r#"{{"change":"update","key":"a","feature":{}}}"#, point("a", 6.0)));
    put(&url, "a", 60.0);
    assert_eq!(sub.line(), r#"{"change":"leave","key":"a","reason":"moved"}"#);
    put(&url, "b", 1.0);
    assert_eq!(sub.line(), format!(r#"{{"change":"enter","key":"b","feature":{}}}"#, point("b", 1.0)));
    assert_eq!(sub.code(), 0);
}

#[test]
fn keys_that_are_not_heard_of_leave() {
    let (_server, _, mut sub) = tracked(&["--stale-after", "m*=1s"], &["--count", "2"]);
    assert_eq!(sub.line(), r#"{"change":"leave","key":"a","reason":"expired"}"#);
    assert_eq!(sub.code(), 0);
}

#[test]
fn a_file_can_hold_the_rules_of_tracked_channels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("geocast.toml");
    let check = |content: &str| {
        fs::write(&path, content).unwrap();
        run(&["check", "--config", path.to_str().unwrap()])
    };
    let right = check(
        "track_key = [\"vehicles*=train_id\", \"ships=mmsi\"]\nstale_after = \"vehicles*=30s\"\nmax_tracked_keys = 1000\n",
    );
    assert!(stdout(&right).contains("configuration valid"), "{}", stderr(&right));
    for (content, said) in [
        ("stale_after = \"vehicles*=0s\"", "is no time at all"),
        ("max_tracked_keys = 0", "is not a whole number of 1 or more"),
        ("track_key = \"train_id\"", "write PATTERN=value"),
    ] {
        let wrong = check(content);
        assert_eq!(code(&wrong), 2, "{content}");
        assert!(stderr(&wrong).contains(said), "{}", stderr(&wrong));
    }
}

#[test]
fn what_became_of_events_is_explained_at_the_end() {
    let (_server, url, mut sub) = tracked(&[], &["--count", "3", "--explain"]);
    for x in [50.0, 51.0, 5.0] {
        put(&url, "a", x);
    }
    assert_eq!(sub.code(), 0);
    let expected = "\
geocast: map (tracked): 3 events came, 2 granted, 1 withheld: 1 outside
geocast: of 2 granted on this connection: 2 delivered, 0 waiting, 0 replaced by newer states, 0 dropped because they were read too slowly
";
    assert_eq!(sub.said(), expected);
}

#[test]
fn what_became_of_events_is_explained_in_between_and_when_it_is_stopped() {
    let (_server, url, mut sub) = tracked(&[], &["--explain=300ms"]);
    put(&url, "a", 50.0);
    sub.wait_for("geocast: map (tracked): 1 events came, 1 granted, 0 withheld");
    put(&url, "a", 51.0);
    sub.wait_for("geocast: map (tracked): 2 events came, 1 granted, 1 withheld: 1 outside");
    sub.signal("INT");
    assert_eq!(sub.code(), 0);
    // The explanation is asked for when the time is over, and is not waited for without end either.
    let quiet = run(&["sub", "map", "--explain", "--timeout", "5s", "--url", &url]);
    assert_eq!(code(&quiet), 3);
    let said = stderr(&quiet);
    assert!(said.starts_with("geocast: map: 0 events came, 0 granted, 0 withheld\n"), "{said}");
    assert_eq!(code(&run(&["sub", "map", "--explain=0s", "--url", &url])), 2);
}

#[test]
fn what_is_explained_begins_anew_with_a_connection() {
    let server = Running::server(&["serve", "--port", "0"]);
    let (url, port) = (server.url(), server.address().port().to_string());
    let sub = Running::start(geocast(&["sub", "map", "--explain=200ms", "--url", &url]));
    sub.wait_for("geocast: map: 0 events came");
    put(&url, "a", 5.0);
    sub.wait_for("geocast: map: 1 events came, 1 granted");
    drop(server);
    sub.wait_for("connecting again");
    let _server = Running::server(&["serve", "--port", &port]);
    sub.wait_for("connected again");
    let begins_anew = || {
        let said = sub.said();
        let (_, since) = said.split_once("connected again").unwrap();
        since.contains("geocast: map: 0 events came")
    };
    wait_until(begins_anew, || sub.said());
}
