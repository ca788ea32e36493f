use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs,
};

use clap::{ArgMatches, Args};

use super::{ConfigError, DemoArguments, merge};
use crate::config::Table;

/// What was typed behind `geocast demo`.
fn typed(line: &str) -> ArgMatches {
    DemoArguments::augment_args(clap::Command::new("geocast").no_binary_name(true))
        .try_get_matches_from(line.split_whitespace())
        .unwrap()
}

/// All three sources; the file by its name and text.
fn resolve(
    line: &str,
    variables: &[(&str, &str)],
    (name, text): (&str, &str),
) -> Result<DemoArguments, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let config = (!text.is_empty()).then(|| ("GEOCAST_CONFIG".into(), path.into_os_string()));
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    merge(&typed(line), variables.chain(config)).map(|resolved| resolved.arguments)
}

fn port(line: &str, variables: &[(&str, &str)], toml: &str) -> Option<u16> {
    resolve(line, variables, ("g.toml", toml)).unwrap().options.port
}

const NO_FILE: (&str, &str) = ("g.toml", "");

/// The message, with the folder of the file left out.
fn error(line: &str, variables: &[(&str, &str)], file: (&str, &str)) -> String {
    let message = resolve(line, variables, file).unwrap_err().to_string();
    match message.split_once(" in /") {
        Some((before, rest)) => format!("{before} in {}", &rest[rest.find(file.0).unwrap()..]),
        None => message,
    }
}

#[test]
fn a_flag_wins_over_the_environment_and_the_environment_over_the_file() {
    let environment = [("GEOCAST_PORT", "2")];
    assert_eq!(port("", &[], ""), None);
    assert_eq!(port("", &[], "port = 3"), Some(3));
    assert_eq!(port("", &environment, "port = 3"), Some(2));
    assert_eq!(port("--port 1", &environment, "port = 3"), Some(1));
    assert_eq!(port("--port 1", &[], "port = 3"), Some(1));
    assert_eq!(port("", &[("GEOCAST_PORT", "")], "port = 3"), Some(3), "an empty variable is none");
    assert_eq!(port("", &[("GEO", "x"), ("geocast_port", "9")], ""), None, "others' variables are theirs");
}

#[test]
fn a_file_speaks_of_the_environment_and_of_flags_alike() {
    let toml = "host = \"::1\"\nping_interval = \"9s\"\nviewport_channels = [\"a\", \"b\"]\ninsecure_any_origin = true\n\
                max_message = \"1KiB\"\nlog_format = \"json\"\nseed = 5";
    let json = r#"{"host":"::1","ping_interval":"9s","viewport_channels":"a,b","insecure_any_origin":true,
                "max_message":1024,"log_format":"json","seed":"5"}"#;
    let variables = [
        ("GEOCAST_HOST", "::1"),
        ("GEOCAST_PING_INTERVAL", "9s"),
        ("GEOCAST_VIEWPORT_CHANNELS", "a,b"),
        ("GEOCAST_INSECURE_ANY_ORIGIN", "true"),
        ("GEOCAST_MAX_MESSAGE", "1kib"),
        ("GEOCAST_LOG_FORMAT", "json"),
        ("GEOCAST_SEED", "5"),
        ("GEOCAST_URL", "ws://elsewhere"),
    ];
    let flags = "--host ::1 --ping-interval 9s --viewport-channels a,b --insecure-any-origin --max-message=1024 \
                 --log-format json --seed 5";
    let found = [
        resolve(flags, &[], NO_FILE),
        resolve("", &variables, NO_FILE),
        resolve("", &[], ("g.toml", toml)),
        resolve("", &[], ("g.JSON", json)),
    ]
    .map(|arguments| {
        let mut arguments = arguments.unwrap();
        arguments.options.config = None;
        format!("{arguments:?}")
    });
    assert!(
        found[0].contains("seed: Some(5)") && found[0].contains("ping_interval: Some(9s)"),
        "{}",
        found[0]
    );
    assert!(found.iter().all(|arguments| *arguments == found[0]), "{found:#?}");
}

