//! One port for everything: WebSocket upgrades, publishing, health, the page that says what this is.

mod aiows;
mod answer;
mod attended;
mod body;
mod channels;
mod handshake;
mod health;
mod hint;
mod metrics;
mod operator;
mod patient;
mod publish;
mod rewound;
mod router;
mod serve;
mod site;
mod upgrade;

use axum::http::Extensions;

use crate::transport::Peer;

pub(crate) use metrics::{MetricsPlace, Readable, serve_metrics};
pub(crate) use router::router;
pub(crate) use serve::serve;
pub use site::{Site, SiteFile};

/// Who sent a request.
fn peer(extensions: &Extensions) -> Peer {
    *extensions.get().expect("it is put there before the request is routed")
}
