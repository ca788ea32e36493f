//! `geocast top`: a table, an object, and a view that leaves the terminal as it was.

use std::io::Write;

use rustix::termios::{LocalModes, tcgetattr};
use serde_json::Value;

use crate::{
    geocast::{Running, code, geocast, run, stderr, stdout, wait_until},
    terminal::Terminal,
};

/// A demo, and the token that it has made for its operator.
fn demo() -> (Running, String) {
    let demo = Running::server(&["demo", "--port", "0"]);
    demo.wait_for("geocast top");
    let said = demo.said();
    let token = said.split("/operator#token=").nth(1).and_then(|rest| rest.lines().next()).expect("a token");
    assert_eq!(token.len(), 32, "{token}");
    assert!(said.contains(&format!("geocast top --url {} --token {token}\n", demo.url())), "{said}");
    (demo, token.to_owned())
}

/// Somebody who looks at Switzerland, and has been sent something.
fn client(demo: &Running) -> Running {
    let client = Running::start(geocast(&[
        "sub",
        "vehicles",
        "--bbox",
        "2480000,1070000,2840000,1300000",
        "--bbox-crs",
        "epsg:2056",
        "--url",
        &demo.url(),
    ]));
    client.line();
    client
}

#[test]
fn a_table_and_an_object_say_who_is_there_and_how_much_comes() {
    let (demo, token) = demo();
    let _client = client(&demo);
    let url = demo.url();
    let output = run(&["top", &url, "--token", &token]);
    let table = stdout(&output);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for part in ["clients  1 of ", "\nvehicles ", "VIEWPORT", " EPSG:2056 ", "  vehicles\n", "embedded"] {
        assert!(table.contains(part), "{part:?} is not in {table}");
    }
    assert!(!table.contains('\u{1b}') && !table.contains("– messages"), "{table}");
    let page = format!("http://{}/", demo.address());
    let output = run(&["top", "--url", &page, "--token", &token, "--json", "--interval", "300ms"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let told = stdout(&output);
    assert_eq!(told.lines().count(), 1, "{told}");
    let told: Value = serde_json::from_str(&told).expect("it is JSON");
    let rates = &told["rates"];
    assert!(rates["seconds"].as_f64() >= Some(0.3), "{rates}");
    for name in ["events", "delivered", "bytes_sent"] {
        assert!(rates["per_second"][name].as_f64() > Some(0.0), "{name}: {rates}");
    }
    let channel = &told["channels"]["list"][0];
    assert_eq!((&channel["name"], &channel["subscribers"]), (&"vehicles".into(), &1.into()));
    assert!(channel["deliveries_per_second"].as_f64() > Some(0.0), "{channel}");
    assert_eq!(told["connections"]["list"][0]["viewport"]["crs"], "EPSG:2056");
}

#[test]
fn who_may_not_look_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (token, other, empty) = (file("token", "sesame\n"), file("other", "open"), file("empty", "\n"));
    let server = Running::server(&["serve", "--port", "0", "--operator-token-file", &token]);
    server.wait_for("/operator\n");
    let closed = Running::server(&["serve", "--port", "0"]);
    let (url, closed_url) = (server.url(), closed.url());
    let nobody = "ws://127.0.0.1:1/ws";
    for (arguments, expected, said) in [
        (&["top", &url, "--once", "--token-file", &token, "--interval", "10ms"][..], 0, ""),
        (&["top", &url], 2, "the operator's token is needed: --token-file FILE"),
        (&["top", &url, "--token-file", &other], 1, "this is not the operator's token"),
        (&["top", &url, "--token-file", &empty], 2, "is empty"),
        (&["top", &url, "--token-file", "/nowhere"], 2, "--token-file /nowhere cannot be read"),
        (&["top", &closed_url, "--token", "a"], 1, "it has to be started with --operator-token-file FILE"),
        (&["top", nobody, "--token", "a"], 4, "cannot be reached"),
        (&["top", &url, "--once", "--json"], 2, "cannot be used with"),
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), expected, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
    assert!(!server.said().contains("sesame"), "{}", server.said());
}

#[test]
fn on_a_terminal_it_is_drawn_until_q_or_a_signal_and_leaves_nothing_behind() {
    let (demo, token) = demo();
    let _client = client(&demo);
    for way_out in ["q", "INT", "TERM"] {
        let terminal = Terminal::open();
        let before = tcgetattr(&terminal.theirs).unwrap();
        let url = demo.url();
        let command = geocast(&["top", &url, "--token", &token, "--interval", "100ms"]);
        let mut top = terminal.start(command);
        // Some pictures later there are rates.
        terminal.wait_for("EPSG:2056");
        wait_until(|| terminal.shown().matches("a second").count() > 1, || "it is drawn once".to_owned());
        let during = tcgetattr(&terminal.theirs).unwrap();
        assert!(!during.local_modes.contains(LocalModes::ECHO), "keys are not shown");
        if way_out == "q" {
            // A key that means nothing first.
            (&terminal.ours).write_all(b"xq").unwrap();
        } else {
            let id = top.id().to_string();
            let sent =
                std::process::Command::new("kill").args([&format!("-{way_out}"), &id]).status().unwrap();
            assert!(sent.success());
        }
        let mut ended = None;
        wait_until(
            || {
                ended = top.try_wait().unwrap();
                ended.is_some()
            },
            || format!("it does not end: {}", terminal.last()),
        );
        assert_eq!(ended.and_then(|ended| ended.code()), Some(0), "{way_out}: {}", terminal.last());
        terminal.wait_for("\u{1b}[?25h\u{1b}[?1049l");
        let after = tcgetattr(&terminal.theirs).unwrap();
        assert_eq!(after.local_modes, before.local_modes, "{way_out}");
        let shown = terminal.shown();
        assert!(shown.starts_with("\u{1b}[?1049h\u{1b}[?25l"), "{:?}", terminal.last());
        let lines = shown.split("\u{1b}[H").nth(1).unwrap().split("\r\n").count();
        assert!(lines <= 30, "{lines} lines on a terminal of 30");
    }
}
