//! One port for everything: WebSocket upgrades, publishing, health, the page that says what this is.

mod answer;
mod health;
mod publish;
mod router;
mod serve;
mod upgrade;

pub(crate) use router::router;
pub(crate) use serve::serve;
