//! What deploy, the Dockerfile and compose.yaml say of options, ports, paths and times is so.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::{
    geocast::{Running, code, geocast, run, stderr, stdout},
    pages::root,
    schemas::{faults, tool, yaml},
};

#[test]
fn the_configuration_of_the_package_is_right_and_says_what_is_possible() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = root().join("deploy/geocast.toml");
    let output = run(&[
        "check",
        "--config",
        &file.display().to_string(),
        "--port",
        "0",
        "--data",
        &data.display().to_string(),
    ]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let (options, mut suggested) = (options(), 0);
    for line in read("deploy/geocast.toml").lines().filter_map(|line| line.strip_prefix("# ")) {
        let Some((key, value)) = line.split_once(" = ") else { continue };
        suggested += 1;
        assert!(options.contains(key), "{key} is no option");
        assert!(format!("x = {value}").parse::<toml::Table>().is_ok(), "{line} is no TOML");
    }
    assert!(suggested >= 4, "{suggested} lines to take the comment off");
}

#[test]
fn the_unit_starts_what_the_package_has() {
    let unit = read("deploy/geocast.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("it starts something");
    assert_eq!(line, "geocast serve --config /etc/geocast/geocast.toml", "wherever the binary is installed");
    let manifest: toml::Table = read("crates/cli/Cargo.toml").parse().expect("it is TOML");
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().expect("a list");
    let installed: Vec<_> = assets.iter().filter_map(|asset| asset[1].as_str()).collect();
    for path in ["usr/bin/geocast", "etc/geocast/geocast.toml"] {
        assert!(installed.contains(&path), "{path} of {installed:?}");
    }
    // cargo-deb takes unit and user from there by their names; `make packages` looks whether it has.
    let units = &manifest["package"]["metadata"]["deb"]["systemd-units"];
    assert_eq!(units["unit-name"].as_str(), Some("geocast"));
    assert_eq!(units["unit-scripts"].as_str(), Some("../../deploy"));
    for source in
        assets.iter().filter_map(|asset| asset[0].as_str()).filter(|path| !path.starts_with("target"))
    {
        let plain = source.split('*').next().unwrap_or_default();
        assert!(root().join("crates/cli").join(plain).exists(), "{source}");
    }
    let user = unit.lines().find_map(|line| line.strip_prefix("User=")).expect("it has a user");
    assert!(read("deploy/geocast.sysusers").contains(&format!("\nu {user} - ")), "{user}");
}

#[test]
fn the_dockerfile_is_right_by_hadolint() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = folder.path().join("Dockerfile");
    fs::write(&wrong, "FROM debian\nRUN cd /tmp\n").expect("the folder is ours");
    for (file, expected) in [(root().join("Dockerfile"), &[][..]), (wrong, &["DL3006", "DL3003"])] {
        let mut hadolint = std::process::Command::new(tool("hadolint"));
        let output = hadolint.arg("--no-color").arg(&file).output().expect("it runs");
        let said = stdout(&output) + &stderr(&output);
        assert_eq!(code(&output) == 0, expected.is_empty(), "{}: {said}", file.display());
        assert!(expected.iter().all(|rule| said.contains(rule)), "{said}");
    }
}

#[test]
fn the_image_is_made_of_what_its_build_gets() {
    let ignored = read(".dockerignore");
    let ignored: Vec<&str> = ignored.lines().filter(|line| !line.starts_with(['#', '*'])).collect();
    let is_there = |path: &str| {
        let is_left_out = ignored.iter().any(|left_out| Path::new(path).starts_with(left_out));
        root().join(path).exists() && !is_left_out
    };
    let file = read("Dockerfile");
    let copied =
        file.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--"));
    let copied: Vec<&str> = copied.filter_map(|line| line.split(' ').next()).collect();
    assert!(copied.contains(&".") && copied.contains(&"web"), "{copied:?}");
    let manifest: toml::Table = read("Cargo.toml").parse().expect("it is TOML");
    let members = manifest["workspace"]["members"].as_array().expect("a list");
    let members = members.iter().filter_map(|member| member.as_str()?.split("/*").next());
    for path in members.chain(copied).chain(["Cargo.lock", "web/package-lock.json"]) {
        assert!(is_there(path), "{path} is not in the context");
    }
    for path in ["target", "web/dist", "docs"] {
        assert!(!is_there(path), "{path} is in the context");
    }
}

