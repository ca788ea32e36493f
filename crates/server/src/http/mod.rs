//! One port for everything: WebSocket upgrades, publishing, health, the page that says what this is.

mod aiows;
mod answer;
mod handshake;
mod health;
mod publish;
mod rewound;
mod router;
mod serve;
mod upgrade;

pub(crate) use router::router;
pub(crate) use serve::serve;
