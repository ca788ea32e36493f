use std::fs;

use serde_json::Value;

use crate::{
    geocast::{Running, code, geocast, run, stderr, stdout, wait_until},
    redis_server::RedisServer,
};

/// Runs a benchmark and returns what it found. `+` stands for a space within a word.
fn found(line: &str) -> Value {
    let words = line.split(' ').map(|word| word.replace('+', " "));
    let arguments: Vec<String> = ["bench".to_owned()].into_iter().chain(words).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = run(&arguments);
    assert_eq!(code(&output), 0, "{line}: {}", stderr(&output));
    // Without a terminal it says nothing on the way.
    assert_eq!(stderr(&output), "", "{line}");
    let text = stdout(&output);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn everybody_gets_everything() {
    let report = found("fanout --spawn --connections 20 --messages 50 --json");
    assert_eq!(report["deliveries_expected"], 1000);
    assert_eq!(report["deliveries_received"], 1000);
    assert_eq!(report["deliveries_disordered"], 0);
    let latency = |name: &str| report["latency_ms"][name].as_f64().unwrap();
    assert!(0.0 < latency("p50") && latency("p50") <= latency("p99") && latency("p99") <= latency("max"));
    assert!(report["deliveries_per_second"].as_f64().unwrap() > 0.0, "{report}");
    assert!(
        report["server_cpu_seconds"].is_number() && report["server_memory_bytes"].as_u64().unwrap() > 1 << 20
    );
}

#[test]
fn all_ways_to_publish_and_all_paces_work() {
    let redis = RedisServer::start(&[]);
    let load = "--spawn --connections 10 --messages 60 --json";
    for options in [
        String::new(),
        "--burst 25".to_owned(),
        "--rate 500".to_owned(),
        "--burst 7 --pause 1ms".to_owned(),
        "--size 100000".to_owned(),
        format!("--burst 20 --redis {}", redis.url()),
        "--workers 2 -- --outbox-bytes 2MiB".to_owned(),
    ] {
        let report = found(format!("fanout {load} {options}").trim_end());
        assert_eq!(report["deliveries_received"], 600, "{options}");
    }
}

/// The generator counts for itself who has to get what.
#[test]
fn viewports_get_what_is_in_them_and_bystanders_nothing() {
    for options in ["", " --projection epsg:3857", " --bystanders 30"] {
        let line = format!(
            "fanout --spawn --connections 60 --messages 100 --viewports random:60x60{options} --json"
        );
        let report = found(&line);
        let expected = report["deliveries_expected"].as_u64().unwrap();
        assert!((100..3000).contains(&expected), "{options}: {expected}");
        assert_eq!(report["deliveries_received"], expected, "{options}");
    }
}

/// The generator counts for itself who has to be told what, by kind.
#[test]
fn who_tracks_is_told_what_enters_changes_and_leaves() {
    let redis = RedisServer::start(&[]);
    let load = "--connections 40 --features 500 --viewports random:90x40 --step 5 --messages 200";
    for options in [
        String::new(),
        "--burst 20 --pan-burst 8 --elsewhere 300".to_owned(),
        "--rate 2000 --pan 3".to_owned(),
        format!("--burst 10 --redis {}", redis.url()),
    ] {
        let report = found(
            format!("track --spawn {load} {options} --json")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .as_str(),
        );
        let told = |phase: &str, change: &str| {
            let [expected, received] =
                ["expected", "received"].map(|side| report[phase][side][change].as_u64().unwrap());
            assert_eq!(expected, received, "{change} when {phase}, {options}");
            received
        };
        // A box is a sixteenth of the world.
        assert!((800..1700).contains(&told("joined", "enters")), "{report}");
        assert!(
            told("moved", "updates") > 200 && told("moved", "enters") > 20 && told("moved", "leaves") > 20
        );
        assert!(told("panned", "enters") > 100 && told("panned", "leaves") > 100, "{report}");
        assert_eq!(told("panned", "updates") + told("joined", "leaves"), 0);
        assert!(report["latency_ms"]["p99"].as_f64() > Some(0.0), "{report}");
        assert!(report["pan_latency_ms"]["p50"].as_f64() > Some(0.0), "{report}");
        for figure in [
            "server_cpu_us_per_pan",
            "server_memory_bytes_per_key_tracked",
            "server_memory_bytes_per_connection",
        ] {
            assert!(report[figure].is_number(), "{figure}: {report}");
        }
    }
}

#[test]
fn a_bare_loop_delivers_the_same() {
    for with in ["write", "writev", "joined"] {
        let report = found(&format!("limit --connections 20 --messages 50 --burst 10 --with {with} --json"));
        assert_eq!(report["benchmark"], format!("limit, {with}"));
        assert_eq!(report["deliveries_received"], 1000, "{with}");
        assert!(report["server_cpu_us_per_delivery"].is_number());
    }
}

#[test]
fn connections_are_counted_and_weighed() {
    let report = found("connect --spawn --connections 100 --json");
    assert!(report["connections_per_second"].as_f64().unwrap() > 0.0, "{report}");
    let report = found("idle --spawn --connections 100 --settle 100ms --json");
    let number = |name: &str| report[name].as_f64().unwrap();
    let grown = number("server_memory_bytes") - number("server_memory_bytes_alone");
    assert!(grown > 0.0 && grown / 100.0 == number("server_memory_bytes_per_connection"), "{report}");
}

#[test]
fn a_server_that_runs_is_measured_as_any_other() {
    let server = Running::server(&["serve", "--port", "0"]);
    let url = server.url();
    let publish = format!("http://{}/api/publish/{{channel}}", server.address());
    let report = found(&format!(
        "fanout --url {url} --publish {publish} --subscribe SUB+{{channel}} --connections 5 --messages 4 --json"
    ));
    assert_eq!(report["deliveries_received"], 20);
    assert!(report["server_cpu_seconds"].is_null(), "nobody said which process it is");
}

#[test]
fn what_cannot_be_measured_is_said() {
    for (line, exit, said) in [
        ("fanout --url ws://192.0.2.1:80/", 1, "--allow-remote"),
        ("connect --url ws://127.0.0.1:1/", 4, "cannot be reached"),
        ("fanout --spawn --size 10", 1, "at least"),
        ("fanout --spawn --connections 5 --timeout 1s --rate 1", 1, "--timeout"),
        ("fanout --spawn -- --workers 0", 1, "--workers"),
        ("track --spawn --size 150", 1, "at least"),
        ("track --spawn --subscribe SUB", 1, "--subscribe"),
        ("idle --url ws://127.0.0.1:1/ --spawn", 2, "cannot be used with"),
    ] {
        let arguments: Vec<&str> = ["bench"].into_iter().chain(line.split(' ')).collect();
        let output = run(&arguments);
        assert_eq!(code(&output), exit, "{line}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{line}: {}", stderr(&output));
    }
}

#[test]
fn people_get_a_table() {
    let text = stdout(&run(&["bench", "fanout", "--spawn", "--connections", "3", "--messages", "3"]));
    for line in
        ["fanout: 3 clients, 3 messages of 256 bytes, one at a time", "9 of 9", "µs per delivery", "p99.9"]
    {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

/// A server that goes on without its benchmark would disturb all later ones.
#[test]
fn a_killed_benchmark_leaves_no_server_behind() {
    let benchmark =
        Running::start(geocast(&["bench", "fanout", "--spawn", "--connections", "5", "--rate", "1"]));
    let children = format!("/proc/{0}/task/{0}/children", benchmark.id());
    let mut server = String::new();
    wait_until(
        || {
            server = fs::read_to_string(&children).unwrap_or_default().trim().to_owned();
            let command = fs::read_to_string(format!("/proc/{server}/cmdline")).unwrap_or_default();
            command.split('\0').nth(1) == Some("serve")
        },
        || "no server was started".to_owned(),
    );
    benchmark.signal("KILL");
    let state = || fs::read_to_string(format!("/proc/{server}/stat")).unwrap_or_default();
    // What nobody waits for may stay in the table as a zombie.
    wait_until(
        || state().is_empty() || state().contains(") Z "),
        || format!("the server still runs: {}", state()),
    );
}
