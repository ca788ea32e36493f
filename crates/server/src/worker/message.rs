use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::broker::InFlight;

/// What a worker is told from other threads.
#[derive(Debug)]
pub(crate) enum WorkerMessage {
    /// Something was published.
    Event(Arc<InFlight>),
    /// Somebody connected.
    Accepted(std::net::TcpStream, SocketAddr),
    /// The server stops: close all connections within this time.
    Drain(Duration),
}