#[test]
fn what_a_file_turns_on_a_flag_turns_off() {
    let open = |line| {
        resolve(line, &[], ("g.toml", "insecure_any_origin = true")).unwrap().options.insecure_any_origin
    };
    assert_eq!(open(""), Some(true));
    assert_eq!(open("--insecure-any-origin=false"), Some(false));
}

#[test]
fn a_file_named_by_a_flag_wins_over_one_named_by_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flag.toml");
    fs::write(&path, "port = 1").unwrap();
    assert_eq!(port(&format!("--config {}", path.display()), &[], "port = 2"), Some(1));
}

#[test]
fn a_higher_source_also_wins_over_what_excludes_its_value() {
    let file = ("g.toml", "publish_key_file = \"k\"");
    let options = resolve("", &[("GEOCAST_PUBLISH_KEY", "x")], file).unwrap().options;
    assert_eq!((options.publish_key.as_deref(), options.publish_key_file), (Some("x"), None));
    assert_eq!(
        error("", &[], ("g.toml", "publish_key = \"k\"\npublish_key_file = \"k\"")),
        "`publish_key` and `publish_key_file` in g.toml, line 1 exclude each other: remove one"
    );
}

#[test]
fn what_changes_in_a_file_in_vain_is_named_with_what_decides() {
    let overridden = |line: &str, toml: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("g.toml");
        fs::write(&path, toml).unwrap();
        let variables = [
            ("GEOCAST_CONFIG", path.to_str().unwrap()),
            ("GEOCAST_PUBLISH_KEY", "hush"),
            ("GEOCAST_PORT", "2"),
        ];
        let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        merge(&typed(line), variables).unwrap().overridden
    };
    let same = "port = 3\nmax_depth = 5";
    for (before, now, named) in [
        (same, same, &[][..]),
        (same, "port = 4\nmax_depth = 6", &["max_depth (--max-depth)", "port (GEOCAST_PORT)"]),
        ("", same, &["max_depth (--max-depth)", "port (GEOCAST_PORT)"]),
        // What says the same as what decides, and what says nothing any more, deceives nobody.
        (same, "port = 2", &[]),
        ("", "publish_key = \"hush\"", &[]),
        ("", "publish_key = \"other\"", &["publish_key (GEOCAST_PUBLISH_KEY)"]),
        ("", "publish_key_file = \"hush\"", &["publish_key_file (GEOCAST_PUBLISH_KEY)"]),
        ("", "max_message = 100", &[]),
        ("", "viewport_channels = [\"a\", \"b\"]", &[]),
        ("", "viewport_channels = \"a,b\"", &[]),
        ("", "viewport_channels = [\"b\"]", &["viewport_channels (--viewport-channels)"]),
    ] {
        let line = "--max-depth 7 --viewport-channels a,b";
        assert_eq!(overridden(line, before).changed(&overridden(line, now)), named, "{before:?} to {now:?}");
    }
}

