//! The geocast gateway as a library: sessions, sockets, HTTP and stores around the hub.
//!
//! [`Server::start`] takes listeners (TCP, TLS, unix sockets) and [`Settings`]; [`Server::run`] serves until it is told
//! to stop. Data comes from a [`Store`], embedded or Redis, and reaches the workers through the [`Broker`].
#![doc = ""]
#![doc = include_str!("../README.md")]

mod accept;
mod access;
mod admission;
mod broker;
mod builder;
mod client_limits;
mod clock;
mod connection;
mod counters;
mod deflate;
mod dialect;
mod endpoint;
mod event;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod handler;
mod happening;
mod hashing;
mod http;
mod intake;
mod interest;
mod log_limit;
mod metrics;
mod node;
mod operator;
#[cfg(test)]
mod orders;
mod path_projection;
pub mod pipeline;
mod presence;
mod properties;
mod pulse;
mod rate;
mod reading;
mod reload;
mod rendering;
mod renewal;
mod runtime;
mod server;
mod session;
mod settings;
#[cfg(feature = "simulation")]
mod simulation;
#[cfg(test)]
#[path = "../../../fuzz/smoke.rs"]
mod smoke;
mod state_room;
mod store;
mod sync;
mod tracking;
mod transport;
mod turns;
mod url_prefix;
mod watch;
mod worker;

pub use access::{
    AcceptedToken, AccessPolicy, Denial, KeyError, KeyFile, Origin, OriginError, OriginPolicy, PatternError,
    Patterns, RefusedToken, Secret, SigningKey, TokenSettings, Visitor,
};
pub use admission::{AddressRange, AddressRangeError, ForwardedHeader, TrustedProxies, TrustedProxy};
pub use broker::{Broker, Parcel};
pub use builder::Builder;
pub use connection::CloseCode;
pub use counters::{Count, Counters};
pub use deflate::Compression;
pub use dialect::{Answer, CommandHandler, Dialect, Kind, Message, Payload, Push, Told, Wrap};
pub use event::Event;
pub use handler::{
    EndpointUrlError, HandlerError, HandlersError, HttpHandler, HttpHandlerError, RequestHandler,
};
pub use http::{Site, SiteFile};
pub use metrics::{Metrics, MetricsFormat};
pub use operator::{TroubleLevel, Troubles};
pub use path_projection::{PathProjection, PathProjectionError};
pub use properties::{BboxKeyword, BboxKeywordError, Fields, PropertyFilters};
pub use pulse::Pulse;
pub use reload::{Prepared, Reload, ReloadError, Reloaded};
pub use server::{Server, StartError};
pub use session::{
    ChannelAccount, Conversation, Fault, FaultKind, Fetch, Publication, Receipt, Report, Sent, Thinning,
    View, Viewport, Wishes,
};
pub use settings::{AbsentClientReference, Limits, RateLimit, Settings, StoreSettings, Timeouts};
#[cfg(feature = "simulation")]
pub use simulation::SimulatedListener;
pub use store::{
    DataError, DataSettings, DataState, EmbeddedStore, History, HistoryBound, HistoryPosition, HistoryQuery,
    KeptMessage, LackingRight, Place, RedisInspector, RedisKind, RedisNature, RedisNode, RedisPublishing,
    RedisSentinel, RedisSettings, RedisStartError, RedisStore, RedisUrl, RedisUrlError, RedisUse, RedisValue,
    ReplicaObstacle, SentinelAnswer, SentinelPeer, SentinelReplica, SentinelView, Store, StoreError, Vitals,
    deletion_notice, missing_key_events,
};
pub use tracking::{ChannelRule, ChannelRuleError};
pub use transport::{
    ClientTls, ListenAddress, Listener, Listeners, Tls, TlsError, UnixSocket, UnixSocketError,
};
pub use url_prefix::{UrlPrefix, UrlPrefixError};

/// Re-exported for [`Settings`], so that a program needs no other crate to write them.
pub use geocast_geo_filter::AxisOrder;
/// Re-exported for [`Limits`].
pub use geocast_hub::Overflow;
/// Re-exported for [`AccessPolicy`] and [`Conversation`].
pub use geocast_protocol::Channel;
/// Re-exported for [`Settings`].
pub use geocast_protocol::aiows::{ChannelNames, JsonEncoding};
/// Re-exported for [`Dialect`].
pub use geocast_protocol::envelope::{Content, Timestamp};
/// Re-exported for [`Dialect`] and what it [is told](Told) of tracked channels.
pub use geocast_protocol::{Change, ChangeFormat, ChangeKind, LeaveReason};
/// Re-exported for [`RequestHandler`].
pub use geocast_protocol::{Json, rohrpost::RawRequest};
/// Re-exported for [`HistoryQuery`] and [`Place`].
pub use geocast_protocol::{Offset, Since};

use access::Access;
use happening::Happening;