#[test]
fn the_image_is_asked_whether_it_lives() {
    let file = read("Dockerfile");
    let last = file.rsplit("\nFROM ").next().expect("there is a stage");
    let said = |word: &str| {
        let lines = last.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        lines.map(str::to_owned).next_back().unwrap_or_else(|| panic!("no {word}"))
    };
    assert!(!said("USER").starts_with('0') && !said("USER").starts_with("root"), "{}", said("USER"));
    let variables = said("ENV");
    assert_variables(variables.split(' ').map(|pair| pair.split('=').next().unwrap_or_default()));
    let port = said("EXPOSE");
    assert!(variables.contains(&format!("GEOCAST_PORT={port}")), "{variables}");
    assert_eq!(serde_json::from_str::<Value>(&said("CMD")).ok(), Some(json!(["serve"])));

    let (_, command) =
        said("HEALTHCHECK").split_once("CMD ").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a command");
    let command: Vec<String> = serde_json::from_str(&command).expect("it is a list, as there is no shell");
    assert_eq!(command[0], serde_json::from_str::<Vec<String>>(&said("ENTRYPOINT")).expect("a list")[0]);
    let mut server = Running::server(&["serve", "--port", "0"]);
    let own = server.address().port().to_string();
    let asked: Vec<&str> = command[1..].iter().map(String::as_str).collect();
    // The variable has another value where somebody has given the container one.
    let asks = || geocast(&asked).env("GEOCAST_PORT", &own).output().expect("the binary was built");
    assert_eq!(code(&asks()), 0, "{asked:?}");
    server.signal("TERM");
    server.code();
    assert_ne!(code(&asks()), 0);
}

#[test]
fn the_composition_leaves_time_for_a_drain() {
    let compose = yaml("compose.yaml");
    let service = &compose["services"]["geocast"];
    let variables = service["environment"].as_object().expect("a table");
    assert_variables(variables.keys().map(String::as_str));
    let mut demo = geocast(&[service["command"][0].as_str().expect("a command"), "--help"]);
    assert!(demo.output().expect("it runs").status.success());
    let grace = service["stop_grace_period"].as_str().and_then(|text| text.strip_suffix('s')?.parse().ok());
    assert!(grace.is_some_and(|grace| Duration::from_secs(grace) > drain()), "{grace:?}");
    assert_eq!(service["ports"], json!(["127.0.0.1:8765:8765"]), "as the Dockerfile exposes it");
}

/// Nobody else has the token that the demo makes for it.
#[test]
fn the_composition_prints_where_the_page_of_operators_is() {
    let compose = yaml("compose.yaml");
    let service = &compose["services"]["geocast"];
    let mut demo = geocast(&[service["command"][0].as_str().expect("a command"), "--port", "0"]);
    // As in the image, and without the Redis of the composition.
    demo.env("GEOCAST_LOG_FORMAT", "json");
    for (name, value) in service["environment"].as_object().expect("a table") {
        if name != "GEOCAST_REDIS" {
            demo.env(name, value.as_str().expect("a text"));
        }
    }
    let mut demo = Running::start(demo);
    demo.wait_for("/operator#token=");
    demo.signal("TERM");
    demo.code();
}

#[test]
fn the_image_that_is_pushed_is_the_one_that_the_chart_starts() {
    let chart = yaml("deploy/helm/geocast/Chart.yaml");
    let version = chart["appVersion"].as_str().expect("a text");
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let page = read("docs/operating.md");
    assert_eq!(page.matches(&format!("registry.example.org/geocast:{version}")).count(), 2, "built, pushed");
    assert!(page.contains("--set image.repository=registry.example.org/geocast "));
}

