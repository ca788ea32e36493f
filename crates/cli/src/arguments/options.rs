use std::{num::NonZeroUsize, path::PathBuf};

use clap::{ArgAction, Args, ValueEnum, builder::NonEmptyStringValueParser};
use geocast_protocol::{Channel, Crs};
use geocast_server::{BboxKeyword, ChannelRule, Origin, PathProjection, Patterns, RedisUrl, TrustedProxy};

use super::{
    DialectOptions, FilterOptions, LimitOptions, ListenOptions, MetricsOptions, OperatorOptions,
    RedisOptions, StoreOptions, TimeoutOptions, TokenOptions, TrackingOptions, paths,
};
use crate::{logging, units};

/// All that can be configured about the server. The names of these fields, and of those in the structs flattened into
/// it, are the one list of options: of the command line, the environment and the file.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Address or name to listen on; 0.0.0.0 or :: for all networks [default: 127.0.0.1]
    #[arg(long, value_name = "HOST", help_heading = "Server")]
    pub(crate) host: Option<String>,
    /// Port to listen on; 0 for any that is free [default: 8765]
    #[arg(short, long, value_name = "PORT", value_parser = units::port, help_heading = "Server")]
    pub(crate) port: Option<u16>,
    #[command(flatten)]
    pub(crate) listen: ListenOptions,
    /// Threads that own connections [default: one per core]
    #[arg(long, value_name = "N", value_parser = units::positive, help_heading = "Server")]
    pub(crate) workers: Option<NonZeroUsize>,
    /// Read options from this TOML or JSON file
    #[arg(short, long, value_name = "FILE", help_heading = "Server")]
    pub(crate) config: Option<PathBuf>,
    /// What to log, such as `debug` or `warn,geocast_server=debug` [default: info]
    #[arg(long, value_name = "FILTER", value_parser = logging::filter, help_heading = "Server")]
    pub(crate) log: Option<String>,
    /// How to log [default: auto]
    #[arg(long, value_name = "FORMAT", help_heading = "Server")]
    pub(crate) log_format: Option<LogFormat>,
    #[command(flatten)]
    pub(crate) metrics: MetricsOptions,
    #[command(flatten)]
    pub(crate) operator: OperatorOptions,

    /// The Redis to use.
    // `hide_env_values` marks what error messages must not repeat.
    #[arg(
        long,
        value_name = "URL",
        hide_env_values = true,
        help_heading = "Data",
        help = "Use this Redis instead of the embedded store: redis[s]://[[user]:password@]host[:port][/db]; \
                docs/redis.md has sentinels, clusters and sockets"
    )]
    pub(crate) redis: Option<RedisUrl>,
    #[command(flatten)]
    pub(crate) store: StoreOptions,
    /// Channels that may be read and published to without a token, as patterns such as 'vehicles,news_*' [default: all with the
    /// embedded store on loopback, else none]
    #[arg(long, value_name = "PATTERNS", help_heading = "Data")]
    pub(crate) channels: Option<Patterns>,
    /// Coordinate systems that the payloads of some channels come in, such as 'swiss*=epsg:2056' [default: EPSG:4326 on all
    /// channels]
    #[arg(
        long,
        value_name = "CHANNEL=CRS",
        value_delimiter = ',',
        hide_short_help = true,
        help_heading = "Data"
    )]
    pub(crate) channel_crs: Option<Vec<ChannelRule<Crs>>>,
    /// Channels that a viewport subscribes to by itself, for map clients that never send SUB
    #[arg(long, value_name = "CHANNELS", value_delimiter = ',', help_heading = "Data")]
    pub(crate) viewport_channels: Option<Vec<Channel>>,
    /// What publishers have to present, as bearer or as pwd in the address
    #[arg(
        long,
        alias = "pwd",
        value_name = "KEY",
        value_parser = NonEmptyStringValueParser::new(),
        hide_env_values = true,
        conflicts_with = "publish_key_file",
        help_heading = "Data"
    )]
    pub(crate) publish_key: Option<String>,
    /// A file that holds what publishers have to present
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub(crate) publish_key_file: Option<PathBuf>,

    /// Web pages that may connect.
    #[arg(
        long,
        value_name = "ORIGINS",
        value_delimiter = ',',
        help_heading = "Clients",
        help = "Web pages that may connect besides the server's own, such as https://maps.example.org"
    )]
    pub(crate) allow_origin: Option<Vec<Origin>>,
    /// Let every web page connect
    #[arg(
        long,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "true|false",
        hide_possible_values = true,
        help_heading = "Clients"
    )]
    pub(crate) insecure_any_origin: Option<bool>,
    /// Proxies that are believed about where clients are: addresses, ranges such as 10.0.0.0/8, or `unix` for who connects
    /// through the unix socket [default: none]
    #[arg(
        long,
        value_name = "RANGES",
        value_delimiter = ',',
        hide_short_help = true,
        help_heading = "Clients"
    )]
    pub(crate) trusted_proxies: Option<Vec<TrustedProxy>>,
    /// The header in which those say it; only this one is read [default: x-forwarded-for]
    #[arg(long, value_name = "HEADER", hide_short_help = true, help_heading = "Clients")]
    pub(crate) forwarded_header: Option<ForwardedHeaderOption>,
    /// Request paths for WebSockets of the text dialect, as patterns [default: /,/ws,/ws/]
    #[arg(long, value_name = "PATTERNS", value_parser = paths::patterns, help_heading = "Clients")]
    pub(crate) text_paths: Option<Patterns>,
    /// Coordinate systems in which sessions on some paths begin, such as '/tracker-ws/*=epsg:3857' [default: EPSG:4326 on all paths]
    #[arg(
        long,
        value_name = "PATH=CRS",
        value_parser = paths::projection,
        value_delimiter = ',',
        hide_short_help = true,
        help_heading = "Clients"
    )]
    pub(crate) path_projections: Option<Vec<PathProjection>>,
    /// What keywords behind BBOX ask for that are no names of properties: 'mots=type' for another property, 'gen=' for none
    /// [default: gen=,gen_level=,graph=,mots=type]
    #[arg(
        long,
        value_name = "KEYWORD=PROPERTY",
        value_delimiter = ',',
        hide_short_help = true,
        help_heading = "Clients"
    )]
    pub(crate) bbox_keyword: Option<Vec<BboxKeyword>>,
    /// What stands for client_reference where a command gave none: null or "" [default: null]
    #[arg(long, value_name = "FORM", hide_short_help = true, help_heading = "Clients")]
    pub(crate) client_reference: Option<ClientReferenceOption>,
    /// Order of coordinates in every system but EPSG:4326 [default: xy]
    #[arg(long, value_name = "ORDER", hide_short_help = true, help_heading = "Clients")]
    pub(crate) axis_order: Option<AxisOrderOption>,

    /// Compress what is pushed to clients that offer to take it so (permessage-deflate)
    #[arg(
        long,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "true|false",
        hide_possible_values = true,
        hide_short_help = true,
        help_heading = "Clients"
    )]
    pub(crate) deflate: Option<bool>,
    /// With --deflate: messages that are shorter are not compressed, in bytes [default: 256]
    #[arg(
        long,
        value_name = "SIZE",
        value_parser = units::size,
        hide_short_help = true,
        help_heading = "Clients"
    )]
    pub(crate) deflate_threshold: Option<usize>,

    #[command(flatten)]
    pub(crate) tokens: TokenOptions,
    #[command(flatten)]
    pub(crate) dialects: DialectOptions,
    #[command(flatten)]
    pub(crate) tracking: TrackingOptions,
    #[command(flatten)]
    pub(crate) filters: FilterOptions,
    #[command(flatten)]
    pub(crate) limits: LimitOptions,
    #[command(flatten)]
    pub(crate) timeouts: TimeoutOptions,
    #[command(flatten)]
    pub(crate) redis_options: RedisOptions,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people on a terminal, else for programs
    #[default]
    Auto,
    /// For people
    #[value(alias = "text")]
    Human,
    /// One JSON object per line
    Json,
}

/// What stands for an absent `client_reference`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientReferenceOption {
    /// null
    Null,
    /// The empty string
    Empty,
}

/// Where a proxy says for whom it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForwardedHeaderOption {
    /// X-Forwarded-For
    XForwardedFor,
    /// Forwarded (RFC 7239)
    Forwarded,
}

/// The order of coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AxisOrderOption {
    /// Easting first in every system
    Xy,
    /// As the authority defines the system, for example northing first in EPSG:3035
    Authority,
}
