use std::{
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_geo_filter::AxisOrder;
use geocast_hub::Overflow;
use geocast_protocol::{
    Channel, Crs,
    aiows::{ChannelNames, JsonEncoding},
};

use crate::{
    BboxKeyword, ChannelRule, Compression, HandlersError, OriginPolicy, PathProjection, Patterns,
    RequestHandler, Secret, TokenSettings, TrustedProxies, UrlPrefix,
    handler::by_type,
    pipeline::Filters,
    rate::Rate,
    store::{DataSettings, HistoryBound, RedisSettings},
};

/// Everything an operator can set. [`Settings::default`] is an open, embedded server for one machine.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where data comes from.
    pub store: StoreSettings,
    /// The channels that clients may read and publishers may write without a token. `None`: all of them with the embedded
    /// store on a loopback address, otherwise none.
    pub channels: Option<Patterns>,
    /// Threads that own connections. Each is single-threaded and shares nothing with the others.
    pub workers: NonZeroUsize,
    /// Request paths on which the text dialect is spoken.
    pub text_paths: Patterns,
    /// Where sessions begin in another coordinate system than EPSG:4326, for clients that never send PROJECTION. The
    /// first that matches a path decides.
    pub path_projections: Vec<PathProjection>,
    /// The coordinate system that payloads come in, by channel, in the [order of axes](Self::axis_order); EPSG:4326, where
    /// there is no rule. They are projected once, and passed through to clients whose output is in the same system.
    pub channel_crs: Vec<ChannelRule<Crs>>,
    /// Channels that a viewport subscribes to by itself, for clients that never send SUB.
    pub viewport_channels: Vec<Channel>,
    /// What keywords behind BBOX mean that are no names of properties.
    pub bbox_keywords: Vec<BboxKeyword>,
    /// What is done with messages on `/pipeline` and `/`; without any filter, there is no pipeline.
    pub filters: Filters,
    /// Channels whose items pass the consumers among the filters.
    pub pipeline_channels: Vec<Channel>,
    /// From which web pages connections and publications are accepted.
    pub origins: OriginPolicy,
    /// Who is believed about the addresses of clients, which limits by address and access policies go by.
    pub trusted_proxies: TrustedProxies,
    /// What a publisher has to present, as bearer or as `pwd` in the address. `None`: nothing on an open server, otherwise
    /// no publishing without a token.
    pub publish_key: Option<Secret>,
    /// What whoever reads metrics has to present as bearer. `None`: nothing on a [port of their own](crate::Builder::metrics), and
    /// nothing on a server that is open to this machine alone; otherwise they cannot be read.
    pub metrics_token: Option<Secret>,
    /// What an operator has to present as bearer to be shown at `/api/operator` who is connected and what goes on. `None`: nobody is, and
    /// there is no such address.
    pub operator_token: Option<Secret>,
    /// Signed tokens that open channels to their bearers. `None`: tokens are passed over.
    pub tokens: Option<TokenSettings>,
    /// Hashes whose changes are pushed to subscribers of rohrpost's groups. A hash named `type:id` or `type-id` is an
    /// object, and its group the channel `type-id`; any other is a table, whose fields are the ids of objects, in the groups
    /// `hash-field`. Whoever may read the channel of a group is sent what is written there.
    pub watch: Option<Patterns>,
    /// The property that is the key of tracked features without an `id`, by channel.
    pub track_keys: Vec<ChannelRule<Box<str>>>,
    /// How long a key of a tracked channel is shown without being heard of, by channel; without end, where there is no
    /// rule.
    pub stale_after: Vec<ChannelRule<Duration>>,
    /// How many messages are kept, by channel: subscribers that were away get what they missed. A store of the program's
    /// own keeps none unless it has [`Store::history`](crate::Store::history).
    pub history: Vec<ChannelRule<HistoryBound>>,
    /// Channels of which their subscribers may know who else is there. `None`: there are none. Over Redis, the nodes tell each other;
    /// with any other store, each knows its own clients only.
    pub presence: Option<Patterns>,
    /// What stands before the addresses of aiows.
    pub url_prefix: UrlPrefix,
    /// How names in those addresses, and in broadcasts, become channels.
    pub channel_names: ChannelNames,
    /// How subscribers at those addresses are sent JSON.
    pub json_encoding: JsonEncoding,
    /// Who answers the requests of the rohrpost dialect that the server does not know, one for each type.
    pub request_handlers: Vec<Arc<dyn RequestHandler>>,
    /// What stands for `client_reference` where a command gave none.
    pub absent_client_reference: AbsentClientReference,
    /// The order of coordinates in every system but EPSG:4326, which is always longitude, latitude (RFC 7946 §4).
    pub axis_order: AxisOrder,
    /// Whether pushes are compressed for clients that offer to take them so.
    pub compression: Compression,
    /// Sizes and numbers.
    pub limits: Limits,
    /// Durations.
    pub timeouts: Timeouts,
}

