use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use geocast_protocol::Channel;
use tokio::sync::oneshot;

use super::{Inspection, Survey};
use crate::{accept::Accepted, broker::InFlight, operator::Question, reading::State};

/// What a worker is told from other threads.
#[derive(Debug)]
pub(crate) enum WorkerMessage {
    /// Something was published.
    Events {
        /// In their order.
        events: Vec<Arc<InFlight>>,
        /// When the first of them came.
        since: Instant,
    },
    /// The state of a tracked channel has been read.
    State(State),
    /// Messages were missed, on any channel.
    Missed,
    /// Messages were missed, on these channels alone.
    MissedOn(Vec<Channel>),
    /// Somebody has come to a channel, or gone: a frame for those who are told.
    Presence(Channel, Bytes),
    /// To be said when all that came before has been dealt with.
    Passed(oneshot::Sender<()>),
    /// Somebody connected.
    Accepted(Box<Accepted>),
    /// Somebody wants to know whether this worker goes through its loop.
    Pulse(oneshot::Sender<()>),
    /// Somebody wants to know how it is.
    Survey(oneshot::Sender<Survey>),
    /// An operator wants to know what it holds.
    Inspect(Question, oneshot::Sender<Inspection>),
    /// What clients may do has been configured anew.
    Judge,
    /// The server stops: close all connections within this time.
    Drain(Duration),
}
