use std::{num::NonZeroUsize, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use geocast_protocol::{Channel, Crs};

use super::{
    engine::Expect,
    pace::Pace,
    target::{Reach, Url},
    track::{TRACK_EXAMPLES, TrackArguments},
    viewports::ViewportSize,
};
use crate::units;

/// `geocast bench`
#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    pub(super) benchmark: Benchmark,
}

/// What is measured.
#[derive(Debug, Subcommand)]
pub(super) enum Benchmark {
    /// Publish to many clients: processor time per delivery, deliveries per second, latency
    #[command(after_help = FANOUT_EXAMPLES)]
    Fanout(FanoutArguments),
    /// The same from a bare loop that only writes: what this machine can do at best
    #[command(after_help = LIMIT_EXAMPLES)]
    Limit(LimitArguments),
    /// Tell many clients what is in their viewports: cost per event, per pan, per client
    #[command(after_help = TRACK_EXAMPLES)]
    Track(TrackArguments),
    /// Connect many clients: connections per second, processor time per connection
    #[command(after_help = CONNECT_EXAMPLES)]
    Connect(ConnectArguments),
    /// Connect many clients and do nothing: memory per connection
    #[command(after_help = IDLE_EXAMPLES)]
    Idle(IdleArguments),
    /// The bare loop of `limit`
    #[command(hide = true)]
    Bare(BareArguments),
    /// Any other command, until the parent ends
    #[command(hide = true)]
    Tethered(TetheredArguments),
}

/// `geocast bench fanout`
#[derive(Debug, Args)]
pub(super) struct FanoutArguments {
    #[command(flatten)]
    pub(super) load: LoadOptions,
    /// A viewport of this size in degrees for each client, and points to publish
    #[arg(long, value_name = "random:WxH", help_heading = "Load")]
    pub(super) viewports: Option<ViewportSize>,
    /// The system that clients ask for coordinates in
    #[arg(long, value_name = "epsg:N", help_heading = "Load")]
    pub(super) projection: Option<Crs>,
    /// More clients, which look where nothing happens
    #[arg(
        long,
        value_name = "N",
        value_parser = units::count::<usize>,
        default_value = "0",
        requires = "viewports",
        help_heading = "Load"
    )]
    pub(super) bystanders: usize,
    /// POST here, or send to this WebSocket; {channel} stands for the channel
    #[arg(long, value_name = "URL", conflicts_with = "redis", help_heading = "Server")]
    pub(super) publish: Option<Url>,
    #[command(flatten)]
    pub(super) key: KeyOption,
    #[command(flatten)]
    pub(super) server: ServerOptions,
    #[command(flatten)]
    pub(super) run: RunOptions,
}

/// What publishers present.
#[derive(Debug, Args)]
pub(super) struct KeyOption {
    /// The server's publish key
    #[arg(
        long,
        value_name = "KEY",
        env = "GEOCAST_PUBLISH_KEY",
        hide_env_values = true,
        hide_short_help = true,
        help_heading = "Server"
    )]
    pub(super) publish_key: Option<String>,
}

/// `geocast bench limit`
#[derive(Debug, Args)]
pub(super) struct LimitArguments {
    #[command(flatten)]
    pub(super) load: LoadOptions,
    /// How the loop writes
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Writing::Writev, help_heading = "Load")]
    pub(super) with: Writing,
    /// The loop's core [default: 0 if there are several]
    #[arg(long, value_name = "N", value_parser = units::count::<usize>, help_heading = "Server")]
    pub(super) server_core: Option<usize>,
    #[command(flatten)]
    pub(super) run: RunOptions,
}

/// `geocast bench connect`
#[derive(Debug, Args)]
pub(super) struct ConnectArguments {
    /// How many
    #[arg(long, value_name = "N", value_parser = connections, default_value = "10000", help_heading = "Load")]
    pub(super) connections: NonZeroUsize,
    /// How many of them at the same time, at most
    #[arg(long, value_name = "N", value_parser = units::positive, default_value = "64", help_heading = "Load")]
    pub(super) concurrency: NonZeroUsize,
    #[command(flatten)]
    pub(super) server: ServerOptions,
    #[command(flatten)]
    pub(super) run: RunOptions,
}

/// `geocast bench idle`
#[derive(Debug, Args)]
pub(super) struct IdleArguments {
    /// How many
    #[arg(long, value_name = "N", value_parser = connections, default_value = "10000", help_heading = "Load")]
    pub(super) connections: NonZeroUsize,
    /// How long they stay idle before memory is read
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "3s", help_heading = "Load")]
    pub(super) settle: Duration,
    #[command(flatten)]
    pub(super) server: ServerOptions,
    #[command(flatten)]
    pub(super) run: RunOptions,
}

