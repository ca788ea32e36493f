use clap::{Args, FromArgMatches};

use super::Launch;
use crate::{arguments::Options, config::Table};

fn launch(arguments: &[String]) -> Result<Launch, super::ConfigError> {
    let command = Options::augment_args(clap::Command::new("geocast").no_binary_name(true));
    let matches = command.try_get_matches_from(arguments).unwrap();
    Options::from_arg_matches(&matches).unwrap().try_into()
}

/// The help of each option names its default. It must be the one of the server, which is written down elsewhere.
#[test]
fn the_defaults_in_the_help_are_those_of_the_server() {
    let default = format!("{:?}", launch(&[]).unwrap());
    let with_redis = ["--redis=redis://localhost".to_owned()];
    let default_with_redis = format!("{:?}", launch(&with_redis).unwrap());
    let mut checked = 0;
    let table = Table::new();
    for option in table.options() {
        let help = option.help();
        let Some((_, stated)) = help.split_once("[default: ") else { continue };
        let stated = stated.trim_end_matches(']');
        if stated.contains(' ') || ["vehicles", "seed"].contains(&option.key()) {
            continue;
        }
        let mut arguments = vec![format!("{}={stated}", option.flag())];
        let expected = if option.key().starts_with("redis_") {
            arguments.extend(with_redis.clone());
            &default_with_redis
        } else {
            &default
        };
        assert_eq!(format!("{:?}", launch(&arguments).unwrap()), *expected, "{}", option.key());
        checked += 1;
    }
    assert!(checked > 30, "only {checked} defaults are stated");
}

#[test]
fn every_option_has_an_effect() {
    let table = Table::new();
    let default = format!("{:?}", launch(&["--redis=redis://localhost".to_owned()]).unwrap());
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "k\n").unwrap();
    for option in table.options() {
        let candidates =
            ["7", "7s", "/somewhere", "true", "empty", "authority", "drop-oldest", "json", "https://a.test"];
        let value = match option.key() {
            "config" | "vehicles" | "seed" => continue,
            "reuse_addr" => "false",
            "redis" => "redis://elsewhere",
            "path_projections" => "/ws=epsg:3857",
            "publish_key_file" => key.path().to_str().unwrap(),
            _ => candidates
                .into_iter()
                .find(|value| table.read([option.argument(value.as_ref())]).is_ok())
                .unwrap_or_else(|| panic!("{} takes none of the candidates", option.key())),
        };
        let mut arguments = vec![format!("{}={value}", option.flag())];
        match option.key() {
            "tls_cert" => arguments.push("--tls-key=/somewhere".to_owned()),
            "tls_key" => arguments.push("--tls-cert=/somewhere".to_owned()),
            _ => {}
        }
        if option.key() != "redis" {
            arguments.push("--redis=redis://localhost".to_owned());
        }
        assert_ne!(format!("{:?}", launch(&arguments).unwrap()), default, "{} changes nothing", option.key());
    }
}

#[test]
fn a_key_file_must_hold_a_key() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let arguments = [format!("--publish-key-file={}", file.path().display())];
    std::fs::write(file.path(), "\r\n").unwrap();
    assert!(launch(&arguments).unwrap_err().to_string().ends_with("of `publish_key_file` is empty"));
    std::fs::write(file.path(), "tram 14\r\n").unwrap();
    let key = launch(&arguments).unwrap().settings.publish_key.unwrap();
    assert!(key.admits(b"tram 14"));
    drop(file);
    assert!(launch(&arguments).unwrap_err().to_string().ends_with("of `publish_key_file` cannot be read"));
}
