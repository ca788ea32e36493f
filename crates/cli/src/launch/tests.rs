use clap::{Args, FromArgMatches};
use geocast_server::{Compression, KeyFile};

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
    let with_data = ["--data=/somewhere".to_owned()];
    let default_with_data = format!("{:?}", launch(&with_data).unwrap());
    let mut checked = 0;
    let table = Table::new();
    for option in table.options() {
        let help = option.help();
        let Some((_, stated)) = help.split_once("[default: ") else { continue };
        let stated = stated.trim_end_matches(']');
        if stated.contains(' ') || stated == "none" || ["vehicles", "seed"].contains(&option.key()) {
            continue;
        }
        let mut arguments = vec![format!("{}={stated}", option.flag())];
        let expected = if option.key().starts_with("redis_") {
            arguments.extend(with_redis.clone());
            &default_with_redis
        } else if option.key() == "flush_interval" {
            arguments.extend(with_data.clone());
            &default_with_data
        } else {
            &default
        };
        assert_eq!(format!("{:?}", launch(&arguments).unwrap()), *expected, "{}", option.key());
        checked += 1;
    }
    assert!(checked > 30, "only {checked} defaults are stated");
}

#[test]
fn compression_is_off_unless_it_is_switched_on() {
    let check = |arguments: &[&str], expected| {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        assert_eq!(launch(&arguments).unwrap().settings.compression, expected, "{arguments:?}");
    };
    check(&[], Compression::Off);
    check(&["--deflate"], Compression::Deflate { threshold: 256 });
    check(&["--deflate=true", "--deflate-threshold=1KiB"], Compression::Deflate { threshold: 1024 });
    check(&["--deflate=false"], Compression::Off);
    check(&["--deflate-threshold=7"], Compression::Off);
}

#[test]
fn filters_that_listen_have_a_channel() {
    let check = |arguments: &[&str], expected: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let channels = launch(&arguments).unwrap().settings.pipeline_channels;
        let channels: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
        assert_eq!(channels, expected, "{arguments:?}");
    };
    check(&[], &[]);
    check(&["-f"], &[]);
    check(&["-f", "broadcast_pubsub"], &["global"]);
    check(&["-f", "stdout_messages", "filtered_websocket.filters.stdout_pubsub"], &["global"]);
    check(&["-f", "broadcast_pubsub", "--redis-channels", "news", "sport"], &["news", "sport"]);
}

#[test]
fn every_option_has_an_effect() {
    let table = Table::new();
    let default = format!("{:?}", launch(&["--redis=redis://localhost".to_owned()]).unwrap());
    let default_with_data = format!("{:?}", launch(&["--data=/somewhere".to_owned()]).unwrap());
    let default_with_token_rate = format!("{:?}", launch(&["--token-rate=5".to_owned()]).unwrap());
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "k\n").unwrap();
    let (secret, jwks) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    std::fs::write(secret.path(), SECRET).unwrap();
    std::fs::write(jwks.path(), JWKS).unwrap();
    for option in table.options() {
        let candidates =
            ["7", "7s", "/somewhere", "true", "empty", "authority", "drop-oldest", "json", "https://a.test"];
        let value = match option.key() {
            "config" | "vehicles" | "seed" => continue,
            // They need each other, and files; see `redis.rs`.
            "redis_ca" | "redis_cert" | "redis_key" => continue,
            "reuse_addr" => "false",
            "redis" => "redis://elsewhere",
            "filters" => "stdout_pubsub",
            "outbox_bytes" => "8KiB",
            "rohrpost_handler" => "send=http://localhost:8000/send",
            "path_projections" => "/ws=epsg:3857",
            "channel_crs" => "swiss*=epsg:2056",
            "track_key" => "vehicles*=train_id",
            "stale_after" => "vehicles*=30s",
            "history" => "vehicles*=1000/10m",
            "bbox_keyword" => "kind=type",
            "trusted_proxies" => "10.0.0.0/8",
            "forwarded_header" => "forwarded",
            "redis_publish" => "sharded",
            "publish_key_file" | "metrics_token_file" | "operator_token_file" => key.path().to_str().unwrap(),
            "jwt_key_file" => secret.path().to_str().unwrap(),
            "jwks_file" => jwks.path().to_str().unwrap(),
            _ => candidates
                .into_iter()
                .find(|value| table.read([option.argument(value.as_ref())]).is_ok())
                .unwrap_or_else(|| panic!("{} takes none of the candidates", option.key())),
        };
        let mut arguments = vec![format!("{}={value}", option.flag())];
        match option.key() {
            "deflate_threshold" => arguments.push("--deflate".to_owned()),
            "tls_cert" => arguments.push("--tls-key=/somewhere".to_owned()),
            "tls_key" => arguments.push("--tls-cert=/somewhere".to_owned()),
            "jwt_issuer" | "jwt_audience" | "jwt_channels" => {
                arguments.push(format!("--jwks-file={}", jwks.path().display()));
            }
            _ => {}
        }
        let (given, default) = match option.key() {
            "redis" => ("--redis=redis://elsewhere", &default),
            "data" => ("--data=/somewhere", &default),
            "flush_interval" => ("--data=/somewhere", &default_with_data),
            "token_burst" => ("--token-rate=5", &default_with_token_rate),
            _ => ("--redis=redis://localhost", &default),
        };
        if !given.starts_with(&option.flag()) {
            arguments.push(given.to_owned());
        }
        assert_ne!(
            format!("{:?}", launch(&arguments).unwrap()),
            *default,
            "{} changes nothing",
            option.key()
        );
    }
}