/// Which store is used.
#[derive(Debug, Clone, Default)]
pub enum StoreSettings {
    /// In this process, lost with it.
    #[default]
    Embedded,
    /// In this process, and in a folder that outlives it.
    Kept(DataSettings),
    /// Redis.
    Redis(RedisSettings),
}

/// The JSON value of an envelope's `client_reference` where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AbsentClientReference {
    /// `null`
    #[default]
    Null,
    /// `""`
    Empty,
}

/// So many per second in the long run, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// In the long run. A zero is taken for one.
    pub per_second: u32,
    /// At once, after a pause. A zero is taken for one.
    pub burst: u32,
}

/// Bounds on sizes and numbers.
///
/// When settings are [read again](crate::Server::read_settings_from), those on who is let in hold for everybody who comes then, and those
/// on one client and on a publication for whoever connects, or publishes, from then on. The others stay as they were at the start.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// WebSocket connections at the same time.
    pub connections: usize,
    /// Sockets at the same time that are no WebSockets, or none yet. Others wait to be accepted.
    pub plain_connections: usize,
    /// WebSocket connections, and as many other sockets, of one address (IPv6: of all that share their first 64 bits). Whoever connects
    /// from this machine is not counted. `None`: no bound.
    pub address_connections: Option<NonZeroUsize>,
    /// How fast one address may connect, in connections. `None`: no bound.
    pub address_rate: Option<RateLimit>,
    /// How fast connections are accepted, over all addresses; others wait. `None`: as fast as the machine can.
    pub accept_rate: Option<RateLimit>,
    /// How fast commands may come from all connections with the same token together, before they are read more slowly. `None`: no
    /// bound but that of each connection.
    pub token_rate: Option<RateLimit>,
    /// Bytes of one message of a client.
    pub message: usize,
    /// Bytes of the body of a publication over HTTP.
    pub publication: usize,
    /// Bytes waiting for one client.
    pub outbox: usize,
    /// What happens when those are exceeded.
    pub overflow: Overflow,
    /// Channels one client is subscribed to.
    pub subscriptions: usize,
    /// Commands per second that a client is held to in the long run.
    pub commands_per_second: u32,
    /// Commands a client may send at once.
    pub command_burst: u32,
    /// Levels of nesting of a JSON payload.
    pub depth: usize,
    /// Positions of one GeoJSON payload.
    pub vertices: usize,
    /// Coordinate systems in use at the same time.
    pub transforms: NonZeroUsize,
    /// Bytes of published messages on their way to subscribers, over all channels.
    pub in_flight: usize,
    /// Bytes of state that the embedded store holds.
    pub embedded_state: usize,
    /// Bytes of messages that the embedded store keeps as the [history](Settings::history) of all channels together.
    pub history: usize,
    /// Keys of a tracked channel that are known of at the same time; others are withheld.
    pub tracked_keys: usize,
    /// Bytes of state of a tracked channel that are known of at the same time. A state that has no room is withheld. As many
    /// again may be taken by what is remembered of clients that are slow; one that exceeds it is closed.
    pub tracked_bytes: usize,
    /// People, and channels, of whose [presence](Settings::presence) is known at the same time, over all nodes. Who is one more is
    /// only counted.
    pub presence: usize,
    /// Longest time, in milliseconds, and largest number of messages of a client's BUFFER.
    pub buffer: (u32, u32),
    /// Requests that [request handlers](Settings::request_handlers) work on at the same time; others are refused.
    pub handled: usize,
}

/// Bounds on time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Timeouts {
    /// TLS and HTTP header, from the first byte to the last.
    pub header: Duration,
    /// The whole of an HTTP request and its answer.
    pub request: Duration,
    /// Between two pings of an otherwise quiet client.
    pub ping: Duration,
    /// From a ping to any sign of life.
    pub pong: Duration,
    /// Without any progress in writing to a client that has something waiting.
    pub write: Duration,
    /// From the closing frame to the end of the connection.
    pub close: Duration,
    /// From the order to stop, from which on the server says that it is not ready, until it accepts nobody any more: time for a
    /// balancer to notice. Left out if nobody has asked for `/ready` within the minute before.
    pub drain_delay: Duration,
    /// From then on until what is left is cut off.
    pub drain: Duration,
    /// Over which the closes of a stopping server are spread, and those of clients that may not stay.
    pub drain_spread: Duration,
    /// How long the first frames of a connection are collected, to be applied as a set.
    pub settle: Duration,
    /// How long after a GET a SUB of the same channel still gets what was published in between.
    pub hold: Duration,
    /// How long a [request handler](Settings::request_handlers) may take.
    pub handler: Duration,
    /// How long somebody may be away from a channel until it is said that they have left. Over Redis, a node's death is found out
    /// 15 to 16 seconds after its last sign of life, of which there is one each 5 seconds; this comes in addition.
    pub presence_grace: Duration,
}