#[test]
fn what_is_no_option_is_named_with_the_nearest_and_its_place() {
    for (variables, file, message) in [
        (
            &[][..],
            ("g.toml", "host = \"a\"\nprot = 1"),
            "`prot` in g.toml, line 2 is no option of geocast; did you mean `port`?",
        ),
        (
            &[],
            ("g.json", r#"{"ping-interval": "1s"}"#),
            "`ping-interval` in g.json, line 1 is no option of geocast; did you mean `ping_interval`?",
        ),
        (
            &[],
            ("g.toml", "config = \"x.toml\""),
            "`config` in g.toml, line 1 is no option of geocast; `geocast serve --help` lists them",
        ),
        (
            &[("GEOCAST_CHANELS", "x")],
            NO_FILE,
            "`GEOCAST_CHANELS` in the environment is no option of geocast; did you mean `GEOCAST_CHANNELS`?",
        ),
        (
            &[("GEOCAST_COUNT", "")],
            NO_FILE,
            "`GEOCAST_COUNT` in the environment is no option of geocast; `geocast serve --help` lists them",
        ),
    ] {
        assert_eq!(error("", variables, file), message);
    }
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_what_would_be_right() {
    for (variables, file, message) in [
        (
            &[("GEOCAST_PORT", "http")][..],
            NO_FILE,
            "`GEOCAST_PORT=http` in the environment is not valid: \
             \"http\" is not a port: 0 to 65535, where 0 stands for any that is free",
        ),
        (
            &[],
            ("g.toml", "\nping_interval = 25"),
            "`ping_interval=25` in g.toml, line 2 is not valid: \
             \"25\" is not a duration such as 25s, 500ms, 2m or 1h",
        ),
        (
            &[],
            ("g.toml", "log_format = \"yaml\""),
            "`log_format=yaml` in g.toml, line 1 is not valid: expected auto or human or json",
        ),
        (
            &[],
            ("g.json", r#"{"host": {"name": "x"}}"#),
            "`host={\"name\":\"x\"}` in g.json, line 1 is not valid: \
             expected text, a number, true, false or a list of these",
        ),
        (
            &[("GEOCAST_REDIS", "redis+tls://u:secret@host")],
            NO_FILE,
            "`GEOCAST_REDIS=…` in the environment is not valid: \
             the redis url has the scheme \"redis+tls\" instead of redis, redis+sentinel, redis+cluster, with TLS rediss, \
             rediss+sentinel, rediss+cluster, or redis+unix",
        ),
        (
            &[("GEOCAST_ALLOW_ORIGIN", "https://a.test,b.test")],
            NO_FILE,
            "`GEOCAST_ALLOW_ORIGIN=https://a.test,b.test` in the environment is not valid: \
             `b.test` is no origin such as https://maps.example.org",
        ),
    ] {
        assert_eq!(error("", variables, file), message);
    }
}

#[test]
fn a_file_that_is_none_is_named() {
    assert!(error("", &[], ("g.yaml", "a: 1")).ends_with("g.yaml is to end in .toml or .json"));
    assert!(error("", &[], ("g.json", "{")).contains("is not valid: EOF"));
    assert!(error("", &[], ("g.toml", "port = ")).contains("is not valid: TOML parse error"));
    let missing = merge(&typed("--config /nonexistent/g.toml"), []).unwrap_err();
    assert_eq!(missing.to_string(), "the configuration /nonexistent/g.toml cannot be read");
}

#[test]
fn every_option_has_a_name_everywhere() {
    let table = Table::new();
    for option in table.options() {
        assert_eq!(option.flag(), format!("--{}", option.key().replace('_', "-")));
        assert!(!option.help().is_empty(), "{} has no help", option.key());
    }
    assert!(table.options().count() > 40);
}

/// Whatever can be typed can stand in a file: the same value under the option's name.
#[test]
fn every_option_is_taken_from_a_file() {
    let table = Table::new();
    let candidates = [
        "true",
        "1",
        "4096",
        "1s",
        "x",
        "text",
        "json",
        "close",
        "sharded",
        "null",
        "xy",
        "forwarded",
        "redis://a",
        "10.0.0.0/8",
        "https://a.test",
        "/x",
        "/x=epsg:3857",
        "a=epsg:2056",
        "a=1",
        "a=1s",
        "a=b",
        "send=http://a.test/",
    ];
    for option in table.options().filter(|option| option.key() != "config") {
        let fits = |value: &&str| table.read([option.argument(OsStr::new(value))]).is_ok();
        let value = candidates.into_iter().find(fits).unwrap_or_else(|| panic!("none fits {}", option.key()));
        let text = format!("{} = {value:?}", option.key());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("g.toml");
        fs::write(&path, &text).unwrap();
        let variables = [("GEOCAST_CONFIG".into(), path.into_os_string())];
        let resolved = merge(&typed(""), variables).unwrap_or_else(|error| panic!("{text}: {error}"));
        let nothing = merge(&typed(""), []).unwrap().values;
        assert_eq!(resolved.values.differing(&nothing), BTreeSet::from(["config", option.key()]));
    }
}

#[test]
fn what_a_running_server_follows_are_options() {
    let table = Table::new();
    for key in crate::config::source::FOLLOWED {
        assert!(table.options().any(|option| option.key() == key), "{key}");
    }
}