#[test]
fn rules_for_tracked_channels_come_in_lists_and_hold_something() {
    let check = |arguments: &[&str], expected: Result<usize, &str>| {
        let command = Options::augment_args(clap::Command::new("geocast").no_binary_name(true));
        let read = command.try_get_matches_from(arguments).map_err(|error| error.to_string());
        let rules = read.map(|matches| {
            let settings = Launch::try_from(Options::from_arg_matches(&matches).unwrap()).unwrap().settings;
            settings.track_keys.len() + settings.stale_after.len()
        });
        match (rules, expected) {
            (Ok(rules), Ok(expected)) => assert_eq!(rules, expected, "{arguments:?}"),
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
            (rules, _) => panic!("{arguments:?}: {rules:?}"),
        }
    };
    check(&["--track-key=vehicles*=train_id,ships=mmsi", "--track-key", "a=b"], Ok(3));
    check(&["--stale-after=vehicles*=30s,ships=10m"], Ok(2));
    check(&["--stale-after=vehicles*=0s"], Err("is no time at all"));
    check(&["--stale-after=vehicles*=30"], Err("is not a duration such as 25s"));
    check(&["--stale-after=30s"], Err("has no value"));
    check(&["--track-key=vehicles*="], Err("is empty"));
    check(&["--max-tracked-keys=0"], Err("is not a whole number of 1 or more"));
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

#[test]
fn tokens_are_in_use_where_there_are_keys() {
    let [secret, jwks] = [SECRET, JWKS].map(|content| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    });
    let (secret, jwks) = (secret.path(), jwks.path());
    assert!(launch(&[]).unwrap().settings.tokens.is_none());
    let tokens = launch(&[
        format!("--jwt-key-file={}", secret.display()),
        format!("--jwks-file={}", jwks.display()),
        "--jwt-issuer=https://id.test/".to_owned(),
        "--jwt-audience=maps".to_owned(),
        "--jwt-channels=team_*,news".to_owned(),
    ]);
    let tokens = tokens.unwrap().settings.tokens.unwrap();
    assert_eq!(tokens.keys, [KeyFile::Secret(secret.to_owned()), KeyFile::Jwks(jwks.to_owned())]);
    assert_eq!(tokens.issuer.as_deref(), Some("https://id.test/"));
    assert_eq!(tokens.audience.as_deref(), Some("maps"));
    assert!(tokens.channels.unwrap().matches("team_a"));
    for option in ["--jwt-issuer=a", "--jwt-audience=a", "--jwt-channels=a"] {
        let error = launch(&[option.to_owned()]).unwrap_err().to_string();
        assert!(error.ends_with("needs `jwks_file` or `jwt_key_file`, which is not given"), "{error}");
    }
    for (option, path) in [("--jwks-file", secret), ("--jwt-key-file", jwks)] {
        let error = launch(&[format!("{option}={}", path.display())]).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()) && !error.contains(SECRET), "{error}");
    }
    let error = launch(&["--jwks-file=/nowhere".to_owned()]).unwrap_err().to_string();
    assert_eq!(error, "the key file /nowhere cannot be read");
}

const SECRET: &str = "correct horse battery staple; and more";
/// The key of RFC 8037 A.2.
const JWKS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

#[test]
fn a_history_has_a_number_a_time_or_both() {
    let check = |argument: &str, expected: Result<(Option<usize>, Option<u64>), &str>| {
        let command = Options::augment_args(clap::Command::new("geocast").no_binary_name(true));
        let read = command.try_get_matches_from([format!("--history={argument}")]);
        match (read, expected) {
            (Ok(matches), Ok((messages, seconds))) => {
                let launch = Launch::try_from(Options::from_arg_matches(&matches).unwrap()).unwrap();
                let age = seconds.map(std::time::Duration::from_secs);
                let expected = format!("{:?}", geocast_server::HistoryBound { messages, age });
                assert!(format!("{:?}", launch.settings.history).contains(&expected), "{argument}");
            }
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (read, _) => panic!("{argument}: {read:?}"),
        }
    };
    check("cars*=1000", Ok((Some(1000), None)));
    check("cars*=10m", Ok((None, Some(600))));
    check("cars*=5/1h", Ok((Some(5), Some(3600))));
    check("cars*=1h/5", Ok((Some(5), Some(3600))));
    check("cars*=0", Err("is no time at all"));
    check("cars*=5/6", Err("is not a number of messages, a time or both"));
    check("cars*=", Err("is not a duration"));
    check("cars", Err("has no value"));
}
