use std::time::Duration;

use clap::Args;

use crate::units;

/// Bounds on time.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Timeouts (such as 25s, 500ms, 2m)")]
pub(crate) struct TimeoutOptions {
    /// Between two pings of an otherwise quiet client [default: 25s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) ping_interval: Option<Duration>,
    /// From a ping to any sign of life [default: 8s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) pong_timeout: Option<Duration>,
    /// Without progress in writing to a client that has something waiting [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) write_timeout: Option<Duration>,
    /// From the closing frame to the end of the connection [default: 2s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) close_timeout: Option<Duration>,
    /// The header of an HTTP request, from its first byte to its last [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) header_timeout: Option<Duration>,
    /// The whole of an HTTP request and its answer [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) request_timeout: Option<Duration>,
    /// From the order to stop, which /ready tells, until nobody is let in any more, if somebody asks for /ready [default: 3s]
    #[arg(long, value_name = "TIME", value_parser = units::duration, hide_short_help = true)]
    pub(crate) drain_delay: Option<Duration>,
    /// From then on until what is left is cut off [default: 25s]
    #[arg(long, value_name = "TIME", value_parser = units::duration, hide_short_help = true)]
    pub(crate) drain_timeout: Option<Duration>,
    /// Over which the closes of a stopping server are spread [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = units::duration, hide_short_help = true)]
    pub(crate) drain_spread: Option<Duration>,
    /// How long a client's first frames are collected, to be applied as a set [default: 5ms]
    #[arg(long, value_name = "TIME", value_parser = units::duration, hide_short_help = true)]
    pub(crate) settle_time: Option<Duration>,
    /// How long after a GET a SUB of the same channel still gets what came in between [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::duration, hide_short_help = true)]
    pub(crate) hold_time: Option<Duration>,
    /// How long a handler of rohrpost may take [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time, hide_short_help = true)]
    pub(crate) handler_timeout: Option<Duration>,
    /// With --presence: how long somebody may be away until it is said that they have left [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::duration, hide_short_help = true)]
    pub(crate) presence_grace: Option<Duration>,
}
