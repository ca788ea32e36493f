use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};

use crate::units;

/// Bounds on sizes and numbers.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Limits (sizes in bytes, or with kB, MB, GB, KiB, MiB, GiB)")]
pub(crate) struct LimitOptions {
    /// WebSocket connections at the same time [default: 100000]
    #[arg(long, value_name = "N", value_parser = units::positive, hide_short_help = true)]
    pub(crate) max_connections: Option<NonZeroUsize>,
    /// Sockets that are no WebSockets, or none yet; others wait to be accepted [default: 4096]
    #[arg(long, value_name = "N", value_parser = units::positive, hide_short_help = true)]
    pub(crate) max_plain_connections: Option<NonZeroUsize>,
    /// WebSocket connections of one address, which for IPv6 are all that share 64 bits; 0 for any number. Connections
    /// from this machine are not counted [default: 1000]
    #[arg(long, value_name = "N", value_parser = units::count::<usize>, hide_short_help = true)]
    pub(crate) max_address_connections: Option<usize>,
    /// Connections per second that an address is held to in the long run; 0 for any number [default: 100]
    #[arg(long, value_name = "N", value_parser = units::count::<u32>, hide_short_help = true)]
    pub(crate) address_rate: Option<u32>,
    /// Connections that an address may open at once [default: 1000]
    #[arg(long, value_name = "N", value_parser = units::rate, hide_short_help = true)]
    pub(crate) address_burst: Option<u32>,
    /// Connections that are accepted per second, over all addresses; others wait [default: any number]
    #[arg(long, value_name = "N", value_parser = units::rate, hide_short_help = true)]
    pub(crate) accept_rate: Option<u32>,
    /// Commands per second that all connections with the same token are held to together [default: any number]
    #[arg(long, value_name = "N", value_parser = units::rate, hide_short_help = true)]
    pub(crate) token_rate: Option<u32>,
    /// With --token-rate: commands that they may send at once [default: twice the rate]
    #[arg(long, value_name = "N", value_parser = units::rate, hide_short_help = true)]
    pub(crate) token_burst: Option<u32>,
    /// One message of a client [default: 16KiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size, hide_short_help = true)]
    pub(crate) max_message: Option<usize>,
    /// One publication over HTTP [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size, hide_short_help = true)]
    pub(crate) max_publication: Option<usize>,
    /// What may wait for one client [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::outbox, hide_short_help = true)]
    pub(crate) outbox_bytes: Option<usize>,
    /// What happens when more waits [default: close]
    #[arg(long, value_name = "POLICY", hide_short_help = true)]
    pub(crate) overflow: Option<OverflowOption>,
    /// Channels one client is subscribed to [default: 128]
    #[arg(long, value_name = "N", value_parser = units::count::<usize>, hide_short_help = true)]
    pub(crate) max_subscriptions: Option<usize>,
    /// Commands per second a client is held to in the long run [default: 20]
    #[arg(long, value_name = "N", value_parser = units::rate, hide_short_help = true)]
    pub(crate) commands_per_second: Option<u32>,
    /// Commands a client may send at once [default: 40]
    #[arg(long, value_name = "N", value_parser = units::rate, hide_short_help = true)]
    pub(crate) command_burst: Option<u32>,
    /// Levels of nesting of a JSON payload [default: 32]
    #[arg(long, value_name = "N", value_parser = units::count::<usize>, hide_short_help = true)]
    pub(crate) max_depth: Option<usize>,
    /// Positions of one GeoJSON payload [default: 100000]
    #[arg(long, value_name = "N", value_parser = units::count::<usize>, hide_short_help = true)]
    pub(crate) max_vertices: Option<usize>,
    /// Coordinate systems in use at the same time [default: 64]
    #[arg(long, value_name = "N", value_parser = units::positive, hide_short_help = true)]
    pub(crate) max_transforms: Option<NonZeroUsize>,
    /// Messages on their way to subscribers, over all channels [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size, hide_short_help = true)]
    pub(crate) max_in_flight: Option<usize>,
    /// State that the embedded store holds [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size, hide_short_help = true)]
    pub(crate) max_embedded_state: Option<usize>,
    /// Bytes of messages that the embedded store keeps as the --history of all channels [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size, hide_short_help = true)]
    pub(crate) max_history: Option<usize>,
    /// Keys of a tracked channel that are known of at the same time; others are withheld [default: 250000]
    #[arg(long, value_name = "N", value_parser = units::positive, hide_short_help = true)]
    pub(crate) max_tracked_keys: Option<NonZeroUsize>,
    /// State of a tracked channel that is known of at the same time; what has no room is withheld. As much again
    /// may be taken by what is remembered of slow clients; who exceeds it is closed [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size, hide_short_help = true)]
    pub(crate) max_tracked_state: Option<usize>,
    /// People, and channels, of whose --presence is known at the same time; who is one more is only counted
    /// [default: 100000]
    #[arg(long, value_name = "N", value_parser = units::positive, hide_short_help = true)]
    pub(crate) max_presence: Option<NonZeroUsize>,
    /// Longest time of a client's BUFFER [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) max_buffer_time: Option<std::time::Duration>,
    /// Largest number of messages of a client's BUFFER [default: 10000]
    #[arg(long, value_name = "N", value_parser = units::count::<u32>, hide_short_help = true)]
    pub(crate) max_buffer_count: Option<u32>,
    /// Requests that handlers of rohrpost work on at the same time [default: 64]
    #[arg(long, value_name = "N", value_parser = units::count::<usize>, hide_short_help = true)]
    pub(crate) max_handled: Option<usize>,
}

/// What happens when more waits for a client than may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OverflowOption {
    /// Close the connection with code 3008
    Close,
    /// Let the oldest messages make room, but no replies
    DropOldest,
    /// Let states make way for newer ones of the same feature id, and then the oldest messages
    Latest,
}
