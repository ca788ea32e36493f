use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    geocast::{Running, code, geocast, run, stderr, stdout},
    redis_server::RedisServer,
};

/// Lines `key = value`, with what stands behind `#`.
fn shown(arguments: &[&str]) -> BTreeMap<String, (String, String)> {
    let output = run(&[&["config", "show"], arguments].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let read = |line: &str| {
        let (setting, place) = line.rsplit_once("# ")?;
        let (key, value) = setting.trim_end().split_once(" = ")?;
        Some((key.to_owned(), (value.to_owned(), place.to_owned())))
    };
    stdout(&output).lines().map(|line| read(line).unwrap_or_else(|| panic!("{line}"))).collect()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("the folder is ours");
    path.display().to_string()
}

#[test]
fn the_default_file_has_every_option_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = stdout(&run(&["config", "default"]));
    let as_it_is = write(folder.path(), "untouched.toml", &text);
    assert!(shown(&["--config", &as_it_is, "--given"]).keys().all(|key| key == "config"));

    let lines = || {
        text.lines().filter_map(|line| line.strip_prefix('#')).filter(|line| !line.starts_with([' ', '#']))
    };
    let keys: Vec<&str> = lines().map(|line| line.split(" = ").next().expect("a key")).collect();
    let mut expected = shown(&[]);
    expected.remove("config");
    for demo in ["vehicles", "seed"] {
        expected.entry(demo.to_owned()).or_default();
    }
    assert_eq!(
        keys.iter().map(|key| (*key).to_owned()).collect::<std::collections::BTreeSet<_>>(),
        expected.keys().cloned().collect()
    );
    assert_eq!(keys.len(), expected.len(), "none stands twice");
    for line in text.lines() {
        assert!(line.starts_with('#') || line.is_empty(), "{line}");
    }

    // Everything that is said to be a default, at once.
    let defaults = shown(&[]);
    let is_default = |line: &&str| {
        let (key, _) = line.split_once(" = ").expect("a key");
        let needs_others = key.starts_with("redis_") || key == "flush_interval";
        !needs_others && defaults.get(key).is_some_and(|(_, place)| place == "default")
    };
    let lines: Vec<&str> = lines().filter(is_default).collect();
    assert!(lines.len() > 50, "only {} lines are defaults", lines.len());
    let all = write(folder.path(), "all.toml", &lines.join("\n"));
    let now = shown(&["--config", &all, "--given"]);
    for line in &lines {
        let (key, value) = line.split_once(" = ").expect("a value");
        assert_eq!((now[key].0.as_str(), defaults[key].0.as_str()), (value, value), "{key}");
    }
    let checked = run(&["check", &all, "--offline"]);
    assert_eq!(code(&checked), 0, "{}", stderr(&checked));
}

#[test]
fn where_a_value_is_from_is_told_and_secrets_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "ping_interval = \"9s\"\nport = 3\nchannels = [\"a\", \"b*\"]\npublish_key = \"hunter2\"\n";
    let file = write(folder.path(), "g.toml", text);
    let mut command = geocast(&["config", "show", "--config", &file, "--workers", "2"]);
    command.env("GEOCAST_PORT", "4").env("GEOCAST_REDIS", "redis://me:hunter2@h/1");
    let output = command.output().expect("it runs");
    let said = stdout(&output);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for (setting, place) in [
        ("ping_interval = \"9s\"", format!("in {file}, line 1")),
        ("port = 4", "in the environment".to_owned()),
        ("workers = 2", "on the command line".to_owned()),
        ("channels = [\"a\", \"b*\"]", format!("in {file}, line 3")),
        ("publish_key = \"…\"", format!("in {file}, line 4")),
        ("redis = \"redis://me@h:6379/1\"", "in the environment".to_owned()),
        ("pong_timeout = \"8s\"", "default".to_owned()),
        ("jwks_file = …", "not set".to_owned()),
    ] {
        let line = said
            .lines()
            .find(|line| line.starts_with(setting))
            .unwrap_or_else(|| panic!("{setting}: {said}"));
        assert!(line.ends_with(&format!("# {place}")), "{line}");
    }
    assert!(!said.contains("hunter2"));
    let wrong = run(&["config", "show", "--config", &write(folder.path(), "w.toml", "prot = 1")]);
    assert_eq!((code(&wrong), stdout(&wrong).as_str()), (2, ""));
    assert!(stderr(&wrong).contains("did you mean `port`?"), "{}", stderr(&wrong));
}

/// Everything that `serve` refuses for what is written, `check` refuses without serving, in the same words.
#[test]
fn what_serve_refuses_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("none.pem").display().to_string();
    for text in [
        "prot = 1".to_owned(),
        "port = 70000".to_owned(),
        "port = 1\n[limits]\nmax_message = 1".to_owned(),
        "channels = \"a b\"".to_owned(),
        "jwt_issuer = \"me\"".to_owned(),
        format!("jwks_file = {missing:?}"),
        "tls_cert = \"x.pem\"".to_owned(),
        "workers = 100000".to_owned(),
        "channel_crs = \"a=epsg:1\"".to_owned(),
        "path_projections = \"/a=epsg:1\"".to_owned(),
        "filters = [\"none_such\"]".to_owned(),
        "port = \"".to_owned(),
    ] {
        let file = write(folder.path(), "g.toml", &text);
        let checked = run(&["check", &file, "--offline"]);
        let served = run(&["serve", "--port", "0", "--config", &file]);
        let told = |output| {
            stderr(output)
                .trim_start_matches("geocast: ")
                .trim_start_matches("the server cannot start: ")
                .to_owned()
        };
        assert_eq!((code(&checked), told(&checked)), (2, told(&served)), "{text}");
        assert_eq!(code(&served), 2, "{text}");
    }
}

#[test]
fn a_folder_is_left_as_it_is_and_one_in_use_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("state").display().to_string();
    let file = write(folder.path(), "g.toml", &format!("port = 0\ndata = {data:?}\n"));
    let offline = run(&["check", &file, "--offline"]);
    assert_eq!((code(&offline), stdout(&offline).as_str()), (0, "configuration valid\n"));
    let before = run(&["check", &file]);
    assert_eq!(code(&before), 0, "{}{}", stdout(&before), stderr(&before));
    assert!(stdout(&before).contains("nothing is kept there yet"), "{}", stdout(&before));
    assert!(!Path::new(&data).exists(), "nothing is begun");
    let _server = Running::server(&["serve", "--config", &file]);
    let output = run(&["check", &file]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.contains("is in use by another server") && !said.contains("in memory"), "{said}");
    assert!(said.ends_with("serve         would not start now: store\n"), "{said}");
    assert_eq!(code(&run(&["check", &file, "--offline"])), 0, "the configuration is right");
}

#[test]
fn offline_asks_no_redis() {
    let away = RedisServer::prepare(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let file =
        write(folder.path(), "g.toml", &format!("port = 0\nredis = \"{}\"\nchannels = \"*\"\n", away.url()));
    assert_eq!(code(&run(&["check", &file, "--offline"])), 0);
    assert_eq!(code(&run(&["check", &file])), 4);
    assert_eq!(code(&run(&["check", &file, "--config", &file])), 2);
}
