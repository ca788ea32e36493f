use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::units;

/// How Redis is used. Without `--redis` these mean nothing.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Redis")]
pub(crate) struct RedisOptions {
    /// Trust whom the certificates in this PEM file vouch for, where the URL of Redis says rediss [default: whom this machine
    /// trusts]
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) redis_ca: Option<PathBuf>,
    /// Show the certificate in this PEM file to a Redis that asks for one
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) redis_cert: Option<PathBuf>,
    /// The private key of --redis-cert, PEM
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) redis_key: Option<PathBuf>,
    /// In a cluster, how far what is published through geocast goes [default: everywhere]
    #[arg(long, value_name = "HOW", value_enum, hide_short_help = true)]
    pub(crate) redis_publish: Option<RedisPublishOption>,
    /// Making a connection [default: 2s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) redis_connect_timeout: Option<Duration>,
    /// Any read or write, to the last byte of the answer [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) redis_command_timeout: Option<Duration>,
    /// How often Redis has to prove that messages arrive [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) redis_probe_interval: Option<Duration>,
    /// Connections for commands [default: 8]
    #[arg(long, value_name = "N", value_parser = units::positive, hide_short_help = true)]
    pub(crate) redis_pool_size: Option<NonZeroUsize>,
    /// The longest message that is passed on [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size, hide_short_help = true)]
    pub(crate) redis_max_message: Option<usize>,
    /// The most that one read of a channel's state may bring [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size, hide_short_help = true)]
    pub(crate) redis_max_state: Option<usize>,
}

/// How far what is published in a cluster goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RedisPublishOption {
    /// To all nodes, with PUBLISH
    Everywhere,
    /// To the shard of the channel alone, with SPUBLISH: Redis 7
    Sharded,
}