/// `geocast bench bare`
#[derive(Debug, Args)]
pub(super) struct BareArguments {
    #[arg(long, value_parser = connections)]
    pub(super) connections: NonZeroUsize,
    #[arg(long, value_enum)]
    pub(super) with: Writing,
}

/// `geocast bench tethered`
#[derive(Debug, Args)]
pub(super) struct TetheredArguments {
    #[arg(last = true, required = true)]
    pub(super) command: Vec<String>,
}

/// How much is published, and when.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct LoadOptions {
    /// How many clients
    #[arg(long, value_name = "N", value_parser = connections, default_value = "1000")]
    pub(super) connections: NonZeroUsize,
    /// The size of a message as it is published
    #[arg(long, value_name = "SIZE", value_parser = units::size, default_value = "256")]
    pub(super) size: usize,
    /// How many messages
    #[arg(long, value_name = "N", value_parser = messages, default_value = "500")]
    pub(super) messages: u32,
    /// Messages per second, whatever the server makes of it [default: next when all have the last]
    #[arg(long, value_name = "N", value_parser = rate, conflicts_with_all = ["burst", "pause"])]
    pub(super) rate: Option<f64>,
    /// Messages at once; the next ones when all have these
    #[arg(long, value_name = "N", value_parser = units::positive, default_value = "1")]
    pub(super) burst: NonZeroUsize,
    /// How long to wait before the next ones
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "0")]
    pub(super) pause: Duration,
    /// Lost messages are not an error
    #[arg(long)]
    pub(super) allow_loss: bool,
}

/// Which server, and how it is spoken to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(super) struct ServerOptions {
    /// The WebSocket of a server that runs
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:8765/ws")]
    pub(super) url: Url,
    /// Start a `geocast serve` for this run; options for it follow after `--`
    #[arg(long, conflicts_with_all = ["url", "server_pid"])]
    pub(super) spawn: bool,
    /// Its workers
    #[arg(long, value_name = "N", value_parser = units::positive, default_value = "1", requires = "spawn")]
    pub(super) workers: NonZeroUsize,
    /// Its core [default: 0 if it has one worker and there are several cores]
    #[arg(long, value_name = "N", value_parser = units::count::<usize>, requires = "spawn", hide_short_help = true)]
    pub(super) server_core: Option<usize>,
    /// The server's process, to read its processor time and memory
    #[arg(long, value_name = "PID", value_parser = units::count::<u32>)]
    pub(super) server_pid: Option<u32>,
    /// The Redis of the server; messages are published there
    #[arg(long, value_name = "URL", value_parser = redis)]
    pub(super) redis: Option<Url>,
    /// The channel
    #[arg(long, value_name = "CHANNEL", default_value = "bench", hide_short_help = true)]
    pub(super) channel: Channel,
    /// What clients send instead of SUB; may be given again; '' for nothing
    #[arg(long, value_name = "TEXT")]
    pub(super) subscribe: Vec<String>,
    /// Whether the server greets who connects
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Expect::Open)]
    pub(super) expect: Expect,
    /// Allow servers on other machines
    #[arg(long, hide_short_help = true)]
    pub(super) allow_remote: bool,
    /// Options for the server that is started
    #[arg(last = true, value_name = "SERVER OPTIONS", requires = "spawn")]
    pub(super) server_options: Vec<String>,
}

/// How it is run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(super) struct RunOptions {
    /// The clients' core [default: the last, if the server has one of its own]
    #[arg(long, value_name = "N", value_parser = units::count::<usize>, hide_short_help = true)]
    pub(super) core: Option<usize>,
    /// Give up after so long
    #[arg(long, value_name = "TIME", value_parser = units::some_time, default_value = "5m", hide_short_help = true)]
    pub(super) timeout: Duration,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// How a bare loop writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Writing {
    /// A write for each message and client
    Write,
    /// One writev for all messages of a burst to a client
    Writev,
    /// One write for all messages of a burst to a client, laid end to end before
    Joined,
}

impl LoadOptions {
    pub(super) fn pace(&self) -> Pace {
        match self.rate {
            Some(rate) => Pace::Rate(rate),
            None => Pace::Closed { burst: self.burst, pause: self.pause },
        }
    }
}

impl ServerOptions {
    pub(super) fn reach(&self) -> Reach {
        if self.allow_remote { Reach::Anywhere } else { Reach::Loopback }
    }
}

