use geocast_server::{ClientTls, RedisPublishing, RedisSettings, RedisUrl};

use super::set;
use crate::{
    arguments::{RedisOptions, RedisPublishOption},
    config::ConfigError,
};

/// Certificates are read here, so that a wrong file is a wrong configuration.
pub(super) fn settings(url: RedisUrl, options: RedisOptions) -> Result<RedisSettings, ConfigError> {
    let RedisOptions {
        redis_ca,
        redis_cert,
        redis_key,
        redis_publish,
        redis_connect_timeout,
        redis_command_timeout,
        redis_probe_interval,
        redis_pool_size,
        redis_max_message,
        redis_max_state,
    } = options;
    let given = [("redis_ca", &redis_ca), ("redis_cert", &redis_cert), ("redis_key", &redis_key)];
    let given = given.into_iter().find_map(|(name, file)| file.as_ref().map(|_| name));
    let tls = match given {
        None => None,
        Some(given) if !url.is_tls() => {
            return Err(ConfigError::Lacking { given, other: "redis` with rediss://, not `redis://" });
        }
        Some(_) => {
            let trusted = redis_ca.map_or_else(ClientTls::system, |file| ClientTls::from_file(&file))?;
            Some(match (redis_cert, redis_key) {
                (None, None) => trusted,
                (Some(certificate), Some(key)) => trusted.identified(&certificate, &key)?,
                (Some(_), None) => {
                    return Err(ConfigError::Lacking { given: "redis_cert", other: "redis_key" });
                }
                (None, Some(_)) => {
                    return Err(ConfigError::Lacking { given: "redis_key", other: "redis_cert" });
                }
            })
        }
    };
    let mut settings = RedisSettings::new(url);
    settings.tls = tls;
    let publishing = redis_publish.map(|how| match how {
        RedisPublishOption::Everywhere => RedisPublishing::Everywhere,
        RedisPublishOption::Sharded => RedisPublishing::Sharded,
    });
    set(&mut settings.publishing, publishing);
    set(&mut settings.connect_timeout, redis_connect_timeout);
    set(&mut settings.command_timeout, redis_command_timeout);
    set(&mut settings.probe_interval, redis_probe_interval);
    set(&mut settings.pool_size, redis_pool_size);
    set(&mut settings.max_message, redis_max_message);
    set(&mut settings.max_state, redis_max_state);
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check(url: &str, files: [Option<&str>; 3], expected: Result<(), &str>) {
        let folder = tempfile::tempdir().unwrap();
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.path().join("cert"), pair.cert.pem()).unwrap();
        fs::write(folder.path().join("key"), pair.signing_key.serialize_pem()).unwrap();
        let [redis_ca, redis_cert, redis_key] = files.map(|file| file.map(|name| folder.path().join(name)));
        let options = RedisOptions { redis_ca, redis_cert, redis_key, ..RedisOptions::default() };
        let found = settings(url.parse().unwrap(), options);
        match (found, expected) {
            (Ok(settings), Ok(())) => {
                assert_eq!(settings.tls.is_some(), files.iter().any(Option::is_some), "{files:?}");
            }
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (found, _) => panic!("{url} {files:?}: {found:?}"),
        }
    }

    #[test]
    fn files_for_tls_are_read_and_of_use() {
        check("redis://h", [None; 3], Ok(()));
        check("rediss://h", [None; 3], Ok(()));
        check("rediss://h", [Some("cert"), None, None], Ok(()));
        check("rediss+sentinel://h/s", [Some("cert"), Some("cert"), Some("key")], Ok(()));
        check("redis://h", [Some("cert"), None, None], Err("`redis_ca` needs `redis` with rediss://"));
        check("/s", [None, Some("cert"), Some("key")], Err("`redis_cert` needs `redis` with rediss://"));
        check("rediss://h", [Some("cert"), Some("cert"), None], Err("`redis_cert` needs `redis_key`"));
        check("rediss://h", [Some("cert"), None, Some("key")], Err("`redis_key` needs `redis_cert`"));
        check("rediss://h", [Some("key"), None, None], Err("there is no certificate in"));
        check("rediss://h", [Some("none"), None, None], Err("none cannot be read"));
        check("rediss://h", [Some("cert"), Some("cert"), Some("cert")], Err("cannot be used"));
    }
}
