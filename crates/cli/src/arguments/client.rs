use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{ArgMatches, Args, parser::ValueSource};
use geocast_protocol::{Channel, Crs, Number, Pixels, Precision, Word, text::PropertyValue};

use crate::{
    bad_option::BadOption,
    client::{Buffer, CommandLineBox, Probed, ServerUrl},
    units,
};

/// Which server is spoken to.
#[derive(Debug, Clone, Args)]
pub(crate) struct Server {
    /// The server's WebSocket: ws://, wss://, or unix:/path/of/a.sock
    #[arg(long, value_name = "URL", env = "GEOCAST_URL", default_value = "ws://127.0.0.1:8765/ws")]
    pub(crate) url: ServerUrl,
    /// Present this token (JWT)
    #[arg(long, value_name = "TOKEN", env = "GEOCAST_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Trust these certificates (PEM) instead of those of this machine
    #[arg(long, value_name = "FILE", env = "GEOCAST_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// Take whoever answers for the server, whatever its certificate
    #[arg(long)]
    pub(crate) insecure: bool,
}

impl Server {
    /// The token to present, if there is one. A variable that is empty is as good as none.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref().filter(|token| !token.is_empty())
    }
}

/// What is looked at, and how it is shown.
#[derive(Debug, Clone, Args)]
pub(crate) struct Look {
    /// Only what is in this box: left,bottom,right,top
    #[arg(long, value_name = "L,B,R,T", allow_hyphen_values = true)]
    pub(crate) bbox: Option<CommandLineBox>,
    /// The system that the box is meant in
    #[arg(long, value_name = "epsg:N", default_value_t = Crs::WGS84, requires = "bbox")]
    pub(crate) bbox_crs: Crs,
    /// Print coordinates in this system
    #[arg(long, value_name = "epsg:N")]
    pub(crate) projection: Option<Crs>,
    /// Only these properties of each feature
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) fields: Vec<PropertyValue>,
    /// At most so many decimals of each coordinate
    #[arg(long, value_name = "N")]
    pub(crate) precision: Option<Precision>,
    /// The zoom level of the map, for --tolerance and --min-move
    #[arg(long, value_name = "LEVEL", hide_short_help = true)]
    pub(crate) zoom: Option<Number>,
    /// Simplify lines and areas by so many pixels at that zoom level
    #[arg(long, value_name = "PIXELS", requires = "zoom", hide_short_help = true)]
    pub(crate) tolerance: Option<Pixels>,
    /// With sub --track: leave out moves of less than so many pixels at that zoom level
    #[arg(long, value_name = "PIXELS", requires = "zoom", hide_short_help = true)]
    pub(crate) min_move: Option<Pixels>,
    /// Print whole envelopes instead of their contents
    #[arg(long)]
    pub(crate) envelope: bool,
}

impl Look {
    /// Fails where it can be seen without a server that it makes no sense.
    pub(crate) fn check(&self) -> Result<(), BadOption> {
        let (Some(bbox), crs) = (self.bbox, self.bbox_crs) else { return Ok(()) };
        bbox.check(crs).map_err(|source| BadOption::Box { bbox, crs, source })
    }
}

/// `geocast get`
#[derive(Debug, Args)]
pub(crate) struct GetArguments {
    /// The channel whose state is read
    pub(crate) channel: Channel,
    /// One key of it
    pub(crate) key: Option<Word>,
    #[command(flatten)]
    pub(crate) look: Look,
    /// Print at most so many
    #[arg(long, value_name = "N", value_parser = units::positive)]
    pub(crate) count: Option<NonZeroUsize>,
    /// Wait so long for the answer
    #[arg(long, value_name = "TIME", value_parser = units::some_time, default_value = "10s")]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// `geocast sub`
#[derive(Debug, Args)]
pub(crate) struct SubArguments {
    /// The channels to listen to
    #[arg(required = true, value_name = "CHANNEL")]
    pub(crate) channels: Vec<Channel>,
    #[command(flatten)]
    pub(crate) look: Look,
    /// Say what enters the box, what changes in it, and what leaves it, beginning with what is there
    #[arg(long)]
    pub(crate) track: bool,
    /// At the end, and also each time this time has passed, say on standard error how many events came, and how many of them were
    /// withheld for which reason
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, value_parser = units::some_time)]
    pub(crate) explain: Option<Option<Duration>>,
    /// Let the server collect messages for so long, or so many of them: 500ms,100
    #[arg(long, value_name = "TIME,N")]
    pub(crate) buffer: Option<Buffer>,
    /// End after so many messages
    #[arg(long, value_name = "N", value_parser = units::positive)]
    pub(crate) count: Option<NonZeroUsize>,
    /// End after so long
    #[arg(long, value_name = "TIME", value_parser = units::some_time)]
    pub(crate) timeout: Option<Duration>,
    /// End when the connection is lost instead of connecting again
    #[arg(long)]
    pub(crate) no_reconnect: bool,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// `geocast pub`
#[derive(Debug, Args)]
pub(crate) struct PubArguments {
    /// The channel to publish to
    pub(crate) channel: Channel,
    /// What to publish; `-` or nothing for standard input
    #[arg(allow_negative_numbers = true)]
    pub(crate) payload: Option<String>,
    /// Also keep it in the channel's state, under this key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<Word>,
    /// The server's publish key, presented instead of a token
    #[arg(long, value_name = "KEY", env = "GEOCAST_PUBLISH_KEY", hide_env_values = true)]
    pub(crate) publish_key: Option<String>,
    /// A file that holds it
    #[arg(long, value_name = "FILE", env = "GEOCAST_PUBLISH_KEY_FILE", conflicts_with = "publish_key")]
    pub(crate) publish_key_file: Option<PathBuf>,
    /// Wait so long for the answer
    #[arg(long, value_name = "TIME", value_parser = units::some_time, default_value = "10s")]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// `geocast probe`
#[derive(Debug, Args)]
pub(crate) struct ProbeArguments {
    /// What is asked
    #[arg(default_value = "ready")]
    pub(crate) what: Probed,
    /// Wait so long for the answer
    #[arg(long, value_name = "TIME", value_parser = units::some_time, default_value = "3s")]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) server: Server,
}

impl ProbeArguments {
    /// The same, at the port that the environment gives to servers on this machine, where nothing says which server is meant. Port 0,
    /// which stands for any that is free, leads to none.
    pub(crate) fn by_port(mut self, typed: &ArgMatches) -> Result<Self, BadOption> {
        if typed.value_source("url") != Some(ValueSource::DefaultValue) {
            return Ok(self);
        }
        let written = std::env::var_os(PORT).unwrap_or_default();
        if !written.is_empty() {
            let invalid = |source| BadOption::Variable { variable: PORT, source };
            let port = units::port(&written.to_string_lossy()).map_err(invalid)?;
            if port != 0 {
                self.server.url = format!("ws://127.0.0.1:{port}/ws").parse().expect("it is a URL");
            }
        }
        Ok(self)
    }
}

/// Where `serve` finds its port.
const PORT: &str = "GEOCAST_PORT";