/// Two descriptors for each, in two processes, are what a machine of usual size can spare.
fn connections(text: &str) -> Result<NonZeroUsize, String> {
    let connections = units::positive(text).map_err(|error| error.to_string())?;
    if connections.get() > CONNECTIONS {
        return Err(format!("at most {CONNECTIONS}"));
    }
    Ok(connections)
}

fn messages(text: &str) -> Result<u32, String> {
    let messages = units::rate(text).map_err(|error| error.to_string())?;
    if messages > MESSAGES {
        return Err(format!("at most {MESSAGES}"));
    }
    Ok(messages)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.001..=1e6).contains(rate));
    rate.ok_or_else(|| format!("{text:?} is no number of messages per second from 0.001 to 1000000"))
}

fn redis(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error: super::target::UrlError| error.to_string())?;
    if url.is_redis() { Ok(url) } else { Err("a redis url begins with redis://".to_owned()) }
}

const CONNECTIONS: usize = 500_000;
const MESSAGES: u32 = 10_000_000;

/// What help says below the list of benchmarks.
pub(crate) const BENCH_EXAMPLES: &str = "\
Examples:
  geocast bench fanout --spawn
  geocast bench limit --with writev

Exit codes: 0 measured; 1 failed, or messages were lost; 2 bad option; 4 server
not reached.";

const FANOUT_EXAMPLES: &str = "\
Latency is from handing a message to the publishing socket to its receipt by a
client; both are in this process. Processor time is the server's own, from
/proc, with the kernel's part.

Examples:
  geocast bench fanout --spawn
  geocast bench fanout --spawn --messages 5000 --burst 100 --pause 50ms
  geocast bench fanout --spawn --rate 100 --redis redis://127.0.0.1
  geocast bench fanout --spawn --viewports random:10x10 --projection epsg:3857
  geocast bench fanout --url ws://127.0.0.1:3000/ --expect none --subscribe ''

Exit codes: 0 measured; 1 failed, or messages were lost; 2 bad option; 4 server
not reached.";

const LIMIT_EXAMPLES: &str = "\
The frames are those that geocast would send, the clients those of `geocast
bench fanout`.

Examples:
  geocast bench limit --with write
  geocast bench limit --with writev --messages 5000 --burst 100 --pause 50ms

Exit codes: 0 measured; 1 failed; 2 bad option.";

const CONNECT_EXAMPLES: &str = "\
A connection counts when the server's greeting is there, or, with --expect none,
the handshake is done.

Examples:
  geocast bench connect --spawn
  geocast bench connect --url ws://127.0.0.1:3000/ --expect none

Exit codes: 0 measured; 1 failed; 2 bad option; 4 server not reached.";

const IDLE_EXAMPLES: &str = "\
Memory is what the server's process has resident, without what the kernel keeps
for its sockets.

Examples:
  geocast bench idle --spawn
  geocast bench idle --spawn --connections 50000 --settle 30s

Exit codes: 0 measured; 1 failed; 2 bad option; 4 server not reached.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Invocation;

    #[test]
    fn every_example_can_be_typed() {
        let help = [
            BENCH_EXAMPLES,
            FANOUT_EXAMPLES,
            LIMIT_EXAMPLES,
            TRACK_EXAMPLES,
            CONNECT_EXAMPLES,
            IDLE_EXAMPLES,
        ];
        let examples = help.iter().flat_map(|help| help.lines()).map(str::trim);
        let examples: Vec<_> = examples.filter(|line| line.starts_with("geocast bench ")).collect();
        assert_eq!(examples.len(), 17);
        for example in examples {
            let words = example.split(' ').map(|word| word.trim_matches('\'').into());
            assert!(Invocation::read(words).is_ok(), "{example}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "fanout --spawn --url ws://127.0.0.1:1/",
            "fanout --spawn --server-pid 1",
            "fanout --rate 10 --burst 5",
            "fanout --rate 0",
            "fanout --rate NaN",
            "fanout --messages 0",
            "fanout --connections 500001",
            "fanout --bystanders 5",
            "fanout --redis http://127.0.0.1/",
            "fanout --redis redis://127.0.0.1/ --publish http://127.0.0.1/",
            "fanout -- --port 1",
            "limit --with fread",
            "track --features 0",
            "track --features 1000001",
            "track --elsewhere -1",
            "track --step 0",
            "track --step NaN",
            "track --pan inf",
            "track --pan-burst 0",
            "track --viewports 10",
        ] {
            let words = ["geocast", "bench"].into_iter().chain(line.split(' ')).map(Into::into);
            assert!(Invocation::read(words).is_err(), "{line}");
        }
    }
}
