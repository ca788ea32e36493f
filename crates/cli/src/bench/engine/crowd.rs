use std::time::Instant;

use super::{
    changes::Changes,
    client::{ClientError, Expect},
    latency::Latency,
    stamp::Finder,
};
use crate::bench::subscription::Subscription;

/// What all clients share.
#[derive(Debug)]
pub(super) struct Crowd {
    /// The handshake's first half.
    pub(super) request: Vec<u8>,
    pub(super) expect: Expect,
    pub(super) subscription: Subscription,
    pub(super) finder: Finder,
    /// When the time of all stamps began.
    pub(super) origin: Instant,
    pub(super) buffer: Buffer,
    pub(super) tally: Tally,
}

/// What one client after the other reads into.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
}

/// What has come of all clients so far.
#[derive(Debug)]
pub(in crate::bench) struct Tally {
    /// Connections that can be used.
    pub(in crate::bench) ready: usize,
    /// Connections that came to nothing, or to an end.
    pub(in crate::bench) lost: usize,
    /// What happened to the first of these.
    pub(in crate::bench) first_loss: Option<ClientError>,
    /// Clients that have had a probe.
    pub(in crate::bench) probed: usize,
    /// Messages received, counted once for each client, without probes.
    pub(in crate::bench) deliveries: u64,
    /// Messages that came a second time or after a later one.
    pub(in crate::bench) disordered: u64,
    /// What was pushed to those who track a channel.
    pub(in crate::bench) changes: Changes,
    pub(in crate::bench) latency: Latency,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; SPARE] }
    }

    /// Makes room for a frame of that many bytes, so that it is not copied again for each of its parts.
    pub(super) fn make_room(&mut self, frame: usize) {
        if self.bytes.len() < frame + SPARE {
            self.bytes.resize(frame + SPARE, 0);
        }
    }
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            ready: 0,
            lost: 0,
            first_loss: None,
            probed: 0,
            deliveries: 0,
            disordered: 0,
            changes: Changes::default(),
            latency: Latency::new(),
        }
    }
}

/// What there is room for behind a frame: a burst of a hundred messages in one read, and still in the cache.
const SPARE: usize = 128 << 10;
