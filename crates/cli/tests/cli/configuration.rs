use std::fs;

use crate::geocast::{Running, code, geocast, run, stderr, stdout};

#[test]
fn an_unknown_key_ends_the_start_and_names_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("geocast.toml");
    fs::write(&path, "host = \"127.0.0.1\"\nchanels = \"*\"\n").unwrap();
    let output = run(&["serve", "--config", path.to_str().unwrap()]);
    assert_eq!(code(&output), 2);
    let expected = format!(
        "geocast: `chanels` in {}, line 2 is no option of geocast; did you mean `channels`?\n",
        path.display()
    );
    assert_eq!(stderr(&output), expected);

    let output = geocast(&["demo"]).env("GEOCAST_WORKER", "1").output().unwrap();
    assert_eq!(code(&output), 2);
    let expected = "geocast: `GEOCAST_WORKER` in the environment is no option of geocast; \
                    did you mean `GEOCAST_WORKERS`?\n";
    assert_eq!(stderr(&output), expected);
}

#[test]
fn an_unknown_flag_and_a_wrong_value_are_usage() {
    for (arguments, said) in [
        (&["serve", "--prot", "1"][..], "'--port'"),
        (&["serve", "--port", "70000"], "\"70000\" is not a port"),
        (&["serve", "--redis", "rediss://u:secret@host:x"], "\"x\" is not the port of a redis url"),
        (&["sub"], "<CHANNEL>"),
        (&["sub", "news_*"], "news_*"),
        (&["frobnicate"], "frobnicate"),
        (&["serve", "--publish-key", ""], "--publish-key"),
        (&["serve", "--text-paths", "/ws,ws2"], "`ws2` is the path of no request"),
        (&["serve", "--outbox-bytes", "1"], "\"1\" is too little to answer a client at all"),
        (&["serve", "--port", "0", "--workers", "100000"], "100000 workers are more than"),
        (&["check", "--port", "0", "--workers", "100000"], "100000 workers are more than"),
        (
            &["check", "--port", "0", "--path-projections", "/x=epsg:99999"],
            "`EPSG:99999` of a path is not known",
        ),
        (&[], "Usage: geocast <COMMAND>"),
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("secret"), "{}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
}

#[test]
fn a_file_has_no_sections_and_no_empty_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("geocast.toml");
    for (text, said) in [
        ("# all\n[server]\nport = 0\n", "line 2 is a section, and there are none: options stand at the top"),
        ("port = 0\npublish_key = \"\"\n", "`publish_key=…` in "),
    ] {
        fs::write(&path, text).unwrap();
        let output = run(&["check", "--config", path.to_str().unwrap()]);
        assert_eq!(code(&output), 2, "{text}");
        assert!(stderr(&output).contains(said), "{text}: {}", stderr(&output));
    }
}

#[test]
fn no_channels_are_said_to_be_none() {
    let server = Running::server(&["serve", "--port", "0", "--channels", ""]);
    server.wait_for("  channels   none\n");
    server.wait_for("no channel may be read: name those that may");
}

/// Each source gives a port that none of the others gives; the check says which one is meant.
#[test]
fn a_flag_wins_over_the_environment_and_the_environment_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("geocast.json");
    fs::write(&path, r#"{"port": 18761}"#).unwrap();
    let path = path.to_str().unwrap();
    let port = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = geocast(&[&["check"], arguments].concat());
        stdout(&command.envs(environment.iter().copied()).output().unwrap())
    };
    let environment = [("GEOCAST_PORT", "18762"), ("GEOCAST_CONFIG", path)];
    assert!(port(&["--port", "18763"], &environment).contains("18763"));
    assert!(port(&[], &environment).contains("18762"));
    assert!(port(&["--config", path], &[]).contains("18761"));
    assert!(port(&[], &[]).contains("8765"));
}

#[test]
fn the_files_of_the_readme_are_valid() {
    let readme = include_str!("../../README.md");
    let files: Vec<_> =
        readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!files.is_empty());
    for file in files {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("geocast.toml");
        fs::write(&path, file).unwrap();
        let output = run(&["check", "--redis-connect-timeout", "1ms", "--config", path.to_str().unwrap()]);
        assert!(stdout(&output).contains("configuration valid"), "{file}\n{}", stderr(&output));
    }
}

#[test]
fn what_lowers_security_is_logged_at_the_start() {
    let server = Running::server(&["serve", "--port", "0"]);
    server.wait_for("publishing");
    let open = Running::server(&["serve", "--port", "0", "--insecure-any-origin"]);
    open.wait_for("insecure_any_origin: every web page may connect");
    assert!(!server.said().contains("insecure"), "{}", server.said());
}

#[test]
fn a_key_that_can_be_guessed_is_warned_of_where_others_can_try() {
    const SAID: &str = "publish_key: it has fewer than 16 bytes";
    let start = |key, more: &[&str]| {
        let server = ["serve", "--port", "0", "--insecure-any-origin", "--publish-key", key];
        let server = Running::server(&[&server, more].concat());
        // The last that is said at the start.
        server.wait_for("insecure_any_origin: every web page may connect");
        server.said()
    };
    let elsewhere = ["--redis", "redis://127.0.0.1:1"];
    let said = start("tram-14", &elsewhere);
    assert!(said.contains(SAID) && !said.contains("tram-14"), "{said}");
    assert!(!start("a-key-of-16-bytes", &elsewhere).contains(SAID));
    assert!(!start("tram-14", &[]).contains(SAID), "nobody but this machine");
}
