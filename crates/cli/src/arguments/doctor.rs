use std::path::PathBuf;

use clap::Args;
use geocast_server::{Patterns, RedisUrl};

use crate::units;

/// `geocast doctor`. What has the name of an option of `serve` is that option: where it is not typed, the environment and the
/// configuration file are asked.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The Redis to look at, as for `serve --redis` [default: that of the configuration]
    #[arg(id = "redis", value_name = "URL", hide_env_values = true)]
    pub(crate) redis: Option<RedisUrl>,
    /// Only channels with these names, as patterns such as 'vehicles,news_*'
    #[arg(long, value_name = "PATTERNS")]
    pub(crate) channels: Option<Patterns>,
    /// Look at no more keys than this
    #[arg(long, value_name = "N", value_parser = units::count::<usize>, default_value = "10000")]
    pub(crate) keys: usize,
    /// Print what was found as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Read options from this TOML or JSON file, as `serve` does
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Trust whom the certificates in this PEM file vouch for, where the URL says rediss
    #[arg(long, value_name = "FILE")]
    pub(crate) redis_ca: Option<PathBuf>,
    /// Show the certificate in this PEM file to a Redis that asks for one
    #[arg(long, value_name = "FILE")]
    pub(crate) redis_cert: Option<PathBuf>,
    /// The private key of --redis-cert, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) redis_key: Option<PathBuf>,
}