#[test]
fn the_chart_says_what_is_so() {
    let values = yaml("deploy/helm/geocast/values.yaml");
    let schema: Value =
        serde_json::from_str(&read("deploy/helm/geocast/values.schema.json")).expect("it is JSON");
    assert_eq!(faults(&schema, &values), "");
    for time in DRAIN {
        let mut wrong = values.clone();
        wrong["config"][time] = json!("half a minute");
        assert_ne!(faults(&schema, &wrong), "", "{time}");
    }

    let options = options();
    let config = values["config"].as_object().expect("a table");
    assert!(config.keys().all(|key| options.contains(key)), "{config:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("geocast.json");
    assert_eq!(
        values["config"].get("channels"),
        None,
        "nothing is open to everybody unless somebody says so"
    );
    let mut opened = values["config"].clone();
    opened["channels"] = json!(["vehicles"]);
    fs::write(&file, opened.to_string()).expect("the folder is ours");
    let output = run(&["check", "--config", &file.display().to_string(), "--port", "0"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));

    let chart = read("deploy/helm/geocast/templates/deployment.yaml");
    let grace = chart.lines().find(|line| line.contains("terminationGracePeriodSeconds: "));
    let grace = grace.expect("there is a grace period");
    for time in DRAIN {
        let said = config[time].as_str().and_then(|text| text.strip_suffix('s')?.parse().ok());
        let said = Duration::from_secs(said.expect("seconds"));
        assert_eq!(
            said,
            default(&time.replace('_', "-")),
            "who does not say otherwise gets what the server does"
        );
        assert!(
            grace.contains(&format!("(int (trimSuffix \"s\" .Values.config.{time}))")),
            "{time}: {grace}"
        );
    }
    let more = grace.trim_end_matches(" }}").rsplit(' ').next().and_then(|more| more.parse().ok());
    assert!(more.is_some_and(|more| Duration::from_secs(more) > default("close-timeout")), "{grace}");
    for variable in chart.split("name: GEOCAST_").skip(1) {
        assert_variables([format!("GEOCAST_{}", variable.lines().next().expect("a line")).as_str()]);
    }
    let fixed = read("deploy/helm/geocast/templates/_helpers.tpl");
    assert!(fixed.contains("\"port\" 8765") && chart.contains("containerPort: 8765"), "one port");
    assert!(chart.contains("path: /live") && chart.contains("path: /ready"), "probes");
}

#[test]
fn traefik_is_told_where_the_server_is() {
    let file = yaml("deploy/proxies/traefik.yaml");
    let balancer = &file["http"]["services"]["geocast"]["loadBalancer"];
    let port = stdout(&run(&["serve", "--help"])).contains("[default: 8765]");
    assert!(port && balancer["servers"][0]["url"] == json!("http://127.0.0.1:8765"), "{balancer}");
    assert_eq!(balancer["healthCheck"]["path"], json!("/ready"));
    assert_eq!(file["http"]["routers"]["geocast"]["service"], json!("geocast"));
}

/// How long the server takes to stop at most.
fn drain() -> Duration {
    DRAIN.map(|time| default(&time.replace('_', "-"))).into_iter().sum::<Duration>()
        + default("close-timeout")
}

fn default(option: &str) -> Duration {
    let help = stdout(&run(&["serve", "--help"]));
    let said = help.split(&format!("--{option} ")).nth(1).and_then(|rest| rest.split("[default: ").nth(1));
    let seconds = said.and_then(|rest| rest.split_once("s]")?.0.parse().ok());
    Duration::from_secs(seconds.unwrap_or_else(|| panic!("{option} has no default")))
}

/// All options, as keys of a file.
pub(crate) fn options() -> BTreeSet<String> {
    let help = stdout(&run(&["serve", "--help"]));
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let names = lines.filter_map(|line| line.split("--").nth(1)?.split([' ', '[', '=']).next());
    let options: BTreeSet<String> = names.map(|name| name.replace('-', "_")).collect();
    assert!(options.len() > 60, "{options:?}");
    options
}

fn assert_variables<'a>(names: impl IntoIterator<Item = &'a str>) {
    let options = options();
    for name in names {
        let key = name.strip_prefix("GEOCAST_").map(str::to_ascii_lowercase);
        assert!(key.is_some_and(|key| options.contains(&key)), "{name} is no variable");
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What a stopping server takes time for, as keys of a file.
const DRAIN: [&str; 2] = ["drain_delay", "drain_timeout"];
