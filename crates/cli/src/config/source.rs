use clap::ArgMatches;

use super::{ConfigError, Overridden, Values, merge::Resolved, resolve};
use crate::{arguments::DemoArguments, launch::Launch};

/// Where the configuration of a server that runs is from, to be read again.
#[derive(Debug)]
pub(crate) struct ConfigSource {
    typed: ArgMatches,
    /// What it began with.
    values: Values,
    /// What its file said in vain then.
    overridden: Overridden,
}

impl ConfigSource {
    /// Reads it for the first time.
    pub(crate) fn begin(typed: ArgMatches) -> Result<(DemoArguments, Self), ConfigError> {
        let Resolved { arguments, values, overridden } = resolve(&typed)?;
        Ok((arguments, Self { typed, values, overridden }))
    }

    /// Reads it again, with all files that it names. What counts only after a restart is named in the log, if it has changed, and so
    /// is what has changed in the file and does not count at all.
    pub(crate) fn read(&self) -> Result<Launch, ConfigError> {
        let resolved = resolve(&self.typed)?;
        let launch = Launch::try_from(resolved.arguments.options)?;
        let changed = self.values.differing(&resolved.values);
        let waiting: Vec<&str> = changed.into_iter().filter(|key| !FOLLOWED.contains(key)).collect();
        if !waiting.is_empty() {
            // Not the values: some are secret.
            tracing::warn!(
                event = "reload_needs_restart",
                "changed in the configuration, but to count only after a restart: {}",
                waiting.join(", ")
            );
        }
        let in_vain = self.overridden.changed(&resolved.overridden);
        if !in_vain.is_empty() {
            tracing::warn!(
                event = "reload_overridden",
                "changed in the file, but the command line or the environment says otherwise: {}",
                in_vain.join(", ")
            );
        }
        Ok(launch)
    }
}

/// The options that a running server follows.
pub(crate) const FOLLOWED: [&str; 34] = [
    "accept_rate",
    "address_burst",
    "address_rate",
    "allow_origin",
    "channels",
    "command_burst",
    "commands_per_second",
    "forwarded_header",
    "insecure_any_origin",
    "jwks_file",
    "jwt_audience",
    "jwt_channels",
    "jwt_issuer",
    "jwt_key_file",
    "log",
    "max_address_connections",
    "max_buffer_count",
    "max_buffer_time",
    "max_connections",
    "max_message",
    "max_plain_connections",
    "max_publication",
    "max_subscriptions",
    "operator_token_file",
    "outbox_bytes",
    "overflow",
    "publish_key",
    "publish_key_file",
    "redis_ca",
    "redis_cert",
    "redis_key",
    "token_burst",
    "token_rate",
    "trusted_proxies",
];