impl RateLimit {
    /// A rate that has not been used yet.
    pub(crate) fn begin(self, now: Instant) -> Rate {
        Rate::new(self.per_second, self.burst, now)
    }
}

impl Limits {
    /// What one payload may cost.
    pub(crate) fn payload(&self) -> geocast_geo_filter::Limits {
        geocast_geo_filter::Limits::default().with_depth(self.depth).with_vertices(self.vertices)
    }

    /// What holds when a server that was started with these is to have others: those, as far as a running server follows.
    pub(crate) fn following(&self, wanted: &Self) -> Self {
        Self {
            connections: wanted.connections,
            plain_connections: wanted.plain_connections,
            address_connections: wanted.address_connections,
            address_rate: wanted.address_rate,
            accept_rate: wanted.accept_rate,
            token_rate: wanted.token_rate,
            message: wanted.message,
            publication: wanted.publication,
            outbox: wanted.outbox,
            overflow: wanted.overflow,
            subscriptions: wanted.subscriptions,
            commands_per_second: wanted.commands_per_second,
            command_burst: wanted.command_burst,
            buffer: wanted.buffer,
            ..self.clone()
        }
    }
}

impl Settings {
    /// Whether a server can have the [request handlers](Self::request_handlers), which starting it finds out as well.
    ///
    /// # Errors
    /// Two are of one type, or one of a type that the server answers itself.
    pub fn check_handlers(&self) -> Result<(), HandlersError> {
        by_type(&self.request_handlers).map(drop)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            store: StoreSettings::default(),
            channels: None,
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            text_paths: Patterns::text_paths(),
            path_projections: Vec::new(),
            channel_crs: Vec::new(),
            viewport_channels: Vec::new(),
            bbox_keywords: BboxKeyword::usual(),
            filters: Filters::default(),
            pipeline_channels: Vec::new(),
            origins: OriginPolicy::default(),
            trusted_proxies: TrustedProxies::default(),
            publish_key: None,
            metrics_token: None,
            operator_token: None,
            tokens: None,
            watch: None,
            track_keys: Vec::new(),
            stale_after: Vec::new(),
            history: Vec::new(),
            presence: None,
            url_prefix: UrlPrefix::default(),
            channel_names: ChannelNames::default(),
            json_encoding: JsonEncoding::default(),
            request_handlers: Vec::new(),
            absent_client_reference: AbsentClientReference::default(),
            axis_order: AxisOrder::Xy,
            compression: Compression::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 100_000,
            plain_connections: 4_096,
            address_connections: NonZeroUsize::new(1_000),
            address_rate: Some(RateLimit { per_second: 100, burst: 1_000 }),
            accept_rate: None,
            token_rate: None,
            message: 16 * KIB,
            publication: 1024 * KIB,
            outbox: 1024 * KIB,
            overflow: Overflow::Close,
            subscriptions: 128,
            commands_per_second: 20,
            command_burst: 40,
            depth: 32,
            vertices: 100_000,
            transforms: geocast_geo_filter::Transforms::CAPACITY,
            in_flight: 64 * 1024 * KIB,
            embedded_state: 1024 * 1024 * KIB,
            history: 64 * 1024 * KIB,
            tracked_keys: 250_000,
            tracked_bytes: 256 * 1024 * KIB,
            presence: 100_000,
            buffer: (60_000, 10_000),
            handled: 64,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(5),
            request: Duration::from_secs(30),
            ping: Duration::from_secs(25),
            pong: Duration::from_secs(8),
            write: Duration::from_secs(5),
            close: Duration::from_secs(2),
            drain_delay: Duration::from_secs(3),
            drain: Duration::from_secs(25),
            drain_spread: Duration::from_secs(10),
            settle: Duration::from_millis(5),
            hold: Duration::from_secs(5),
            handler: Duration::from_secs(5),
            presence_grace: Duration::from_secs(5),
        }
    }
}

const KIB: usize = 1024;
