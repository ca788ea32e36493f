use geocast_protocol::Channel;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::probe::PROBE_PREFIX;
use crate::runtime::watch;

/// Who waits for messages of their own to come back, so that they know that all before them have.
///
/// Each waits on a channel that nobody else uses.
#[derive(Debug, Default)]
pub(super) struct Settling {
    waiting: Mutex<FxHashMap<Channel, watch::Sender<u32>>>,
}

impl Settling {
    /// A channel to wait on, and how many messages have come on it.
    pub(super) fn begin(&self) -> Option<(Channel, watch::Receiver<u32>)> {
        let channel: Channel = format!("{PROBE_PREFIX}settle:{:032x}", fastrand::u128(..)).parse().ok()?;
        let (sender, receiver) = watch::channel(0);
        self.waiting.lock().insert(channel.clone(), sender);
        Some((channel, receiver))
    }

    /// Whether messages of this channel are of somebody who waits.
    pub(super) fn is_one(channel: &Channel) -> bool {
        channel.as_str().starts_with(PROBE_PREFIX)
    }

    /// A message has come.
    pub(super) fn heard(&self, channel: &Channel) {
        if let Some(waiting) = self.waiting.lock().get(channel) {
            waiting.send_modify(|heard| *heard = heard.saturating_add(1));
        }
    }

    /// Nobody waits any more.
    pub(super) fn end(&self, channel: &Channel) {
        self.waiting.lock().remove(channel);
    }
}
